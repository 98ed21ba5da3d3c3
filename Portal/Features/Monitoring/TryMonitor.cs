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
public sealed class TryMonitor(IDbContextFactory<PortalDbContext> contexts, TargetConsent consent, CheckRunner runner, TryBrake brake, TimeProvider clock)
{
    /// <param name="Monitor">The one that is being edited; null for a new one.</param>
    public sealed record Request(MonitorSettings Settings, bool? AllowPrivate = null, MonitorId? Monitor = null);

    public async Task<ProbeAnswer> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageMonitors);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var edited = request.Monitor is { } id ? await db.Monitors.AsNoTracking().SingleOrDefaultAsync(m => m.Id == id, ct) : null;
        // An edited built-in monitor keeps its target, which nobody may give a new one.
        var settings = request.Settings with { AllowPrivate = false };
        var draft = edited is { BuiltIn: true } ? edited : new Monitor(settings, now);
        if (edited is { BuiltIn: true }) draft.Change(settings, now);
        brake.Count(actor);
        var allowed = await consent.Decide(draft.Target, request.AllowPrivate, actor, edited, ct);
        await db.Commit(new AuditEntry(actor, "monitor.tried", draft.Id.ToString(), draft.Target, now), ct);
        return await runner.Look(draft.Settings with { AllowPrivate = allowed }, ct) ?? throw new DomainException("The portal does not listen yet. Try again in a moment.");
    }
}

/// <summary>How often one actor may try: each try is a request to an address of their choice.</summary>
public sealed class TryBrake(TimeProvider clock)
{
    public const int PerMinute = 10;
    readonly ConcurrentDictionary<Guid, (DateTimeOffset Begin, int Count)> tries = new();

    /// <exception cref="DomainException">Too often within the minute.</exception>
    public void Count(Actor actor)
    {
        var now = clock.GetUtcNow();
        var (_, count) = tries.AddOrUpdate(actor.Id ?? Guid.Empty, _ => (now, 1), (_, t) => (now - t.Begin).Duration() >= TimeSpan.FromMinutes(1) ? (now, 1) : (t.Begin, t.Count + 1));
        if (count > PerMinute) throw new DomainException($"You tried {PerMinute} times within a minute. Wait a moment before the next try.");
    }
}
