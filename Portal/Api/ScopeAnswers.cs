using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Portal.Components;
using Portal.Domain.Access;
using Portal.Domain.Shared;
using Portal.Features.Access;

namespace Portal.Api;

/// <summary>Refuses under <c>/api/v1</c> as programs expect: 401 without a key, 403 with the name of the missing scope. Elsewhere the scheme answers.</summary>
/// <remarks>An address that does not exist, or does not take the method, is answered as that: it must not send anybody to the sign-in page.</remarks>
sealed class ScopeAnswers : IAuthorizationMiddlewareResultHandler
{
    readonly AuthorizationMiddlewareResultHandler usual = new();

    public Task HandleAsync(RequestDelegate next, HttpContext context, AuthorizationPolicy policy, PolicyAuthorizationResult authorizeResult)
    {
        if (context.GetEndpoint() is not RouteEndpoint endpoint) return next(context);
        if (endpoint.Metadata.GetMetadata<KeysOnly>() is null) return usual.HandleAsync(next, context, policy, authorizeResult);
        if (!IsKey(context.User)) return RefuseStranger(context);
        if (authorizeResult.Succeeded) return next(context);
        var missing = Needed(endpoint).Where(p => !context.User.ToActor().May(p)).Select(Permissions.ScopeOf).FirstOrDefault();
        return (missing is null ? Problem.Of(403, "This key may not do this.") : MissingScope(missing)).Write(context);
    }

    /// <summary>While the database is away nobody can be known: that is not the key's fault.</summary>
    static async Task RefuseStranger(HttpContext context)
    {
        var failure = (await context.AuthenticateAsync(Schemes.ApiKey)).Failure;
        await Problem.Of(failure is not null && Refusal.IsDatabaseAway(failure) ? 503 : 401).Write(context);
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
