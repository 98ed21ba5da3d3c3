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
}
