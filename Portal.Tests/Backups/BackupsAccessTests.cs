using System.Net;
using System.Reflection;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Endpoints;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Features.Backups;
using Portal.Tests.Access;
using Portal.Tests.Support;

namespace Portal.Tests.Backups;

/// <summary>Who has no rights on backups reaches none of their screens and none of their addresses, whichever there are.</summary>
public sealed class BackupsAccessTests(PortalHost host) : IClassFixture<PortalHost>, IDisposable
{
    static readonly Permission[] Rights = [Permission.ViewBackups, Permission.ManageBackups, Permission.RestoreBackups];
    readonly Settlers settlers = new(host.Database.Contexts, TimeProvider.System);

    public void Dispose() => settlers.Dispose();

    List<RouteEndpoint> Routes => [.. host.Get<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().Where(e => e.Metadata.GetMetadata<MethodInfo>()?.DeclaringType == typeof(BackupsApi))];

    List<RouteEndpoint> Pages => [.. host.Get<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().Where(e => e.Metadata.GetMetadata<ComponentTypeMetadata>()?.Type.Namespace == typeof(BackupsApi).Namespace)];

    static string Need(RouteEndpoint endpoint) => endpoint.Metadata.GetOrderedMetadata<IAuthorizeData>().Last(a => a.Policy is not null).Policy!;

    /// <summary>Of something that is there, so that no refusal comes from its absence.</summary>
    async Task<string> Address(RouteEndpoint endpoint)
    {
        await using var db = host.Database.Open();
        var (target, store) = (await db.BackupTargets.SingleAsync(), await db.BackupStores.SingleAsync());
        var pattern = endpoint.RoutePattern.RawText!;
        return "/" + string.Join('/', endpoint.RoutePattern.PathSegments.Select(s => s.Parts[0] switch
        {
            RoutePatternLiteralPart literal => literal.Content,
            _ when pattern.Contains("targets", StringComparison.Ordinal) => target.Name,
            _ when pattern.Contains("stores", StringComparison.Ordinal) => store.Id.ToString(),
            _ => "0198a1b2c3d47e5f8a9b0c1d2e3f4a5b",
        }));
    }

    async Task<HttpResponseMessage> Ask(HttpClient client, RouteEndpoint endpoint)
    {
        var method = endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods[0] ?? "GET";
        using var request = new HttpRequestMessage(new HttpMethod(method), await Address(endpoint));
        if (method is "POST" or "PUT" or "PATCH") request.Content = new StringContent("""{"target":"portal","name":"x","path":"/tmp","confirm":"RESTORE","groups":"A-B"}""", System.Text.Encoding.UTF8, "application/json");
        return await client.SendAsync(request);
    }

    async Task<HttpClient> With(params IEnumerable<string> scopes) => host.Client((await host.Get<CreateApiKey>().Execute(new("Robot", [.. scopes]), Cast.Alice, default)).Secret);

    async Task<HttpClient> As(Role role)
    {
        var client = host.Client();
        client.DefaultRequestHeaders.Add("Cookie", $"{SessionCookie.PlainName}={await settlers.SignedIn(await settlers.Settle(role.ToString(), role))}");
        return client;
    }

    async Task<(int Runs, int Targets, int Restores, string? Sheet)> Stands()
    {
        await using var db = host.Database.Open();
        return (await db.JobRuns.CountAsync(r => r.RequestedBy.StartsWith("Robot") || r.RequestedBy == "Staff"), await db.BackupTargets.CountAsync(t => t.RemovedAt == null), await db.Restores.CountAsync(), (await db.BackupStores.SingleAsync()).PendingKey);
    }

    [Fact]
    public async Task Staff_are_refused_each_page_of_backups_and_administrators_see_it()
    {
        using var staff = await As(Role.Staff);
        using var admin = await As(Role.Admin);
        Assert.True(Pages.Count >= 6, $"{Pages.Count} pages were found.");
        Assert.All(Pages, p => Assert.StartsWith("/admin/backups", p.RoutePattern.RawText, StringComparison.Ordinal));
        foreach (var page in Pages)
        {
            using var refused = await Ask(staff, page);
            Assert.Equal((page.RoutePattern.RawText, HttpStatusCode.Forbidden), (page.RoutePattern.RawText, refused.StatusCode));
            Assert.Contains("needs a right", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            using var opened = await Ask(admin, page);
            Assert.True(opened.StatusCode is HttpStatusCode.OK or HttpStatusCode.NotFound, $"{page.RoutePattern.RawText}: {opened.StatusCode}");
        }
    }

    [Fact]
    public async Task Every_address_of_backups_refuses_a_key_without_its_own_scope_and_changes_nothing()
    {
        var before = await Stands();
        Assert.True(Routes.Count >= 13, $"{Routes.Count} addresses were found.");
        Assert.Equal(Rights.Select(r => r.ToString()).Order(), Routes.Select(Need).Distinct().Order());
        Assert.All(Routes, r => Assert.True(Need(r) == nameof(Permission.ViewBackups) == (r.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods[0] == "GET"), $"{r.RoutePattern.RawText} changes something by a right to see"));
        foreach (var endpoint in Routes)
        {
            var scope = Permissions.ScopeOf(Enum.Parse<Permission>(Need(endpoint)));
            // All others, those of staff, and none that has anything to do with backups but the neighbouring ones.
            foreach (var scopes in new[] { Permissions.Scopes.Where(s => s != scope), Permissions.Of(Role.Staff).Select(Permissions.ScopeOf), Rights.Select(Permissions.ScopeOf).Where(s => s != scope) })
            {
                using var client = await With(scopes);
                using var answer = await Ask(client, endpoint);
                Assert.Equal((endpoint.RoutePattern.RawText, HttpStatusCode.Forbidden), (endpoint.RoutePattern.RawText, answer.StatusCode));
                Assert.Contains(scope, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            }
        }
        Assert.Equal(before, await Stands());

        // It is the scope that was missing: with it each is answered in another way.
        foreach (var endpoint in Routes.Where(r => Need(r) == nameof(Permission.ViewBackups)))
        {
            using var client = await With(Permissions.ScopeOf(Permission.ViewBackups));
            using var answer = await Ask(client, endpoint);
            Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.NotFound, $"{endpoint.RoutePattern.RawText}: {answer.StatusCode}");
        }
    }
}
