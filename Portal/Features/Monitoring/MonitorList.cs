using Microsoft.EntityFrameworkCore;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Infrastructure.Persistence;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring;

/// <summary>What a monitor is at this moment: a paused one says nothing of its target.</summary>
public enum MonitorCondition { Down, Up, Unknown, Paused }

/// <param name="State">Null before the engine or the creation wrote one.</param>
/// <param name="AsOf">When it was read.</param>
public sealed record MonitorView(Monitor Monitor, MonitorState? State, string? ComponentName, string? ComponentSlug, DateTimeOffset AsOf)
{
    /// <summary>The last check, where the next one is long overdue: no place that is to look at it does. Null while checks come.</summary>
    public DateTimeOffset? SilentSince => Monitor.PausedAt is null && State?.AwaitedSince(Monitor) is { } awaited && AsOf - awaited > MonitorState.Patience(Monitor) ? State.LastCheckAt : null;

    /// <summary>Where nobody looks any more, nobody knows that it still is up; an outage stands until somebody sees its end.</summary>
    public MonitorCondition Condition => Monitor.PausedAt is not null ? MonitorCondition.Paused : State?.Health switch
    {
        MonitorHealth.Up when SilentSince is null => MonitorCondition.Up,
        MonitorHealth.Down => MonitorCondition.Down,
        _ => MonitorCondition.Unknown,
    };

    /// <summary>Judged at its last check, so that all who look see the same.</summary>
    public bool IsFlapping => State is { LastCheckAt: { } at } && State.IsFlapping(Monitor, at);

    public MonitorList.Place Place => new(Monitor.Critical, Monitor.Id);

    public DateTimeOffset Since => Monitor.PausedAt ?? (State?.Health == MonitorHealth.Up ? SilentSince : null) ?? State?.Since ?? Monitor.CreatedAt;
}

