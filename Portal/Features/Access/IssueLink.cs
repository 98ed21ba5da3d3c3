using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Hosting;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Access;

/// <summary>A new one-time link for somebody; older ones end. Whoever had a password loses it at once, together with all sessions.</summary>
/// <remarks>At once, because the reason may be that somebody else knows the password.</remarks>
public sealed class IssueLink(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock, PortalAddress address, SignedInSessions sessions)
{
    public async Task<PersonalLink> Execute(PersonId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManagePeople);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        await using var transaction = await db.LockAdministrators(ct);
        var person = await db.Find(id, ct);
        actor.RequireReach(person.Role);
        if (!person.IsActive) throw new DomainException($"{person.Name} is deactivated. Reactivate them first.");
        if (actor.Kind == ActorKind.Person && actor.Id == id.Value)
            throw new DomainException("Change your own password under \"Account\"; a reset would lock you out until the link is used.");
        var (hadPassword, administered) = (person.PasswordHash is not null, person.CanAdminister);
        // Whoever was here before is not invited, however often the link is made anew.
        var (secret, link) = New(hadPassword || person.LastSignInAt is not null ? LinkPurpose.PasswordReset : LinkPurpose.Invitation, person.Id, now);
        await db.WithdrawLinks(person.Id, now, ct);
        person.ForgetPassword();
        // At the machine itself the last administrator may be helped: the link is shown there.
        if (administered && actor.Kind != ActorKind.System) person.RequireSuccessor(await db.OtherAdministrators(id, ct));
        await db.EndSessions(person.Id, now, ct);
        db.Add(link);
        await db.Commit(hadPassword
            ? new AuditEntry(actor, "person.password-reset", id.ToString(), $"The password of {person.Name} was reset and their sessions ended; a one-time link was made", now)
            : new AuditEntry(actor, "person.invited-again", id.ToString(), $"A new one-time link was made for {person.Name}; older ones ended", now), ct);
        await transaction.CommitAsync(ct);
        sessions.Forget();
        return new PersonalLink(id, UrlOf(address, secret), link.ExpiresAt);
    }

    internal static (string Secret, OneTimeLink Link) New(LinkPurpose purpose, PersonId? person, DateTimeOffset now)
    {
        var secret = Access.Secret.New();
        return (secret, new OneTimeLink(purpose, person, Access.Secret.HashOf(secret), now));
    }

    internal static string UrlOf(PortalAddress address, string secret) => $"{address.Public}/setup?token={secret}";

    internal static string WordFor(Role role) => role == Role.Admin ? "administrator" : "staff";
}
