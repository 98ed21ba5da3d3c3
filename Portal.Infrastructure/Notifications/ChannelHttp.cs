using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Portal.Infrastructure.Monitoring;

namespace Portal.Infrastructure.Notifications;

/// <summary>One request of a channel through the guard: nothing followed, nothing kept, bounded in time and size. What goes wrong becomes an outcome that names the host and never the address, which may be the secret.</summary>
public sealed class ChannelHttp(GuardedConnector connector, TimeProvider clock)
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    /// <summary>Whoever asks for more is not waited for longer.</summary>
    static readonly TimeSpan LongestRetryAfter = TimeSpan.FromHours(1);
    const int LargestAnswer = 64 * 1024;

    /// <summary>Who is trusted in place of the machine's own authorities; null trusts those.</summary>
    public X509Certificate2Collection? Roots { get; init; }

    public DateTimeOffset Now => clock.GetUtcNow();

    /// <param name="read">What an answer of this service means beyond its status; null where it is no different.</param>
    public async Task<SendOutcome> Send(HttpRequestMessage request, ChannelSettings settings, Func<int, JsonNode?, SendOutcome?>? read, CancellationToken ct)
    {
        var url = request.RequestUri!;
        string? certificate = null;
        using var limit = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
        try
        {
            var passage = settings.AllowPrivate ? Passage.Consented : Passage.PublicOnly;
            using var client = new HttpMessageInvoker(GuardedHandler.For(connector, passage, clock, static () => { }, url.Host, refusal => certificate = refusal, either.Token, roots: Roots));
            (request.Version, request.VersionPolicy, request.Headers.ConnectionClose) = (HttpVersion.Version11, HttpVersionPolicy.RequestVersionExact, true);
            request.Headers.UserAgent.Add(new ProductInfoHeaderValue("Portal", "1.0"));
            using var response = await client.SendAsync(request, either.Token);
            var text = await Read(response, either.Token);
            return Judge(url.Host, response, text, settings, read);
        }
        catch (Exception) when (ct.IsCancellationRequested)
        {
            throw new OperationCanceledException(ct);
        }
        catch (Exception e)
        {
            if (limit.IsCancellationRequested) return new SendOutcome.Transient($"{url.Host} did not answer within {Patience.TotalSeconds:0} s.");
            return certificate is not null ? new SendOutcome.Transient($"{url.Host}: {settings.Shown(certificate)}") : Words(e, url);
        }
        finally
        {
            request.Dispose();
        }
    }

    public Task<SendOutcome> Post(string url, JsonNode body, ChannelSettings settings, Func<int, JsonNode?, SendOutcome?>? read, CancellationToken ct) =>
        Send(new HttpRequestMessage(HttpMethod.Post, url) { Content = Json(body) }, settings, read, ct);

    public static StringContent Json(JsonNode body) => new(body.ToJsonString(), Encoding.UTF8, "application/json");

    static SendOutcome Judge(string host, HttpResponseMessage response, string text, ChannelSettings settings, Func<int, JsonNode?, SendOutcome?>? read)
    {
        var code = (int)response.StatusCode;
        var json = Parse(text);
        var own = read?.Invoke(code, json);
        if (own is SendOutcome.Taken) return own;
        var said = (own as SendOutcome.Permanent)?.Reason ?? (own as SendOutcome.Transient)?.Reason ?? text;
        var words = $"{host} answered {code.ToString(CultureInfo.InvariantCulture)}{(said.Length == 0 ? "." : $": {settings.Shown(said)}")}";
        if (own is SendOutcome.Permanent) return new SendOutcome.Permanent(words);
        var after = (own as SendOutcome.Transient)?.RetryAfter ?? RetryAfter(response);
        if (own is SendOutcome.Transient || code is 408 or 425 or 429 or >= 500) return new SendOutcome.Transient(words, after is { } wait ? Min(wait, LongestRetryAfter) : null);
        if (code is >= 300 and < 400) return new SendOutcome.Permanent($"{host} answered {code.ToString(CultureInfo.InvariantCulture)}: messages follow no redirects. Enter the address that it leads to.");
        return code is >= 200 and < 300 ? new SendOutcome.Taken() : new SendOutcome.Permanent(words);
    }

    static TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } wait } => wait,
        { Date: { } at } when response.Headers.Date is { } now && at > now => at - now,
        _ => null,
    };

    static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    static async Task<string> Read(HttpResponseMessage response, CancellationToken ct)
    {
        await using var body = await response.Content.ReadAsStreamAsync(ct);
        var buffer = new byte[LargestAnswer];
        var total = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct);
        return Encoding.UTF8.GetString(buffer, 0, total).Trim();
    }

    static JsonNode? Parse(string text)
    {
        try
        {
            return text.Length > 0 && text[0] is '{' or '[' ? JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { MaxDepth = 16 }) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static SendOutcome Words(Exception e, Uri url)
    {
        for (var inner = e; inner is not null; inner = inner.InnerException)
            switch (inner)
            {
                case PassageRefusedException:
                    return new SendOutcome.Permanent(inner.Message);
                case NameUnknownException:
                    return new SendOutcome.Transient(inner.Message);
                case SocketException { SocketErrorCode: SocketError.ConnectionRefused }:
                    return new SendOutcome.Transient($"{url.Authority} refused the connection.");
                case SocketException:
                    return new SendOutcome.Transient($"No connection to {url.Authority}.");
                case AuthenticationException:
                    return new SendOutcome.Transient($"The TLS handshake with {url.Host} failed.");
            }
        return new SendOutcome.Transient($"{url.Host}: {HttpWords.For(e) ?? "The connection ended before the answer was complete."}");
    }
}

/// <summary>Reads what services answer, whatever they answer.</summary>
public static class JsonAnswers
{
    public static string? Text(this JsonNode? node, params string[] path)
    {
        foreach (var name in path) node = node is JsonObject o ? o[name] : null;
        return node is JsonValue value ? value.ToString() : null;
    }

    public static TimeSpan? Seconds(this JsonNode? node, params string[] path) =>
        double.TryParse(node.Text(path), NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0 and < 86_400 ? TimeSpan.FromSeconds(Math.Ceiling(seconds)) : null;
}
