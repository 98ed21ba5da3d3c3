using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Portal.Api;
using Portal.Domain.Access;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Hosting;
using Portal.Hosting.Logs;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Support;

namespace Portal.Tests.Api;

/// <summary>The frame of the management API alone, on a real Kestrel, around endpoints that a test gives. A key is named after its scopes: "monitors:read,ops:read".</summary>
sealed class ApiHost(WebApplication app) : IAsyncDisposable
{
    public static async Task<ApiHost> Start(TestDatabase database, Action<RouteGroupBuilder> map, Dictionary<string, string?>? configuration = null, Database? reached = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(TimeProvider.System).AddSingleton(Configured.With([.. (configuration ?? []).Select(c => (c.Key, c.Value))])).AddSingleton(reached ?? database.Database).AddSingleton<IDbContextFactory<PortalDbContext>>(reached ?? database.Database).AddSingleton<CurrentRequest>().AddApi();
        builder.Services.AddAuthentication().AddScheme<AuthenticationSchemeOptions, KeyOfScopes>(Schemes.ApiKey, null);
        builder.Services.AddAuthorization(o =>
        {
            foreach (var permission in Enum.GetValues<Permission>())
                o.AddPolicy(permission.ToString(), p => p.RequireAssertion(c => c.User.ToActor().May(permission)));
        });
        var app = builder.Build();
        app.UseRequestFrame();
        app.UseErrorAnswers();
        app.UseRouting();
        app.UseRateLimiter();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseIdempotentWrites();
        map(app.MapManagementGroup());
        await app.StartAsync();
        return new ApiHost(app);
    }

    public HttpClient Client(string? scopes = "ops:read")
    {
        var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        if (scopes is not null) client.DefaultRequestHeaders.Authorization = new("Bearer", scopes);
        return client;
    }

    public T Get<T>() where T : notnull => app.Services.GetRequiredService<T>();

    public ValueTask DisposeAsync() => app.DisposeAsync();

    sealed class KeyOfScopes(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            var header = Request.Headers.Authorization.ToString();
            if (!header.StartsWith("Bearer ", StringComparison.Ordinal) || header.EndsWith("wrong", StringComparison.Ordinal)) return Task.FromResult(AuthenticateResult.NoResult());
            var identity = new ClaimsIdentity(Schemes.ApiKey);
            identity.AddClaim(new(ClaimTypes.NameIdentifier, "00000000000070008000000000000001"));
            identity.AddClaim(new(ClaimTypes.Name, "Test key"));
            identity.AddClaim(new(ActorSource.KindClaim, nameof(ActorKind.ApiKey)));
            foreach (var scope in header["Bearer ".Length..].Split(',')) identity.AddClaim(new(ActorSource.ScopeClaim, scope));
            return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Schemes.ApiKey)));
        }
    }
}
