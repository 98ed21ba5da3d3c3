using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Claims;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;
using Portal.Live;

namespace Portal.Features.Access;

/// <summary>Who stands behind a session, remembered for at most <see cref="Memory"/>; forgotten at once when any person or session changes.</summary>
public sealed class SignedInSessions : IDisposable
{
    public static readonly TimeSpan Memory = TimeSpan.FromSeconds(5);
    static readonly TimeSpan TouchEvery = TimeSpan.FromMinutes(1);
    const int Most = 10_000;

    readonly ConcurrentDictionary<string, (SignedIn? Who, DateTimeOffset ReadAt)> known = new();
    readonly IDbContextFactory<PortalDbContext> contexts;
    readonly TimeProvider clock;
    readonly IDisposable watching;
    long generation;

    public SignedInSessions(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock, ChangeFeed changes)
    {
        (this.contexts, this.clock) = (contexts, clock);
        watching = changes.Subscribe("people", () => { Forget(); return Task.CompletedTask; }, TimeSpan.Zero);
    }

    public sealed record SignedIn(Guid Session, PersonId Person, string Name, Role Role)
    {
        public ClaimsPrincipal ToPrincipal(string? address)
        {
            List<Claim> claims =
            [
                new(ClaimTypes.NameIdentifier, Person.ToString()),
                new(ClaimTypes.Name, Name),
                new(ClaimTypes.Role, Role.ToString()),
                new(ActorSource.KindClaim, nameof(ActorKind.Person)),
                new(ActorSource.SessionClaim, Session.ToString("N", CultureInfo.InvariantCulture)),
            ];
            if (address is not null) claims.Add(new(ActorSource.AddressClaim, address));
            return new(new ClaimsIdentity(claims, Schemes.Session));
        }
    }

    /// <summary>What was read before this moment no longer counts, in this process.</summary>
    public void Forget()
    {
        Interlocked.Increment(ref generation);
        known.Clear();
    }

    /// <summary>Null when the secret is unknown, the session over or revoked, or the person deactivated.</summary>
    public Task<SignedIn?> Find(string secret, CancellationToken ct)
    {
        var hash = Secret.HashOf(secret);
        return Remembered(Convert.ToHexString(hash), db => db.Sessions.Where(s => s.SecretHash == hash), ct);
    }

    public Task<SignedIn?> Find(Guid session, CancellationToken ct) =>
        Remembered(session.ToString("N", CultureInfo.InvariantCulture), db => db.Sessions.Where(s => s.Id == session), ct);

    async Task<SignedIn?> Remembered(string key, Func<PortalDbContext, IQueryable<Session>> which, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        if (known.TryGetValue(key, out var found) && now - found.ReadAt < Memory && now >= found.ReadAt) return found.Who;
        var before = Interlocked.Read(ref generation);
        var who = await Read(which, now, ct);
        if (known.Count > Most) known.Clear();
        known[key] = (who, now);
        // A change that came between reading and remembering must not be lost.
        if (Interlocked.Read(ref generation) != before) known.TryRemove(key, out _);
        return who;
    }

    async Task<SignedIn?> Read(Func<PortalDbContext, IQueryable<Session>> which, DateTimeOffset now, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var row = await which(db).AsNoTracking()
            .Join(db.People.AsNoTracking(), s => s.PersonId, p => p.Id, (session, person) => new { session, person }).SingleOrDefaultAsync(ct);
        if (row is null || !row.session.IsLive(now) || !row.person.IsActive) return null;
        if (now - row.session.LastSeenAt >= TouchEvery)
            await db.Sessions.Where(s => s.Id == row.session.Id && s.LastSeenAt < now).ExecuteUpdateAsync(s => s.SetProperty(x => x.LastSeenAt, now), ct);
        return new SignedIn(row.session.Id, row.person.Id, row.person.Name, row.person.Role);
    }

    public void Dispose() => watching.Dispose();
}
