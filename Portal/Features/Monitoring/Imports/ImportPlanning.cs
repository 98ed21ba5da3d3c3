using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Portal.Components.Ui;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Infrastructure.Monitoring;
using Portal.Infrastructure.Persistence;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring.Imports;

/// <summary>Compares a file with what stands; reads only.</summary>
public sealed class ImportPlanning(IDbContextFactory<PortalDbContext> contexts, TargetConsent consent, SealedSecrets secrets, TimeProvider clock)
{
    /// <param name="Existing">The one of this name as it stood when it was read.</param>
    /// <param name="Secrets">All that there shall be; null leaves them as they are.</param>
    internal sealed record Step(WantedMonitor Wanted, PlannedMonitor View, Monitor? Existing = null, MonitorSettings? Settings = null, IReadOnlyDictionary<string, string>? Secrets = null, string? Host = null);

    internal async Task<(ImportPlan Plan, IReadOnlyList<Step> Steps)> Plan(ImportSource source, Actor actor, CancellationToken ct)
    {
        var (wanted, notes) = source.Read();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var names = wanted.Select(w => w.Name).Distinct().ToList();
        var there = (await db.Monitors.AsNoTracking().Where(m => names.Contains(m.Name)).ToListAsync(ct)).ToLookup(m => m.Name);
        var slugs = new ComponentSlugs((await db.Components.AsNoTracking().Select(c => new { c.Id, c.Slug }).ToListAsync(ct)).Select(c => (c.Id, c.Slug)));
        var charts = await db.Monitors.CountAsync(m => m.PublicChart != null, ct);
        var (seen, steps, now) = (new HashSet<string>(StringComparer.Ordinal), new List<Step>(), clock.GetUtcNow());
        foreach (var one in wanted)
            try
            {
                if (!seen.Add(one.Name) && one.Name.Length > 0) throw new DomainException("An earlier line has the same name. Each monitor stands in one line.", "name");
                var step = Of(one, [.. there[one.Name]], slugs, actor, now);
                if (step.Settings?.PublicChart is not null && step.Existing?.PublicChart is null && step.View.Step is ImportStep.Create or ImportStep.Change && ++charts > Monitor.MostPublicCharts)
                    throw new DomainException($"The status page has room for {Monitor.MostPublicCharts} charts.", "publicChart");
                steps.Add(step);
            }
            catch (DomainException e)
            {
                steps.Add(new(one, Refused(one, e.Message, e.Field)));
            }
        steps = await Consented(steps, actor, ct);
        var print = Fingerprint(source);
        var before = await db.MonitorImports.AsNoTracking().Where(i => i.Fingerprint == print && i.UndoneAt == null).OrderByDescending(i => i.At).FirstOrDefaultAsync(ct);
        return (new(source.Format, [.. steps.Select(s => s.View)], notes, before), steps);
    }

    public static byte[] Fingerprint(ImportSource source) => SHA256.HashData(source.Content.Span);

    Step Of(WantedMonitor wanted, IReadOnlyList<Monitor> there, ComponentSlugs slugs, Actor actor, DateTimeOffset now)
    {
        if (wanted.LeftOut is { } reason) return new(wanted, Refused(wanted, reason, null));
        if (there.Count > 1 && !wanted.OnlyNew) throw new DomainException($"{there.Count} monitors have this name, so none is meant. Rename all but one.", "name");
        if (there.Count > 0 && wanted.OnlyNew) return new(wanted, new(wanted.Line, wanted.Name, ImportStep.Same, null, [], ["A monitor of this name is there already and stays as it is."]), there[0]);
        var old = there.Count > 0 ? there[0] : null;
        var settings = wanted.Onto(old, slugs) with { AllowPrivate = false };
        if (old is not null && settings.Kind != old.Kind) throw new DomainException($"The monitor of this name is of the kind {MonitorOptions.Word(old.Kind)}, and a kind stays. Use another name.", "kind");
        var draft = new Monitor(settings, now, old?.BuiltIn ?? false);
        if (old is { BuiltIn: true } && draft.Target != old.Target) throw new DomainException("A built-in monitor keeps its address.", "target");
        var (allowed, host) = Consent(wanted, draft, old, actor);
        draft.Change(settings with { AllowPrivate = allowed }, now);
        if (wanted.Paused ?? old?.PausedAt is not null) draft.Pause(now);
        var all = Secrets(wanted, draft, old);
        draft.Keep(all?.Keys ?? old?.SecretNames ?? [], null, now);
        var differences = old is null ? [] : MonitorCsv.Differences(old, draft, slugs).Concat(all is null ? [] : [$"secrets: {string.Join(", ", all.Keys)}"]).ToList();
        var step = old is null ? ImportStep.Create : differences.Count > 0 ? ImportStep.Change : ImportStep.Same;
        return new(wanted, new(wanted.Line, wanted.Name, step, Summary(draft), differences, wanted.Notes), old, draft.Settings, all, step == ImportStep.Same ? null : host);
    }

