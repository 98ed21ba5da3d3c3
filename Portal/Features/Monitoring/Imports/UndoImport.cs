using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Features.Monitoring.Places;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Monitoring.Imports;

/// <summary>Takes an import back: deletes what it made and puts back what it changed. What somebody edited since is kept, unless it is chosen too.</summary>
public sealed class UndoImport(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="EditedToo">Those of them that were edited since and are to be taken back all the same.</param>
    public sealed record Request(MonitorImportId Import, IReadOnlyCollection<MonitorId>? EditedToo = null);

    /// <param name="Kept">Names of those that somebody edited since.</param>
    /// <param name="NeedAdministrator">Names of those that may not be put back by this actor: they were allowed to reach private addresses, and are no longer. They stay as they are.</param>
    public sealed record Outcome(int Deleted, int Restored, IReadOnlyList<string> Kept, IReadOnlyList<string> NeedAdministrator);

    public async Task<Outcome> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageMonitors);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock(hashtext('portal.monitor-imports')), pg_advisory_xact_lock(hashtext('portal.public-charts'))", ct);
        var import = await db.MonitorImports.SingleOrDefaultAsync(i => i.Id == request.Import, ct) ?? throw new NotFoundException("import");
        import.MayBeUndone(now);
        var items = await db.ImportedMonitors.Where(i => i.ImportId == import.Id).ToListAsync(ct);
        var places = await WatchingPlaces.Hold(db, ct);
        await db.HoldStates(items.Select(i => i.MonitorId), ct);
        await Dependencies.Hold(db, ct);
        var monitors = items.Count == 0 ? [] : (await db.Many([.. items.Select(i => i.MonitorId)], ct)).Monitors.ToDictionary(m => m.Id);
        var kept = items.Where(i => monitors.TryGetValue(i.MonitorId, out var m) && !import.IsAsLeft(m) && request.EditedToo?.Contains(m.Id) != true).ToList();
        var forbidden = items.Except(kept).Where(i => monitors.TryGetValue(i.MonitorId, out var m) && i.BringsBackConsent(m) && !actor.May(Permission.ProbePrivateAddresses)).ToList();
        var back = items.Except(kept).Except(forbidden).ToList();
        var (made, changed) = (back.Where(i => i.Before is null && monitors.ContainsKey(i.MonitorId)).ToList(), back.Where(i => i.Before is not null && monitors.ContainsKey(i.MonitorId)).ToList());
        var done = new List<AuditEntry>();
        await db.Remove([.. made.Select(i => monitors[i.MonitorId])], now, ct);
        foreach (var item in made) done.Add(new AuditEntry(actor, "monitor.deleted", item.MonitorId.ToString(), $"{item.Name}: {monitors[item.MonitorId].Target}", now));
        var components = (await db.Components.Select(c => c.Id).ToListAsync(ct)).ToHashSet();
        var ids = changed.Select(c => c.MonitorId).ToList();
        var heartbeats = await db.Heartbeats.Where(h => ids.Contains(h.MonitorId)).ToDictionaryAsync(h => h.MonitorId, ct);
        foreach (var item in changed)
        {
            var component = item.Before!.Component is { } id && components.Contains(id) ? item.Before.Component : null;
            var monitor = monitors[item.MonitorId];
            var (schedule, paused) = (ChangeMonitor.Schedule(monitor), monitor.PausedAt);
            item.Restore(monitor, component, places, now);
            if (schedule != ChangeMonitor.Schedule(monitor) || paused is not null && monitor.PausedAt is null) heartbeats.GetValueOrDefault(monitor.Id)?.JudgeFrom(now);
            done.Add(new AuditEntry(actor, "monitor.changed", item.MonitorId.ToString(), CreateMonitor.Summary(monitor), now));
        }
        await RequireCharts(db, monitors.Values, made.Select(i => i.MonitorId).ToHashSet(), ct);
        db.ImportedMonitors.RemoveRange(back);
        if (kept.Count + forbidden.Count == 0) import.Undone(actor, now);
        done.Add(new AuditEntry(actor, "monitors.import-undone", import.Id.ToString(), $"{import.FileName}: {made.Count:N0} deleted, {changed.Count:N0} put back, {kept.Count + forbidden.Count:N0} kept", now));
        await db.Commit(done, ct);
        await transaction.CommitAsync(ct);
        return new(made.Count, changed.Count, [.. kept.Select(k => monitors[k.MonitorId].Name)], [.. forbidden.Select(k => monitors[k.MonitorId].Name)]);
    }

    /// <summary>A chart that comes back may find its place taken.</summary>
    static async Task RequireCharts(PortalDbContext db, IReadOnlyCollection<Domain.Monitoring.Monitor> touched, HashSet<MonitorId> deleted, CancellationToken ct)
    {
        var ids = touched.Select(m => m.Id).ToList();
        var (stood, stand) = (await db.Monitors.CountAsync(m => m.PublicChart != null, ct), await db.Monitors.CountAsync(m => m.PublicChart != null && !ids.Contains(m.Id), ct) + touched.Count(m => m.PublicChart is not null && !deleted.Contains(m.Id)));
        if (stand > stood && stand > Domain.Monitoring.Monitor.MostPublicCharts) throw new DomainException($"The status page has room for {Domain.Monitoring.Monitor.MostPublicCharts} charts, and other monitors have taken them since. Empty that field of one of them first.");
    }
}
