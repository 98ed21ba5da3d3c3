using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Portal.E2E.Support;

/// <summary>The management API as a script uses it.</summary>
static class Api
{
    public static async Task<JsonElement> Post(PortalProcess portal, string path, object body) => await Send(portal, HttpMethod.Post, path, body);

    public static async Task<JsonElement> Patch(PortalProcess portal, string path, object body) => await Send(portal, HttpMethod.Patch, path, body);

    public static async Task<JsonElement> Get(PortalProcess portal, string path) => await Send(portal, HttpMethod.Get, path, null);

    static async Task<JsonElement> Send(PortalProcess portal, HttpMethod method, string path, object? body)
    {
        using var request = new HttpRequestMessage(method, path) { Headers = { { "Authorization", $"Bearer {PortalProcess.ApiKey}" } } };
        if (body is not null) request.Content = JsonContent.Create(body);
        using var answer = await portal.Http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"{method} {path}: {(int)answer.StatusCode} {text}");
        return answer.StatusCode == HttpStatusCode.NoContent ? default : JsonDocument.Parse(text).RootElement.Clone();
    }
}
