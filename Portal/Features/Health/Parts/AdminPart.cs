using System.Security.Claims;
using Microsoft.AspNetCore.Authorization;
using Portal.Domain.Access;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Health.Parts;

/// <summary>The administration lets administrators in, keeps others out, and has what it works on.</summary>
sealed class AdminPart(IServiceScopeFactory scopes, SelfCall self, Database database) : IHealthPart
{
    public string Name => "admin";

    public async Task<PartReport> Look(CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var authorization = scope.ServiceProvider.GetRequiredService<IAuthorizationService>();
        var policy = nameof(Permission.ManageComponents);
        if (!(await authorization.AuthorizeAsync(Somebody(Role.Admin), null, policy)).Succeeded) return PartReport.Failing("An administrator would not be let in.");
        if ((await authorization.AuthorizeAsync(Somebody(Role.Staff), null, policy)).Succeeded) return PartReport.Failing("Somebody without the role would be let in.");
        using var stranger = await self.Get("/admin/components", ct);
        if (stranger.StatusCode != System.Net.HttpStatusCode.Redirect || stranger.Headers.Location?.ToString().StartsWith("/login", StringComparison.Ordinal) != true)
            return PartReport.Failing($"A stranger at /admin/components is answered {(int)stranger.StatusCode} instead of being sent to the sign-in.");
        await using var command = database.Source.CreateCommand("select count(*) from people where role = 'Admin' and deactivated_at is null");
        return PartReport.Ok(("administrators", await command.ExecuteScalarAsync(ct)));
    }

    static ClaimsPrincipal Somebody(Role role) => new(new ClaimsIdentity(
        [new(ClaimTypes.NameIdentifier, Guid.Empty.ToString("N")), new(ClaimTypes.Name, "Health"), new(ClaimTypes.Role, role.ToString())], "health"));
}
