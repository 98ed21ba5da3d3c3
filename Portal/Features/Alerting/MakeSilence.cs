using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Alerting;

/// <summary>Lets alerts with some labels page nobody for a while.</summary>
public sealed class MakeSilence(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="From">Null: from now on.</param>
    public sealed record Request(IReadOnlyList<AlertLabel> Labels, DateTimeOffset? From, DateTimeOffset To, string Reason);

    public async Task<SilenceId> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.HandleAlerts);
        var now = clock.GetUtcNow();
        var silence = new Silence(request.Labels, request.From ?? now, request.To, request.Reason, actor.Name, now);
        await using var db = await contexts.CreateDbContextAsync(ct);
        db.Silences.Add(silence);
        await db.Commit(new AuditEntry(actor, "silence.made", silence.Id.ToString(), string.Join(", ", silence.Labels.Select(l => $"{l.Name}={l.Value}")), now), ct);
        return silence.Id;
    }
}

/// <summary>Ends a silence before its time: what it covered and is still open pages.</summary>
public sealed class EndSilence(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task Execute(SilenceId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.HandleAlerts);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var silence = await db.Silences.SingleOrDefaultAsync(s => s.Id == id, ct) ?? throw new NotFoundException("silence");
        silence.End(now);
        await db.Commit(new AuditEntry(actor, "silence.ended", id.ToString(), silence.Reason, now), ct);
    }
}