/// <summary>Monitors with what is known of them now: critical ones first, then by age.</summary>
public sealed class MonitorList(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="Component">A slug.</param>
    /// <param name="Tag">One that it has.</param>
    public sealed record Filter(MonitorCondition? Condition = null, string? Search = null, string? Component = null, string? Tag = null, MonitorKind? Kind = null)
    {
        public bool IsEmpty => this == new Filter();

        /// <summary>As it stands in an address; what is none of its words is as if it were not there.</summary>
        public static Filter Of(string? component, string? state, string? tag, string? kind, string? q) => new(
            Enum.TryParse<MonitorCondition>(state, ignoreCase: true, out var s) && Enum.IsDefined(s) ? s : null, string.IsNullOrWhiteSpace(q) ? null : q.Trim(), string.IsNullOrEmpty(component) ? null : component,
            TagOf(tag), Enum.TryParse<MonitorKind>(kind, ignoreCase: true, out var k) && Enum.IsDefined(k) ? k : null);
    }

    /// <summary>Where a row stands in the list; it holds even when that monitor is gone or changed.</summary>
    public readonly record struct Place(bool Critical, MonitorId Id)
    {
        public override string ToString() => $"{(Critical ? 'c' : 'n')}{Id}";

        public static Place? Parse(string text) =>
            text is ['c' or 'n', .. var id] && Domain.Shared.Id.TryParse<MonitorId>(id, out var monitor) ? new Place(text[0] == 'c', monitor) : null;
    }

    public async Task<IReadOnlyList<MonitorView>> Load(Filter filter, Place? after, int most, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewMonitors);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var monitors = after is { } last ? db.Monitors.FromSql($"select *, xmin from monitors where (not critical, id) > ({!last.Critical}, {last.Id.Value})").AsNoTracking() : db.Monitors.AsNoTracking();
        var now = clock.GetUtcNow();
        return [.. (await Matching(db, monitors, filter, now).OrderByDescending(r => r.Monitor.Critical).ThenBy(r => r.Monitor.Id).Take(most).ToListAsync(ct)).Select(r => r.View(now))];
    }

    /// <summary>All that match, however many parts they fill; at most so many.</summary>
    public async Task<IReadOnlyList<(MonitorId Id, string Name)>> Names(Filter filter, int most, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewMonitors);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var rows = await Matching(db, db.Monitors.AsNoTracking(), filter, clock.GetUtcNow()).OrderByDescending(r => r.Monitor.Critical).ThenBy(r => r.Monitor.Id).Take(most).Select(r => new { r.Monitor.Id, r.Monitor.Name }).ToListAsync(ct);
        return [.. rows.Select(r => (r.Id, r.Name))];
    }

    /// <summary>Without what is known of them, in the order of the list.</summary>
    internal static IQueryable<Monitor> Matching(PortalDbContext db, Filter filter, DateTimeOffset now) => Matching(db, db.Monitors.AsNoTracking(), filter, now).OrderByDescending(r => r.Monitor.Critical).ThenBy(r => r.Monitor.Id).Select(r => r.Monitor);

    static IQueryable<Row> Matching(PortalDbContext db, IQueryable<Monitor> monitors, Filter filter, DateTimeOffset now)
    {
        if (filter.Tag is { } tag) monitors = monitors.Where(m => m.Tags.Contains(tag));
        if (filter.Kind is { } kind) monitors = monitors.Where(m => m.Kind == kind);
        if (filter.Search is { Length: > 0 } search)
        {
            var pattern = $"%{search.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal)}%";
            monitors = monitors.Where(m => EF.Functions.ILike(m.Name, pattern, "\\") || EF.Functions.ILike(m.Target, pattern, "\\"));
        }
        var rows = Joined(db, monitors, now);
        if (filter.Component is { } slug) rows = rows.Where(r => r.ComponentSlug == slug);
        return filter.Condition switch
        {
            null => rows,
            MonitorCondition.Paused => rows.Where(r => r.Monitor.PausedAt != null),
            MonitorCondition.Up => rows.Where(r => r.Monitor.PausedAt == null && r.State!.Health == MonitorHealth.Up && !r.IsSilent),
            MonitorCondition.Down => rows.Where(r => r.Monitor.PausedAt == null && r.State!.Health == MonitorHealth.Down),
            _ => rows.Where(r => r.Monitor.PausedAt == null && (r.State == null || r.State.Health == MonitorHealth.Unknown || r.State.Health == MonitorHealth.Up && r.IsSilent)),
        };
    }

    /// <summary>A tag as it stands in an address; null for none.</summary>
    public static string? TagOf(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim().ToLowerInvariant();

    /// <summary>Which tags there are and how many monitors have each, in the order of the alphabet.</summary>
    public async Task<IReadOnlyList<(string Tag, int Count)>> Tags(Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewMonitors);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var tags = await db.Monitors.AsNoTracking().SelectMany(m => m.Tags).GroupBy(t => t).Select(g => new { Tag = g.Key, Count = g.Count() }).OrderBy(t => t.Tag).ToListAsync(ct);
        return [.. tags.Select(t => (t.Tag, t.Count))];
    }

    /// <summary>How many there are of each condition; those without any are left out.</summary>
    public async Task<IReadOnlyDictionary<MonitorCondition, int>> Count(Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewMonitors);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var now = clock.GetUtcNow();
        var groups = await (from m in db.Monitors
                            join s in db.MonitorStates on m.Id equals s.MonitorId into states
                            from s in states.DefaultIfEmpty()
                            let allowed = m.Interval + m.Interval + m.Interval + m.Timeout
                            group m by new { Paused = m.PausedAt != null, Health = (MonitorHealth?)s.Health, IsSilent = s.LastCheckAt + allowed < now && m.UpdatedAt + allowed < now } into g
                            select new { g.Key.Paused, g.Key.Health, g.Key.IsSilent, Count = g.Count() }).ToListAsync(ct);
        return groups.GroupBy(g => g.Paused ? MonitorCondition.Paused : g.Health switch { MonitorHealth.Up when !g.IsSilent => MonitorCondition.Up, MonitorHealth.Down => MonitorCondition.Down, _ => MonitorCondition.Unknown })
            .ToDictionary(g => g.Key, g => g.Sum(x => x.Count));
    }

    /// <summary>Whoever may change a monitor sees what became of it.</summary>
    public async Task<MonitorView> LoadOne(MonitorId id, Actor actor, CancellationToken ct)
    {
        if (!actor.May(Permission.ManageMonitors)) actor.Require(Permission.ViewMonitors);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var now = clock.GetUtcNow();
        return (await Joined(db, db.Monitors.AsNoTracking().Where(m => m.Id == id), now).SingleOrDefaultAsync(ct))?.View(now) ?? throw new NotFoundException("monitor");
    }

    /// <summary>These, in their order; what does not exist any more is left out.</summary>
    public async Task<IReadOnlyList<MonitorView>> LoadSome(IReadOnlyList<MonitorId> ids, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewMonitors);
        if (ids.Count == 0) return [];
        await using var db = await contexts.CreateDbContextAsync(ct);
        var now = clock.GetUtcNow();
        var rows = await Joined(db, db.Monitors.AsNoTracking().Where(m => ids.Contains(m.Id)), now).ToDictionaryAsync(r => r.Monitor.Id, r => r.View(now), ct);
        return [.. ids.Where(rows.ContainsKey).Select(id => rows[id])];
    }

    /// <summary>A row is silent by <see cref="MonitorState.Patience"/>, in a form that the database can count.</summary>
    static IQueryable<Row> Joined(PortalDbContext db, IQueryable<Monitor> monitors, DateTimeOffset now) =>
        from m in monitors
        join s in db.MonitorStates.AsNoTracking() on m.Id equals s.MonitorId into states
        from s in states.DefaultIfEmpty()
        join c in db.Components.AsNoTracking() on m.ComponentId equals (ComponentId?)c.Id into components
        from c in components.DefaultIfEmpty()
        let allowed = m.Interval + m.Interval + m.Interval + m.Timeout
        select new Row { Monitor = m, State = s, IsSilent = s!.LastCheckAt + allowed < now && m.UpdatedAt + allowed < now, ComponentName = c!.Name, ComponentSlug = c.Slug };

    // With settable members the provider can look through the projection; a constructor would hide them.
    sealed class Row
    {
        public required Monitor Monitor { get; init; }
        public required MonitorState? State { get; init; }
        public required bool IsSilent { get; init; }
        public required string? ComponentName { get; init; }
        public required string? ComponentSlug { get; init; }
        public MonitorView View(DateTimeOffset asOf) => new(Monitor, State, ComponentName, ComponentSlug, asOf);
    }
}

/// <summary>Components by name, to choose one for a monitor.</summary>
public sealed class ComponentChoices(IDbContextFactory<PortalDbContext> contexts)
{
    public async Task<IReadOnlyList<(ComponentId Id, string Slug, string Name)>> Load(Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewMonitors);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var components = await db.Components.AsNoTracking().OrderBy(c => c.Name).Select(c => new { c.Id, c.Slug, c.Name }).ToListAsync(ct);
        return [.. components.Select(c => (c.Id, c.Slug, c.Name))];
    }

    /// <summary>By slug or id.</summary>
    /// <exception cref="DomainException">There is none.</exception>
    public async Task<ComponentId?> Find(string? slugOrId, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(slugOrId)) return null;
        await using var db = await contexts.CreateDbContextAsync(ct);
        var isId = Id.TryParse<ComponentId>(slugOrId, out var id);
        var found = await db.Components.Where(c => c.Slug == slugOrId || (isId && c.Id == id)).Select(c => (ComponentId?)c.Id).FirstOrDefaultAsync(ct);
        return found ?? throw new DomainException($"There is no component \"{(slugOrId.Length > 60 ? slugOrId[..60] : slugOrId)}\".", "component");
    }
}
