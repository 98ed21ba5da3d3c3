using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Portal.Features.Access;
using Portal.Tests.Support;

namespace Portal.Tests.Monitoring;

/// <summary>Values of headers and passwords: they reach the target, and nobody else.</summary>
public sealed class MonitorSecretsTests(PortalHost host) : IClassFixture<PortalHost>
{
    async Task<HttpClient> Client() => host.Client((await host.Get<CreateApiKey>().Execute(new("Test", ["monitors:read", "monitors:write", "monitors:private"]), Cast.Alice, default)).Secret);

    static async Task<(HttpStatusCode Status, JsonElement Body, string Text)> Send(HttpClient client, HttpMethod method, string path, object body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = JsonContent.Create(body) };
        using var response = await client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, JsonDocument.Parse(text).RootElement, text);
    }

    [Fact]
    public async Task A_header_reaches_the_target_and_is_shown_nowhere_and_does_not_move_to_another_place()
    {
        const string word = "Zq7-very-secret";
        await using var target = TargetServer.Status(200);
        await using var thief = TargetServer.Status(200);
        using var client = await Client();
        var (status, made, text) = await Send(client, HttpMethod.Post, "/api/v1/monitors", new { name = "With key", kind = "http", target = target.Address, intervalSeconds = 10, timeoutSeconds = 5, allowPrivate = true, method = "POST", body = "{}", secrets = new Dictionary<string, string> { ["X-Api-Key"] = word, ["X-Other"] = "abc" } });
        Assert.Equal(HttpStatusCode.Created, status);
        Assert.Equal(["X-Api-Key", "X-Other"], made.GetProperty("secretNames").EnumerateArray().Select(n => n.GetString()!));
        var id = made.GetProperty("id").GetString();
        await Soon.Comes(() => Task.FromResult(target.Requests.Any(r => r.Contains($"X-Api-Key: {word}", StringComparison.Ordinal))), "a check with the header");

        // Led elsewhere it must be typed again, whether it is named or not.
        foreach (var patch in new object[] { new { target = thief.Address, allowPrivate = true }, new { target = thief.Address, allowPrivate = true, secrets = new Dictionary<string, string?> { ["X-Api-Key"] = null } } })
        {
            var moved = await Send(client, HttpMethod.Patch, $"/api/v1/monitors/{id}", patch);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, moved.Status);
            Assert.Contains("leads to another place", moved.Body.GetProperty("errors").GetProperty("secrets")[0].GetString(), StringComparison.Ordinal);
            text += moved.Text;
        }
        Assert.Empty(thief.Requests);

        // On the same place it stays; what is not named any more is gone.
        var edited = await Send(client, HttpMethod.Patch, $"/api/v1/monitors/{id}", new { target = target.Address + "other", allowPrivate = true, secrets = new Dictionary<string, string?> { ["X-Api-Key"] = null } });
        Assert.Equal((HttpStatusCode.OK, "X-Api-Key"), (edited.Status, edited.Body.GetProperty("secretNames").EnumerateArray().Single().GetString()));
        await Soon.Comes(() => Task.FromResult(target.Requests.Any(r => r.StartsWith("POST /other ", StringComparison.Ordinal) && r.Contains(word, StringComparison.Ordinal) && !r.Contains("X-Other", StringComparison.Ordinal))), "a check with the one that was kept");
        text += edited.Text + await client.GetStringAsync($"/api/v1/monitors/{id}") + await client.GetStringAsync("/api/v1/monitors?limit=200") + await client.GetStringAsync($"/api/v1/monitors/{id}/checks");
        await using var db = host.Database.Open();
        text += string.Concat(await db.Database.SqlQueryRaw<string>("select m::text as \"Value\" from monitors m union all select a::text from audit a union all select coalesce(c.detail, '') from check_results c").ToListAsync());
        Assert.Contains("With key", text, StringComparison.Ordinal);
        Assert.DoesNotContain(word, text, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToHexString(Encoding.UTF8.GetBytes(word)), text, StringComparison.OrdinalIgnoreCase);

        // A copy of the sealed bytes opens in no other row.
        var other = (await Send(client, HttpMethod.Post, "/api/v1/monitors", new { name = "Copy", kind = "http", target = thief.Address, intervalSeconds = 10, timeoutSeconds = 5, allowPrivate = true, paused = true })).Body.GetProperty("id").GetString();
        await db.Database.ExecuteSqlAsync($"update monitors set sealed_secrets = (select sealed_secrets from monitors where id = {Guid.Parse(id!)}) where id = {Guid.Parse(other!)}");
        Assert.Equal(HttpStatusCode.OK, (await client.PostAsync($"/api/v1/monitors/{other}/resume", null)).StatusCode);
        await Soon.Reads(() => client.GetStringAsync($"/api/v1/monitors/{other}"), m => m.Contains("cannot be opened", StringComparison.Ordinal), "a note that the secrets cannot be opened");
        Assert.Empty(thief.Requests);

        var cleared = await Send(client, HttpMethod.Patch, $"/api/v1/monitors/{id}", new { secrets = new Dictionary<string, string?>() });
        Assert.Equal(0, cleared.Body.GetProperty("secretNames").GetArrayLength());
        Assert.Equal(HttpStatusCode.OK, (await Send(client, HttpMethod.Patch, $"/api/v1/monitors/{id}", new { target = thief.Address, allowPrivate = true })).Status);
    }

    [Fact]
    public async Task What_a_kind_expects_is_stored_answered_changed_and_taken_back()
    {
        using var client = await Client();
        var (status, made, _) = await Send(client, HttpMethod.Post, "/api/v1/monitors", new { name = "Options", kind = "http", target = "https://shop.example/", paused = true, expectText = "ok", expectJsonPath = "$.status", expectJsonValue = "up", slowerThanMilliseconds = 800, followRedirects = false, expectCertificateDays = 7 });
        Assert.Equal((HttpStatusCode.Created, "ok", 800, false, 7), (status, made.GetProperty("expectText").GetString(), made.GetProperty("slowerThanMilliseconds").GetInt32(), made.GetProperty("followRedirects").GetBoolean(), made.GetProperty("expectCertificateDays").GetInt32()));
        var id = made.GetProperty("id").GetString();
        var patched = (await Send(client, HttpMethod.Patch, $"/api/v1/monitors/{id}", new { expectText = (string?)null, expectJsonValue = "green" })).Body;
        Assert.Equal((JsonValueKind.Null, "green", 800), (patched.GetProperty("expectText").ValueKind, patched.GetProperty("expectJsonValue").GetString(), patched.GetProperty("slowerThanMilliseconds").GetInt32()));
        var paused = (await Send(client, HttpMethod.Patch, $"/api/v1/monitors/{id}", new { critical = true })).Body;
        Assert.Equal("green", paused.GetProperty("expectJsonValue").GetString());
        var document = await client.GetStringAsync("/openapi/v1.json");
        foreach (var field in Portal.Domain.Monitoring.MonitorOptions.Fields.Keys.Append("secrets").Append("secretNames").Append("/heartbeats/{key}/fail")) Assert.Contains(field, document, StringComparison.Ordinal);
    }
}
