using System.Net;
using System.Net.Http.Headers;
using Microsoft.EntityFrameworkCore;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Support;

namespace Portal.Tests.Hosting;

/// <summary>Two processes with one external database between them.</summary>
[Collection(Nodes.Name)]
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

    [Fact]
    public async Task Started_at_once_without_an_administrator_both_print_a_link_that_works_until_the_first_is_used()
    {
        var connection = await PostgresServer.Empty();
        var settings = new Dictionary<string, string> { ["Database:ConnectionString"] = connection, ["Security:MasterKeyFile"] = first["keys", "master.key"] };
        await using (var one = PortalProcess.Serve(first.Path, settings))
        await using (var other = PortalProcess.Serve(second.Path, settings))
        {
            var links = await Task.WhenAll(Printed(one), Printed(other));
            var addresses = await Task.WhenAll(one.Ready(), other.Ready());
            foreach (var link in links) Assert.Equal(HttpStatusCode.OK, await Open(link));
            // The link of the one node, used at the other: they are one portal.
            using var client = new HttpClient { BaseAddress = addresses[0] };
            var made = await new Browser(client).Post("/setup", new() { ["token"] = TokenOf(links[1]), ["name"] = "Alice", ["email"] = "alice@example.com", ["password"] = "correct horse battery", ["repeated"] = "correct horse battery" }, from: $"/setup?token={TokenOf(links[1])}");
            Assert.Equal((HttpStatusCode.OK, "/ops"), (made.StatusCode, made.RequestMessage!.RequestUri!.AbsolutePath));
            foreach (var link in links) Assert.Equal(HttpStatusCode.Gone, await Open(link));
        }
        await using (var source = Database.Connect(connection))
        await using (var db = new PortalDbContext(Database.OptionsFor(source))) Assert.Equal("alice@example.com", (await db.People.SingleAsync()).Email);
        await PostgresServer.Drop(connection);
    }

    static async Task<Uri> Printed(PortalProcess portal)
    {
        const string before = "Create the first administrator at ";
        var line = await portal.Line(before);
        return new Uri(line[(line.IndexOf(before, StringComparison.Ordinal) + before.Length)..]);
    }

    static async Task<HttpStatusCode> Open(Uri link)
    {
        using var client = new HttpClient();
        return (await client.GetAsync(link)).StatusCode;
    }

    static string TokenOf(Uri link) => link.Query[(link.Query.IndexOf("token=", StringComparison.Ordinal) + 6)..];

    static int Times(string output, string part) => output.Split(part).Length - 1;

    static async Task<HttpStatusCode> AskWithKey(Uri address)
    {
        using var client = new HttpClient { BaseAddress = address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        return (await client.GetAsync(new Uri("/api/v1/components?limit=1", UriKind.Relative))).StatusCode;
    }
}
