using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Notifications;
using Portal.Infrastructure.Persistence;

namespace Portal.Infrastructure.Notifications;

/// <summary>Something to tell those who run the portal.</summary>
/// <param name="Topic">What it is about, like <c>backup-plan:ID</c>: a newer one of the same topic takes the place of an older one on screens.</param>
/// <param name="Once">Nothing is told twice under the same one, like <c>backup:ID:failed</c>.</param>
/// <param name="Link">Where it can be seen, as a path of this portal: <c>/admin/backups</c>.</param>
/// <param name="ByMail">Whether it goes out by mail too.</param>
/// <param name="OnScreen">False for what is only for the record, as a success: open notices of its topic are over then.</param>
public sealed record News(NoticeSeverity Severity, string Title, string Text, string Topic, string Once, string? Link = null, bool ByMail = true, bool OnScreen = true);

/// <summary>Puts notices and mails among what a context will save, so that they are told when it is committed and only then.</summary>
public static class Noticeboard
{
    /// <summary>For every active person with the role Admin.</summary>
    /// <remarks>Two who tell the same at the same moment collide on a unique index and one save fails: do it in <see cref="Contention.Settle{T}"/>, or try again.</remarks>
    /// <returns>False when it was told already.</returns>
    public static async Task<bool> Tell(PortalDbContext db, News news, DateTimeOffset now, CancellationToken ct)
    {
        if (await db.Notices.AnyAsync(n => n.Key == news.Once, ct)) return false;
        await Resolve(db, news.Topic, now, ct);
        if (news.OnScreen) db.Notices.Add(new Notice(news.Severity, news.Title, news.Text, news.Topic, news.Once, news.Link, now));
        return news.ByMail ? await Mail(db, news, now, ct) || news.OnScreen : news.OnScreen;
    }

    /// <summary>It is over: what is shown of this topic is taken away.</summary>
    public static async Task Resolve(PortalDbContext db, string topic, DateTimeOffset now, CancellationToken ct)
    {
        foreach (var open in await db.Notices.Where(n => n.Topic == topic && n.ResolvedAt == null).ToListAsync(ct)) open.Resolve(now);
    }

    static async Task<bool> Mail(PortalDbContext db, News news, DateTimeOffset now, CancellationToken ct)
    {
        var people = await db.People.AsNoTracking().Where(p => p.Role == Role.Admin && p.DeactivatedAt == null).Select(p => new { p.Id, p.Email }).ToListAsync(ct);
        var owed = people.ToDictionary(p => $"{news.Once}/{p.Id}", p => p.Email);
        var keys = owed.Keys.ToArray();
        foreach (var told in await db.Mails.Where(m => keys.Contains(m.Key)).Select(m => m.Key).ToListAsync(ct)) owed.Remove(told);
        foreach (var (key, email) in owed) db.Mails.Add(new QueuedMail(email, news.Title, news.Text, news.Link, key, now));
        return owed.Count > 0;
    }
}
