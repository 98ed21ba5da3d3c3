using Microsoft.AspNetCore.Authorization;
using Portal.Domain.Shared;

namespace Portal.Features.Access;

public sealed record PermissionRequirement(Permission Permission) : IAuthorizationRequirement;

sealed class PermissionHandler : AuthorizationHandler<PermissionRequirement>
{
    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, PermissionRequirement requirement)
    {
        if (context.User.Identity?.IsAuthenticated == true && context.User.ToActor().May(requirement.Permission))
            context.Succeed(requirement);
        return Task.CompletedTask;
    }
}
