using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Access;

/// <summary>Where a person is signed in, newest use first.</summary>
public sealed class OwnSessions(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public sealed record Row(Guid Id, string? From, string Device, DateTimeOffset CreatedAt, DateTimeOffset LastSeenAt);

    public sealed record Account(string Name, string Email, Role Role, IReadOnlyList<Row> Sessions);

    /// <returns>Null when the person is gone meanwhile.</returns>
    public async Task<Account?> Load(PersonId person, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var who = await db.People.AsNoTracking().SingleOrDefaultAsync(p => p.Id == person, ct);
        if (who is null) return null;
        var sessions = await db.Sessions.AsNoTracking().Where(s => s.PersonId == person && s.RevokedAt == null && s.ExpiresAt > now).ToListAsync(ct);
        return new(who.Name, who.Email, who.Role, [.. sessions.Where(s => s.IsLive(now)).OrderByDescending(s => s.LastSeenAt)
            .Select(s => new Row(s.Id, s.From, DeviceOf(s.UserAgent), s.CreatedAt, s.LastSeenAt))]);
    }

    /// <summary>Browser and system in words, as far as the browser tells; order matters, since most name each other.</summary>
    public static string DeviceOf(string? userAgent)
    {
        if (string.IsNullOrWhiteSpace(userAgent)) return "Unknown device";
        string? First(params (string Mark, string Name)[] marks) =>
            marks.FirstOrDefault(m => userAgent.Contains(m.Mark, StringComparison.Ordinal)).Name;
        var browser = First(("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"), ("curl/", "curl"));
        var system = First(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"));
        return (browser, system) switch
        {
            (null, null) => "Unknown device",
            (null, _) => system,
            (_, null) => browser,
            _ => $"{browser} on {system}",
        };
    }
}