    /// <returns>Whether the file allows private addresses, and the host that has still to be looked up or agreed to.</returns>
    static (bool Allowed, string? Host) Consent(WantedMonitor wanted, Monitor draft, Monitor? old, Actor actor)
    {
        var stays = old is not null && old.Target == draft.Target && old.Options.Resolver == draft.Options.Resolver;
        if (stays && (old!.AllowPrivate ? wanted.AllowPrivate != false : wanted.AllowPrivate != true)) return (old.AllowPrivate, null);
        var host = MonitorTarget.HostOf(draft.Kind, draft.Target, draft.Options);
        if (host is null || wanted.AllowPrivate != true) return (false, host);
        return actor.May(Permission.ProbePrivateAddresses) ? (true, host) : throw new DomainException("Only an administrator can allow private addresses.", "allowPrivate");
    }

    async Task<List<Step>> Consented(List<Step> steps, Actor actor, CancellationToken ct)
    {
        var found = await consent.PrivateAmong(steps.Select(s => s.Host).OfType<string>(), ct);
        return [.. steps.Select(s => s.Host is not { } host || !found.Contains(host) && !s.Settings!.AllowPrivate ? s
            : !actor.May(Permission.ProbePrivateAddresses) ? new(s.Wanted, Refused(s.Wanted, $"{host} leads to a private address, which only an administrator can allow.", "target"))
            : s.Wanted.AllowPrivate == false && s.Existing is not null ? new(s.Wanted, Refused(s.Wanted, $"{host} leads to a private address: allow it, or choose a public one.", "allowPrivate"))
            : s with { View = s.View with { PrivateHost = host } })];
    }

    /// <returns>Null when what is stored stays.</returns>
    IReadOnlyDictionary<string, string>? Secrets(WantedMonitor wanted, Monitor draft, Monitor? old)
    {
        var kept = old is { SecretNames.Count: > 0 } ? secrets.Open(old) : MonitorSecrets.None;
        var moved = old is not null && MonitorTarget.OriginOf(old.Target) != MonitorTarget.OriginOf(draft.Target);
        if (wanted.Secrets.Count == 0 && !(moved && kept.Count > 0)) return null;
        var given = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var name in kept.Keys) given[name] = null;
        foreach (var (name, value) in wanted.Secrets) given[name] = value;
        var all = MonitorSecrets.Merge(draft.Kind, given, kept, moved);
        return all.Count == kept.Count && all.All(s => kept.TryGetValue(s.Key, out var value) && value == s.Value) ? null : all;
    }

    static PlannedMonitor Refused(WantedMonitor wanted, string why, string? field) => new(wanted.Line, wanted.Name, wanted.OnlyNew ? ImportStep.LeftOut : ImportStep.Wrong, null, [], [], why, field);

    static string Summary(Monitor m) => string.Join(' ', new[]
    {
        $"{MonitorWords.Name(m.Kind)}{(m.Kind == MonitorKind.Heartbeat ? "" : $" {m.Target}")}, every {SpanWords.Of(m.Interval)}, time-out {SpanWords.Of(m.Timeout)}, {m.FailuresBeforeDown} of {m.Window}.",
        MonitorWords.Accepts(m.Settings), m.SecretNames.Count > 0 ? $"Secrets: {string.Join(", ", m.SecretNames)}." : null, m.Tags.Count > 0 ? $"Tags: {string.Join(", ", m.Tags)}." : null, m.PausedAt is not null ? "Paused." : null,
    }.OfType<string>());
}

/// <summary>What an import would do, for whoever decides.</summary>
public sealed class ImportPreview(ImportPlanning planning)
{
    /// <exception cref="DomainException">The file cannot be read.</exception>
    public async Task<ImportPlan> Load(ImportSource source, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageMonitors);
        return (await planning.Plan(source, actor, ct)).Plan;
    }
}
