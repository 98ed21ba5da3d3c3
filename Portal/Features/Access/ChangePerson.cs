using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Access;

/// <summary>Name, role, and whether somebody may come in. What is null stays; all of it or nothing.</summary>
public sealed class ChangePerson(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock, SignedInSessions sessions)
{
    /// <param name="Version">What the caller has seen; null where that does not matter.</param>
    public sealed record Request(PersonId Person, string? Name = null, Role? Role = null, bool? Active = null, uint? Version = null);

    public async Task Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManagePeople);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        await using var transaction = await db.LockAdministrators(ct);
        var person = await db.Find(request.Person, ct);
        if (request.Version is { } seen && seen != person.Version)
            throw new ConflictException("Somebody else changed this person meanwhile. Nothing was saved: look at what stands now and try again.");
        actor.RequireReach(person.Role);
        actor.RequireReach(request.Role ?? person.Role);
        var administered = person.CanAdminister;
        var words = Apply(request, person, now);
        if (words.Count == 0) return;
        if (administered) person.RequireSuccessor(await db.OtherAdministrators(person.Id, ct));
        if (!person.IsActive)
        {
            await db.EndSessions(person.Id, now, ct);
            await db.WithdrawLinks(person.Id, now, ct);
        }
        await db.Commit(new AuditEntry(actor, ActionOf(request), person.Id.ToString(), string.Join("; ", words), now), ct);
        await transaction.CommitAsync(ct);
        sessions.Forget();
    }

    static List<string> Apply(Request request, Person person, DateTimeOffset now)
    {
        List<string> words = [];
        var name = person.Name;
        if (request.Name is { } wanted && wanted != name)
        {
            person.Rename(wanted);
            words.Add($"{name} is now called {person.Name}");
        }
        if (request.Role is { } role && role != person.Role)
        {
            person.Assign(role);
            words.Add($"{person.Name} is now {IssueLink.WordFor(role)}");
        }
        if (request.Active is { } active && active != person.IsActive)
        {
            if (active) person.Reactivate();
            else person.Deactivate(now);
            words.Add(active ? $"{person.Name} was reactivated" : $"{person.Name} was deactivated and their sessions ended");
        }
        return words;
    }

    static string ActionOf(Request request) => request.Active switch
    {
        true => "person.reactivated",
        false => "person.deactivated",
        null => "person.changed",
    };
}
