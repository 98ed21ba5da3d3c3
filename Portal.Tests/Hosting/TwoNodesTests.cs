using System.Net;
using System.Net.Http.Headers;
using Microsoft.EntityFrameworkCore;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Support;

namespace Portal.Tests.Hosting;

/// <summary>Two processes with one external database between them.</summary>
[Trait("Category", "Slow")]
public sealed class TwoNodesTests : IDisposable
{
    const string Key = "two-nodes-0123456789abcdef0123456789abcdef";
    readonly ScratchFolder first = new(), second = new();

    public void Dispose()
    {
        first.Dispose();
        second.Dispose();
    }

    [Fact]
    public async Task Started_at_once_on_an_empty_database_one_prepares_it_and_both_become_ready()
    {
        var connection = await PostgresServer.Empty();
        var settings = new Dictionary<string, string>
        {
            ["Database:ConnectionString"] = connection,
            ["Security:MasterKeyFile"] = first["keys", "master.key"],
            ["Bootstrap:AdminEmail"] = "alice@example.com",
            ["Bootstrap:AdminPassword"] = "correct horse battery",
            ["Bootstrap:ApiKey"] = Key,
            ["Logging:Format"] = "plain",
        };
        await using (var one = PortalProcess.Serve(first.Path, settings))
        await using (var other = PortalProcess.Serve(second.Path, settings))
        {
            var addresses = await Task.WhenAll(one.Ready(), other.Ready());
            // Ready means that what the configuration gave to the first administrator works, at once and on both.
            foreach (var address in addresses) Assert.Equal(HttpStatusCode.OK, await AskWithKey(address));
            var output = $"{one.Output}\n{other.Output}";
            Assert.Equal(1, Times(output, "Migrating the database: "));
            Assert.Equal(1, Times(output, "The first administrator was made from Bootstrap:AdminEmail"));
            Assert.Equal(1, Times(output, "Bootstrap:* is ignored: an administrator exists"));
            Assert.Equal((0, 0), (await one.Stop(), await other.Stop()));
            Assert.Empty(one.Errors.Concat(other.Errors));
        }
        Assert.True(File.Exists(first["keys", "master.key"]));
        Assert.False(File.Exists(second["keys", "master.key"]));
        await using (var source = Database.Connect(connection))
        await using (var db = new PortalDbContext(Database.OptionsFor(source)))
        {
            Assert.Equal(1, await db.People.CountAsync());
            Assert.Equal(1, await db.ApiKeys.CountAsync());
            Assert.Equal(10, await db.Monitors.CountAsync());
        }
        await PostgresServer.Drop(connection);
    }

    static int Times(string output, string part) => output.Split(part).Length - 1;

    static async Task<HttpStatusCode> AskWithKey(Uri address)
    {
        using var client = new HttpClient { BaseAddress = address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        return (await client.GetAsync(new Uri("/api/v1/components?limit=1", UriKind.Relative))).StatusCode;
    }
}
