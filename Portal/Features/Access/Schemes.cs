using Microsoft.AspNetCore.Authorization;
using Portal.Domain.Shared;

namespace Portal.Features.Access;

/// <summary>The two ways to be known: a browser's session for screens, a key for programs. Neither opens the other's doors.</summary>
public static class Schemes
{
    public const string Session = "Session";
    public const string ApiKey = "ApiKey";

    /// <summary>One policy for each permission, named like it. What has no rule of its own wants at least somebody signed in.</summary>
    public static IServiceCollection AddSchemes(this IServiceCollection services)
    {
        services.AddAuthentication(Session)
            .AddScheme<Microsoft.AspNetCore.Authentication.AuthenticationSchemeOptions, SessionHandler>(Session, null)
            .AddScheme<Microsoft.AspNetCore.Authentication.AuthenticationSchemeOptions, ApiKeyHandler>(ApiKey, null);
        services.AddAuthorization(options =>
        {
            options.FallbackPolicy = options.DefaultPolicy = new AuthorizationPolicyBuilder(Session).RequireAuthenticatedUser().Build();
            foreach (var permission in Enum.GetValues<Permission>())
                options.AddPolicy(permission.ToString(), policy => policy.AddRequirements(new PermissionRequirement(permission)));
        });
        services.AddSingleton<IAuthorizationHandler, PermissionHandler>();
        return services;
    }
}
