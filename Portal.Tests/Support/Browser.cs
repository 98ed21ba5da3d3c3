using System.Net;
using System.Text.RegularExpressions;

namespace Portal.Tests.Support;

/// <summary>Fills in our own forms: fetches the page, takes its token along.</summary>
sealed partial class Browser(HttpClient client)
{
    readonly Dictionary<string, string> cookies = [];

    public HttpClient Client => client;

    public async Task<string> Get(string path)
    {
        var answer = await Send(new HttpRequestMessage(HttpMethod.Get, path));
        return await answer.Content.ReadAsStringAsync();
    }

    public async Task<HttpResponseMessage> Post(string path, Dictionary<string, string> fields, string? from = null)
    {
        var token = TokenField().Match(await Get(from ?? path));
        Assert.True(token.Success, $"No form at {from ?? path}");
        return await Send(new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new FormUrlEncodedContent(fields.Append(new("__RequestVerificationToken", WebUtility.HtmlDecode(token.Groups[1].Value)))),
        });
    }

    /// <summary>Keeps cookies by itself where the client does not.</summary>
    async Task<HttpResponseMessage> Send(HttpRequestMessage request)
    {
        if (cookies.Count > 0) request.Headers.TryAddWithoutValidation("Cookie", string.Join("; ", cookies.Select(c => $"{c.Key}={c.Value}")));
        var answer = await client.SendAsync(request);
        if (answer.Headers.TryGetValues("Set-Cookie", out var set))
            foreach (var pair in set.Select(c => c.Split(';')[0].Split('=', 2))) cookies[pair[0]] = pair[1];
        return answer;
    }

    [GeneratedRegex("<input type=\"hidden\" name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    internal static partial Regex TokenField();
}
