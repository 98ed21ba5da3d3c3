using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Portal.Domain.Monitoring;

namespace Portal.Infrastructure.Monitoring;

/// <summary>A request over http or https through the guarded connector. Nothing that the target does makes it throw.</summary>
/// <remarks>
/// Every check has connections of its own: what was allowed for one monitor is never reused by another, a changed name is seen at
/// once, and the measured time is that of a new visitor. No proxy, no cookies, no decompression, no downloads for certificate chains.
/// Headers and body go to the target's own scheme, host and port alone, wherever a redirect leads.
/// </remarks>
public sealed class HttpProbe(GuardedConnector connector, TimeProvider clock) : Probe(clock)
{
    public const int LargestBody = 64 * 1024;
    public const int MostRedirects = 5;
    /// <summary>In which a part that is not configured may say why.</summary>
    public const string NoteHeader = "X-Part-Note";

    public override MonitorKind Kind => MonitorKind.Http;

    /// <summary>Who is trusted in place of the machine's own authorities; null trusts those.</summary>
    public X509Certificate2Collection? Roots { get; init; }

    sealed record Answer(int Code, Uri? Redirect, string? Note, string Text, bool Cut, DateTimeOffset? CertificateEnds);

    protected override async Task<ProbeAnswer> Try(ProbeRequest request, Progress look, CancellationToken ct)
    {
        var seen = new HashSet<Uri> { request.Target };
        // Whoever expects nothing but a redirect wants to see it, not where it leads.
        var follows = request.Options.FollowRedirects ?? !request.Expect.AreRedirects;
        var method = new HttpMethod(request.Options.Method ?? "GET");
        while (true)
        {
            var answer = await Ask(request, method, look, ct);
            if (Expiring(request, look, answer) is { } soon) return Down(soon, answer.Code);
            if (answer.Redirect is not { } next || !follows) return Judge(request, answer);
            if (next.Scheme is not ("http" or "https")) return Down($"{look.Url.Host} redirected to an address that is neither http nor https.", answer.Code);
            if (!seen.Add(next)) return Down("Redirects in a loop.", answer.Code);
            if (seen.Count > MostRedirects + 1) return Down($"More than {MostRedirects} redirects.", answer.Code);
            // As browsers do: what was posted is posted again only where the answer says so.
            if (answer.Code is 303 && method != HttpMethod.Head || answer.Code is 301 or 302 && method == HttpMethod.Post) method = HttpMethod.Get;
            if (method != HttpMethod.Get && request.Options.Body is not null && !IsOwnOrigin(request.Target, next)) return Down($"{look.Url.Host} redirected the {method} to {next.Host}; its body is sent to no other place.", answer.Code);
            (look.From, look.Url, look.Status) = (look.Url, next, null);
        }
    }

    async Task<Answer> Ask(ProbeRequest request, HttpMethod method, Progress look, CancellationToken ct)
    {
        var passage = IsOwnPlace(request.Target, look.Url)
            ? request.Passage
            : Passage.PublicOnly;
        DateTimeOffset? ends = null;
        using var client = new HttpMessageInvoker(GuardedHandler.For(connector, passage, Clock, () => look.Stage = Stage.Waiting, look.Url.Host, refusal => look.Certificate = refusal, ct, until => ends = until, Roots));
        look.Stage = Stage.Connecting;
        using var message = Message(request, method, look.Url);
        using var response = await client.SendAsync(message, ct);
        var code = (int)response.StatusCode;
        look.Status = code;
        var redirect = code is 301 or 302 or 303 or 307 or 308 && response.Headers.Location is { } location ? new Uri(look.Url, location) : null;
        var (text, cut) = redirect is null || request.Options.FollowRedirects == false ? await Read(response, ct) : ("", false);
        var note = response.Headers.TryGetValues(NoteHeader, out var values) ? Shown(string.Join(' ', values)) : null;
        return new(code, redirect, note, text, cut, ends);
    }

    static HttpRequestMessage Message(ProbeRequest request, HttpMethod method, Uri url)
    {
        var message = new HttpRequestMessage(method, url) { Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        message.Headers.ConnectionClose = true;
        if (IsOwnOrigin(request.Target, url))
        {
            if (request.Options.Body is { } body && method != HttpMethod.Get && method != HttpMethod.Head)
                message.Content = new StringContent(body, Encoding.UTF8, body.AsSpan().TrimStart() is ['{' or '[', ..] ? "application/json" : "text/plain");
            foreach (var (name, value) in request.Secrets)
            {
                if (message.Headers.TryAddWithoutValidation(name, value) || message.Content is null) continue;
                message.Content.Headers.Remove(name);
                message.Content.Headers.TryAddWithoutValidation(name, value);
            }
        }
        if (!message.Headers.Contains("User-Agent")) message.Headers.UserAgent.Add(new ProductInfoHeaderValue("Portal-Monitor", "1.0"));
        if (!message.Headers.Contains("Accept")) message.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("*/*"));
        return message;
    }

