using System.Security.Claims;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Portal.Domain.Access;
using Portal.Domain.Shared;
using Portal.Features.Access;

namespace Portal.Api;

/// <summary>Refuses under <c>/api/v1</c> as programs expect: 401 without a key, 403 with the name of the missing scope. Elsewhere the scheme answers.</summary>
sealed class ScopeAnswers : IAuthorizationMiddlewareResultHandler
{
    readonly AuthorizationMiddlewareResultHandler usual = new();

    public Task HandleAsync(RequestDelegate next, HttpContext context, AuthorizationPolicy policy, PolicyAuthorizationResult authorizeResult)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<KeysOnly>() is null) return usual.HandleAsync(next, context, policy, authorizeResult);
        if (!IsKey(context.User)) return Problem.Of(401).Write(context);
        if (authorizeResult.Succeeded) return next(context);
        var missing = Needed(context.GetEndpoint()!).Where(p => !context.User.ToActor().May(p)).Select(Permissions.ScopeOf).FirstOrDefault();
        return (missing is null ? Problem.Of(403, "This key may not do this.") : MissingScope(missing)).Write(context);
    }

    public static Problem MissingScope(string scope) => Problem.Of(403, $"The key lacks the scope \"{scope}\". An administrator can create a key that has it.") with { Scope = scope };

    /// <summary>The permissions that an endpoint asks for: its policies are named after them.</summary>
    public static IEnumerable<Permission> Needed(Endpoint endpoint) =>
        endpoint.Metadata.GetOrderedMetadata<IAuthorizeData>().Select(a => a.Policy)
            .Where(p => Enum.TryParse<Permission>(p, out _)).Select(p => Enum.Parse<Permission>(p!)).Distinct();

    static bool IsKey(ClaimsPrincipal user) => user.Identity?.IsAuthenticated == true && user.FindFirstValue(ActorSource.KindClaim) == nameof(ActorKind.ApiKey);
}

/// <summary>Marks endpoints that take a key and nothing else: a browser's cookie would need protection against forged requests.</summary>
public sealed class KeysOnly;
