using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Access;

/// <summary>From e-mail address and password to a session. Says nothing about which of the two was wrong, neither in words nor by its time.</summary>
public sealed class SignIn(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock, Passwords passwords, SignInBrake brake)
{
    public sealed record Request(string? Email, string? Password);

    public abstract record Outcome;
    /// <param name="Secret">For the cookie; kept nowhere else.</param>
    public sealed record Started(string Secret) : Outcome;
    public sealed record Refused : Outcome;
    public sealed record Wait(DateTimeOffset Until) : Outcome;

    /// <exception cref="TooBusyException">Too many at once.</exception>
    public async Task<Outcome> Execute(Request request, Visitor visitor, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var email = (request.Email ?? "").Trim().ToLowerInvariant();
        var (person, knownHere) = await Look(email, visitor, ct);
        var attempt = await brake.Begin(email, visitor, knownHere, now, ct);
        if (attempt.WaitUntil is { } until) return new Wait(until);
        var started = await Try(person, email, request.Password, visitor, now, ct);
        if (started is not null)
        {
            await brake.Succeeded(email, visitor, ct);
            return started;
        }
        if (attempt.Closes) await Record(person, visitor, now, ct);
        return new Refused();
    }

    async Task<Started?> Try(Person? person, string email, string? password, Visitor visitor, DateTimeOffset now, CancellationToken ct)
    {
        // Another sign-in or an administrator may change the person's row in between: then look again.
        for (var tries = 0; ; tries++)
        {
            try
            {
                var hash = person is { IsActive: true } ? person.PasswordHash : null;
                var answer = await passwords.Verify(hash, password, visitor, ct);
                if (answer == Passwords.Answer.Wrong || person is null) return null;
                if (answer == Passwords.Answer.RightAndOutdated) person.SetPasswordHash(await passwords.Hash(password!, visitor, ct));
                return await Start(person, visitor, now, ct);
            }
            catch (TooBusyException)
            {
                await brake.NotTried(email, visitor, ct);
                throw;
            }
            catch (ConflictException) when (tries < 3)
            {
                (person, _) = await Look(email, visitor, ct);
            }
        }
    }

    async Task<Started> Start(Person person, Visitor visitor, DateTimeOffset now, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        db.People.Update(person);
        var secret = db.BeginSession(person, visitor, now);
        await db.Commit(new AuditEntry(person.ToActor(visitor), "person.signed-in", person.Id.ToString(), $"{person.Name} signed in", now), ct);
        return new Started(secret);
    }

    /// <summary>The same two questions whether or not there is such an account.</summary>
    async Task<(Person? Person, bool KnownHere)> Look(string email, Visitor visitor, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var person = await db.People.AsNoTracking().SingleOrDefaultAsync(p => p.Email == email, ct);
        var (id, from) = (person?.Id ?? default, visitor.From);
        return (person, await db.Sessions.AnyAsync(s => s.PersonId == id && s.From == from, ct));
    }

    async Task Record(Person? person, Visitor visitor, DateTimeOffset now, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        // Of an unknown account nothing is kept: people type passwords into the wrong field.
        var whose = person is null ? "an account that does not exist" : $"the account of {person.Name}";
        await db.Commit(new AuditEntry(visitor.Nobody, "sign-in.throttled", person?.Id.ToString() ?? "unknown", $"Failed sign-ins to {whose}: further ones from this address must wait", now), ct);
    }
}