    /// <summary>The target's own host and port, which alone an administrator's consent is for.</summary>
    static bool IsOwnPlace(Uri target, Uri url) =>
        string.Equals(target.IdnHost, url.IdnHost, StringComparison.OrdinalIgnoreCase) && target.Port == url.Port;

    static bool IsOwnOrigin(Uri target, Uri url) => target.Scheme == url.Scheme && IsOwnPlace(target, url);

    /// <summary>Up to 64 KB: enough to see that the answer comes; the rest is dropped by closing.</summary>
    static async Task<(string Text, bool Cut)> Read(HttpResponseMessage response, CancellationToken ct)
    {
        await using var body = await response.Content.ReadAsStreamAsync(ct);
        var (buffer, total) = (new byte[LargestBody], 0);
        for (int read; total < buffer.Length && (read = await body.ReadAsync(buffer.AsMemory(total), ct)) > 0;) total += read;
        var cut = total == buffer.Length && (response.Content.Headers.ContentLength ?? long.MaxValue) > total;
        return (CharacterSet(response.Content.Headers.ContentType?.CharSet).GetString(buffer, 0, total), cut);
    }

    static Encoding CharacterSet(string? name)
    {
        try
        {
            return name is null ? Encoding.UTF8 : Encoding.GetEncoding(name.Trim('"'));
        }
        // Unknown, or one that is no longer read because it hides things.
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return Encoding.UTF8;
        }
    }

    /// <summary>Of the target's own certificate; where a redirect leads is somebody else's.</summary>
    string? Expiring(ProbeRequest request, Progress look, Answer answer) =>
        request.Options.ExpectCertificateDays is { } days && !request.IsSelf && answer.CertificateEnds is { } ends && IsOwnPlace(request.Target, look.Url)
            ? Certificates.EndsSoon(ends, days, Clock.GetUtcNow()) : null;

    static ProbeAnswer Judge(ProbeRequest request, Answer answer) => answer switch
    {
        { Code: 204 } when request.IsSelf => new(CheckOutcome.NotConfigured, default, 204, answer.Note ?? "Not configured."),
        _ when !request.Expect.Contains(answer.Code) => Down($"Answered {answer.Code}{Reason(answer.Code)}; expected {request.Expect}.{(answer.Note is null ? "" : " " + answer.Note)}", answer.Code),
        _ when TextRules.Any(request.Options) && TextRules.Refusal(request.Options, answer.Text, answer.Cut) is { } why => Down(why, answer.Code),
        _ => new(CheckOutcome.Up, default, answer.Code, null),
    };

    static string Reason(int code) => Enum.IsDefined((HttpStatusCode)code) ? $" ({(HttpStatusCode)code})" : "";

    protected override string? Words(Exception e, Progress look)
    {
        for (var inner = e; look.From is not null && inner is not null; inner = inner.InnerException)
            if (inner is PassageRefusedException refused)
            {
                var place = refused.Host == refused.Address.ToString() ? $"{refused.Address}" : $"{refused.Address} ({refused.Host})";
                return $"{look.From.Host} redirected to the {AddressRules.WordFor(refused.Address)} address {place}, which is not allowed.";
            }
        return base.Words(e, look) ?? HttpWords.For(e) ?? (e is UriFormatException ? $"{look.Url.Host} redirected to an address that cannot be read." : null);
    }
}

/// <summary>What goes wrong with any answer over HTTP.</summary>
static class HttpWords
{
    public static string? For(Exception e) => e switch
    {
        { InnerException: HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded } } => "The connection ended before the answer was complete.",
        HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded } => "The connection ended before the answer was complete.",
        HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } => "The answer's head is larger than 64 KB.",
        HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse } => "The answer is not valid HTTP.",
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => "The TLS handshake failed.",
        HttpRequestException { HttpRequestError: HttpRequestError.HttpProtocolError } => "The answer is not valid HTTP/2.",
        _ => null,
    };
}
