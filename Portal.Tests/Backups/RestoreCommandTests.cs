using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Npgsql;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Postgres;
using Portal.Tests.Monitoring;
using Portal.Tests.Support;

namespace Portal.Tests.Backups;

/// <summary>The machine is gone. What is left: the store, and the recovery sheet.</summary>
[Collection(Nodes.Name)]
[Trait("Category", "Slow")]
public sealed class RestoreCommandTests : IDisposable
{
    const string Key = "restore-0123456789abcdef0123456789abcdef", Password = "correct horse battery", Secret = "a header that is nobody's business";
    readonly ScratchFolder gone = new(), empty = new(), store = new();

    public void Dispose()
    {
        gone.Dispose();
        empty.Dispose();
        store.Dispose();
    }

    [Fact]
    public async Task On_an_empty_folder_store_and_passphrase_bring_back_sign_in_keys_and_the_secrets_of_monitors()
    {
        Directory.CreateDirectory(store.Path);
        var settings = new Dictionary<string, string> { ["Storage:Backups:Path"] = store.Path, ["Bootstrap:AdminEmail"] = "alice@example.com", ["Bootstrap:AdminPassword"] = Password, ["Bootstrap:ApiKey"] = Key, ["Logging:Format"] = "plain" };
        var heard = 0;
        await using var target = new Lines(async (stream, ct) =>
        {
            var buffer = new byte[8_192];
            var request = Encoding.Latin1.GetString(buffer, 0, await stream.ReadAsync(buffer, ct));
            if (request.Contains($"X-Secret: {Secret}", StringComparison.OrdinalIgnoreCase)) Interlocked.Increment(ref heard);
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray(), ct);
        });
        string passphrase;
        await using (var portal = PortalProcess.Serve(gone.Path, settings))
        {
            using var api = Api(await portal.Ready());
            await Made(api, "/api/v1/monitors", new { name = "Guarded", kind = "http", target = $"http://127.0.0.1:{target.Port}/", allowPrivate = true, intervalSeconds = 10, secrets = new Dictionary<string, string> { ["X-Secret"] = Secret } });
            var place = (await api.GetFromJsonAsync<JsonElement>("/api/v1/backup-stores")).GetProperty("items")[0];
            var sheet = $"/api/v1/backup-stores/{place.GetProperty("id").GetString()}/recovery-sheet";
            passphrase = (await Made(api, sheet, new { })).GetProperty("passphrase").GetString()!;
            var groups = passphrase.Split('-');
            using (var confirmed = await api.PostAsJsonAsync($"{sheet}/confirm", new { groups = $"{groups[1]} {groups[4]}" })) Assert.Equal(HttpStatusCode.NoContent, confirmed.StatusCode);
            var job = (await Made(api, "/api/v1/backups", new { target = "portal" })).GetProperty("id").GetString();
            await Soon.Comes(async () => (await api.GetFromJsonAsync<JsonElement>($"/api/v1/jobs/{job}")).GetProperty("state").GetString() == "succeeded", "the backup is made");
            portal.Signal("KILL");
            await portal.Exit();
        }
        gone.Dispose();
        Volatile.Write(ref heard, 0);

        var file = Path.Combine(store.Path, "passphrase");
        await File.WriteAllTextAsync(file, passphrase + "\n");
        await using (var restore = PortalProcess.Start(empty.Path, settings, "restore", "--passphrase-file", file, "--confirm", "RESTORE"))
        {
            var line = await restore.Line("all are equal");
            Assert.DoesNotContain("is kept as", line, StringComparison.Ordinal);
            Assert.Equal(0, await restore.Exit());
            Assert.DoesNotContain(passphrase, restore.Output, StringComparison.Ordinal);
        }

        settings.Remove("Bootstrap:AdminEmail");
        settings.Remove("Bootstrap:AdminPassword");
        settings.Remove("Bootstrap:ApiKey");
        await using (var again = PortalProcess.Serve(empty.Path, settings))
        {
            var address = await again.Ready();
            Assert.Contains("restored from a backup", await again.Line("restored from a backup"), StringComparison.Ordinal);
            using var api = Api(address);
            Assert.Equal(11, (await api.GetFromJsonAsync<JsonElement>("/api/v1/monitors")).GetProperty("items").GetArrayLength());
            using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = address };
            var signedIn = await new Browser(client).Post("/login", new() { ["email"] = "alice@example.com", ["password"] = Password });
            Assert.Equal(HttpStatusCode.SeeOther, signedIn.StatusCode);
            await Soon.Comes(() => Task.FromResult(Volatile.Read(ref heard) > 0), "the monitor sends its secret header");
            // The job that made the backup was working in it: it is over here, and does not begin again.
            var jobs = (await api.GetFromJsonAsync<JsonElement>("/api/v1/jobs?kind=backup")).GetProperty("items").EnumerateArray().Where(j => j.GetProperty("outcome").GetString() != "queued").ToList();
            Assert.Equal("interrupted", Assert.Single(jobs).GetProperty("outcome").GetString());
            Assert.Equal(0, await again.Stop());
        }
    }

    [Fact]
    public async Task A_restored_copy_is_told_from_the_database_that_it_was_made_of_once()
    {
        await using var database = new TestDatabase();
        await database.InitializeAsync();
        await using var source = Database.Connect(database.ConnectionString);
        await using var connection = await source.OpenConnectionAsync();
        Assert.Null(await RecoveryEpoch.Run(connection, default));
        Assert.Null(await RecoveryEpoch.Run(connection, default));
        await OddDatabase.Execute(database.ConnectionString, """
            insert into outbox (id, topic, payload, created_at, due_at, attempts) values (gen_random_uuid(), 'thing.done', '{}', now(), now(), 0), (gen_random_uuid(), 'thing.done', '{}', now(), now(), 1);
            update outbox set done_at = now() where attempts = 1;
            """);
        // What a restore leaves: the name of another database.
        await OddDatabase.Execute(database.ConnectionString, $"update settings set value = '1/2' where key = '{RecoveryEpoch.IdentitySetting}'");
        var recovery = await RecoveryEpoch.Run(connection, default);
        Assert.Equal((1, 1), (recovery!.Number, recovery.Held));
        Assert.Null(await RecoveryEpoch.Run(connection, default));
        Assert.Equal(1L, await OddDatabase.Execute(database.ConnectionString, "select count(*) from outbox where due_at = 'infinity'"));
        Assert.Equal(1L, await OddDatabase.Execute(database.ConnectionString, "select count(*) from audit where action = 'portal.recovered'"));
        await OddDatabase.Execute(database.ConnectionString, $"update settings set value = '1/2' where key = '{RecoveryEpoch.IdentitySetting}'");
        Assert.Equal(2, (await RecoveryEpoch.Run(connection, default))!.Number);
    }

    static HttpClient Api(Uri address) => new() { BaseAddress = address, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", Key) } };

    static async Task<JsonElement> Made(HttpClient api, string path, object body)
    {
        var answer = await api.PostAsJsonAsync(path, body);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }
}
