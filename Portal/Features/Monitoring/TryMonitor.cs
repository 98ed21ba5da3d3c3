using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Features.Monitoring.Engine;
using Portal.Infrastructure.Monitoring;
using Portal.Infrastructure.Persistence;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring;

/// <summary>One check from this node with settings that are not saved yet. The result is shown and not stored; that it was tried is.</summary>
public sealed class TryMonitor(IDbContextFactory<PortalDbContext> contexts, TargetConsent consent, CheckRunner runner, SealedSecrets secrets, TryBrake brake, TimeProvider clock)
{
    /// <param name="Monitor">The one that is being edited; null for a new one.</param>
    /// <param name="Secrets">As in <see cref="ChangeMonitor.Request"/>.</param>
    public sealed record Request(MonitorSettings Settings, bool? AllowPrivate = null, MonitorId? Monitor = null, IReadOnlyDictionary<string, string?>? Secrets = null);

    public async Task<ProbeAnswer> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageMonitors);
        if (request.Settings.Kind == MonitorKind.Heartbeat) throw new DomainException("A heartbeat waits for pings: there is nothing to look at.", "kind");
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var edited = request.Monitor is { } id ? await db.Monitors.AsNoTracking().SingleOrDefaultAsync(m => m.Id == id, ct) : null;
        // An edited built-in monitor keeps its target, which nobody may give a new one.
        var settings = request.Settings with { AllowPrivate = false };
        var kept = edited is null ? MonitorSecrets.None : secrets.Open(edited);
        var moved = edited is not null && MonitorTarget.OriginOf(edited.Target) != MonitorTarget.OriginOf(MonitorTarget.Valid(settings.Kind, settings.Target, edited.BuiltIn));
        var draft = edited is { BuiltIn: true } ? edited : new Monitor(settings, now);
        if (edited is { BuiltIn: true }) draft.Change(settings, now);
        var given = request.Secrets ?? kept.Keys.ToDictionary(n => n, string? (_) => null);
        var all = MonitorSecrets.Merge(draft.Kind, given, kept, moved);
        brake.Count(actor);
        var allowed = await consent.Decide(draft, [], fromHere: true, request.AllowPrivate, actor, edited, ct);
        await db.Commit(new AuditEntry(actor, "monitor.tried", draft.Id.ToString(), draft.Target, now), ct);
        return await runner.Look(draft.Id, draft.Settings with { AllowPrivate = allowed }, all, ct) ?? throw new DomainException("The portal does not listen yet. Try again in a moment.");
    }
}

/// <summary>How often one actor may try: each try is a request to an address of their choice.</summary>
public sealed class TryBrake(TimeProvider clock)
{
    public const int PerMinute = 10;
    static readonly TimeSpan Span = TimeSpan.FromMinutes(1);
    readonly ConcurrentDictionary<Guid, (DateTimeOffset Begin, int Count)> tries = new();

    /// <exception cref="TooOftenException">Within the minute that began with the actor's first try.</exception>
    public void Count(Actor actor)
    {
        var now = clock.GetUtcNow();
        var (begin, count) = tries.AddOrUpdate(actor.Id ?? Guid.Empty, _ => (now, 1), (_, t) => (now - t.Begin).Duration() >= Span ? (now, 1) : (t.Begin, t.Count + 1));
        if (count <= PerMinute) return;
        var wait = TimeSpan.FromSeconds(Math.Clamp(Math.Ceiling((begin + Span - now).TotalSeconds), 1, Span.TotalSeconds));
        throw new TooOftenException($"You tried {PerMinute} times within a minute. The next try is possible in {wait.TotalSeconds:0} s.", wait);
    }
}
