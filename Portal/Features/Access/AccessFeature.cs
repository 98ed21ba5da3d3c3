using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portal.Account;
using Portal.Domain.Access;
using Portal.Hosting;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Access;

public static class AccessFeature
{
    public static IServiceCollection AddAccess(this IServiceCollection services)
    {
        services.AddSchemes();
        services.AddSingleton<SignedInSessions>().AddSingleton<SignInBrake>().AddSingleton<Passwords>();
        services.AddSingleton(new PasswordHasher<Person>(Options.Create(new PasswordHasherOptions { IterationCount = Passwords.Iterations })));
        services.AddScoped<AuthenticationStateProvider, CircuitIdentity>();
        services.AddSingleton<SignIn>().AddSingleton<RevokeSession>().AddSingleton<RevokeOtherSessions>().AddSingleton<OwnSessions>().AddSingleton<ChangeOwnName>().AddSingleton<ChangeOwnPassword>();
        services.AddSingleton<LinkTarget>().AddSingleton<UseLink>();
        services.AddSingleton<AddPerson>().AddSingleton<IssueLink>().AddSingleton<ChangePerson>().AddSingleton<PeopleList>();
        services.AddSingleton<CreateApiKey>().AddSingleton<RevokeApiKey>().AddSingleton<ApiKeyList>();
        services.AddSingleton<IStartupStep>(s => new FirstAdministrator(s.GetRequiredService<IDbContextFactory<PortalDbContext>>(), s.GetRequiredService<TimeProvider>(), s.GetRequiredService<Passwords>(),
            s.GetRequiredService<PortalAddress>(), s.GetRequiredService<PortalOptions>().Bootstrap, s.GetRequiredService<ILogger<FirstAdministrator>>()));
        services.AddHostedService<ClearStaleAccess>();
        services.AddAccountPages();
        return services;
    }

    public static IEndpointRouteBuilder MapAccess(this IEndpointRouteBuilder app) => app.MapAccountPages();
}
