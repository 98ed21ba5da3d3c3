using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Notifications;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Notices;

/// <summary>Takes a notice off the screens of everybody: somebody has seen to it.</summary>
public sealed class DismissNotice(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public Task Execute(NoticeId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageJobs);
        return Contention.Settle(async () =>
        {
            var now = clock.GetUtcNow();
            await using var db = await contexts.CreateDbContextAsync(ct);
            var notice = await db.Notices.SingleOrDefaultAsync(n => n.Id == id, ct) ?? throw new NotFoundException("notice");
            if (notice.ResolvedAt is not null) return id;
            notice.Dismiss(actor, now);
            await db.Commit(new AuditEntry(actor, "notice.dismissed", id.ToString(), notice.Title, now), ct);
            return id;
        });
    }
}
