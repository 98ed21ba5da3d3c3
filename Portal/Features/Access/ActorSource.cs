using System.Security.Claims;
using Portal.Domain.Access;
using Portal.Domain.Shared;

namespace Portal.Features.Access;

/// <summary>From a signed-in principal (cookie or API key) to the <see cref="Actor"/> that use cases take.</summary>
public static class ActorSource
{
    public const string KindClaim = "portal:kind", ScopeClaim = "portal:scope", AddressClaim = "portal:address", SessionClaim = "portal:session";

    /// <exception cref="ForbiddenException">Nobody is signed in.</exception>
    public static Actor ToActor(this ClaimsPrincipal user)
    {
        if (user.Identity?.IsAuthenticated != true || !Guid.TryParse(user.FindFirstValue(ClaimTypes.NameIdentifier), out var id))
            throw new ForbiddenException("Sign in first.");
        var name = user.FindFirstValue(ClaimTypes.Name) ?? "";
        var address = user.FindFirstValue(AddressClaim);
        return user.FindFirstValue(KindClaim) == nameof(ActorKind.ApiKey)
            ? new Actor(ActorKind.ApiKey, id, name, Permissions.OfScopes(user.FindAll(ScopeClaim).Select(c => c.Value)), address)
            : new Actor(ActorKind.Person, id, name, Permissions.Of(Enum.Parse<Role>(user.FindFirstValue(ClaimTypes.Role)!)), address);
    }

    /// <summary>A person who acts on their own account, before or without a session.</summary>
    public static Actor ToActor(this Person person, Visitor visitor) =>
        new(ActorKind.Person, person.Id.Value, person.Name, Permissions.Of(person.Role), visitor.From);

    /// <exception cref="ForbiddenException">Only people have an account of their own.</exception>
    public static PersonId OwnAccount(this Actor actor) =>
        actor is { Kind: ActorKind.Person, Id: { } id } ? new PersonId(id) : throw new ForbiddenException("Only a person has an account.");
}
