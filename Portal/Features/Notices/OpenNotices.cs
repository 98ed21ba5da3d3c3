using Microsoft.EntityFrameworkCore;
using Portal.Domain.Notifications;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Notices;

/// <summary>What the portal has to say to those who run it and nobody has dismissed, newest first.</summary>
public sealed class OpenNotices(IDbContextFactory<PortalDbContext> contexts)
{
    const int Most = 50;

    public sealed record Line(NoticeId Id, DateTimeOffset At, NoticeSeverity Severity, string Title, string Text, string? Link);

    public async Task<IReadOnlyList<Line>> Load(CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        return await db.Notices.Where(n => n.ResolvedAt == null).OrderByDescending(n => n.At).ThenByDescending(n => n.Id).Take(Most)
            .Select(n => new Line(n.Id, n.At, n.Severity, n.Title, n.Text, n.Link)).ToListAsync(ct);
    }
}
