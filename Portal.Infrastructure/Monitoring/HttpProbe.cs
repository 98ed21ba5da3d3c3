using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Portal.Domain.Monitoring;

namespace Portal.Infrastructure.Monitoring;

/// <summary>GET over http or https through the guarded connector. Nothing that the target does makes it throw.</summary>
/// <remarks>
/// Every check has connections of its own: what was allowed for one monitor is never reused by another, a changed name is seen at
/// once, and the measured time is that of a new visitor. No proxy, no cookies, no decompression, no downloads for certificate chains.
/// </remarks>
public sealed class HttpProbe(GuardedConnector connector, TimeProvider clock) : IProbe
{
    public const int LargestBody = 64 * 1024;
    public const int MostRedirects = 5;
    /// <summary>In which a part that is not configured may say why.</summary>
    public const string NoteHeader = "X-Part-Note";

    public MonitorKind Kind => MonitorKind.Http;

    public async Task<ProbeAnswer> Look(ProbeRequest request, CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        using var limit = new CancellationTokenSource(request.Timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
        var look = new Progress();
        ProbeAnswer verdict;
        try
        {
            verdict = await Follow(request, look, either.Token);
        }
        catch (Exception) when (ct.IsCancellationRequested)
        {
            throw new OperationCanceledException(ct);
        }
        catch (Exception e)
        {
            verdict = Down(look.Status, limit.IsCancellationRequested ? TooSlow(request, look) : Words(e, look));
        }
        return verdict with { Duration = clock.GetElapsedTime(began) };
    }

    async Task<ProbeAnswer> Follow(ProbeRequest request, Progress look, CancellationToken ct)
    {
        var seen = new HashSet<Uri> { request.Target };
        look.Url = request.Target;
        // Whoever expects nothing but a redirect wants to see it, not where it leads.
        var follows = !request.Expect.Ranges.All(r => r is { From: >= 300, To: < 400 });
        while (true)
        {
            var status = await Get(request, look, ct);
            if (status.Redirect is not { } next || !follows) return Judge(request, status);
            if (next.Scheme is not ("http" or "https")) return Down(status.Code, $"{look.Url.Host} redirected to an address that is neither http nor https.");
            if (!seen.Add(next)) return Down(status.Code, "Redirects in a loop.");
            if (seen.Count > MostRedirects + 1) return Down(status.Code, $"More than {MostRedirects} redirects.");
            (look.From, look.Url, look.Status) = (look.Url, next, null);
        }
    }

    async Task<(int Code, Uri? Redirect, string? Note)> Get(ProbeRequest request, Progress look, CancellationToken ct)
    {
        var passage = IsOwnPlace(request.Target, look.Url!)
            ? request.IsSelf ? Passage.Self : request.AllowPrivate ? Passage.Consented : Passage.PublicOnly
            : Passage.PublicOnly;
        using var client = new HttpMessageInvoker(Handler(look, passage, ct));
        using var message = new HttpRequestMessage(HttpMethod.Get, look.Url) { Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        message.Headers.UserAgent.Add(new ProductInfoHeaderValue("Portal-Monitor", "1.0"));
        message.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("*/*"));
        message.Headers.ConnectionClose = true;
        using var response = await client.SendAsync(message, ct);
        var code = (int)response.StatusCode;
        look.Status = code;
        var redirect = code is 301 or 302 or 303 or 307 or 308 && response.Headers.Location is { } location ? new Uri(look.Url!, location) : null;
        if (redirect is null) await Read(response, ct);
        var note = response.Headers.TryGetValues(NoteHeader, out var values) ? Short(string.Join(' ', values)) : null;
        return (code, redirect, note);
    }

    /// <summary>The target's own host and port, which alone an administrator's consent is for.</summary>
    static bool IsOwnPlace(Uri target, Uri url) =>
        string.Equals(target.IdnHost, url.IdnHost, StringComparison.OrdinalIgnoreCase) && target.Port == url.Port;

    /// <summary>Up to 64 KB: enough to see that the answer comes; the rest is dropped by closing.</summary>
    static async Task Read(HttpResponseMessage response, CancellationToken ct)
    {
        await using var body = await response.Content.ReadAsStreamAsync(ct);
        var buffer = new byte[8 * 1024];
        for (var total = 0; total < LargestBody;)
        {
            var read = await body.ReadAsync(buffer, ct);
            if (read == 0) return;
            total += read;
        }
    }

    static ProbeAnswer Judge(ProbeRequest request, (int Code, Uri? Redirect, string? Note) status) => status switch
    {
        { Code: 204 } when request.IsSelf => new(CheckOutcome.NotConfigured, default, 204, status.Note ?? "Not configured."),
        _ when request.Expect.Contains(status.Code) => new(CheckOutcome.Up, default, status.Code, null),
        _ => Down(status.Code, $"Answered {status.Code}{Reason(status.Code)}; expected {request.Expect}.{(status.Note is null ? "" : " " + status.Note)}"),
    };

    static string Reason(int code) => Enum.IsDefined((HttpStatusCode)code) ? $" ({(HttpStatusCode)code})" : "";

    SocketsHttpHandler Handler(Progress look, Passage passage, CancellationToken request) => new()
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        PreAuthenticate = false,
        PooledConnectionLifetime = TimeSpan.Zero,
        MaxResponseDrainSize = 0,
        ResponseDrainTimeout = TimeSpan.Zero,
        MaxResponseHeadersLength = 64,
        ConnectTimeout = Timeout.InfiniteTimeSpan,
        // The handler's own token outlives a request that was given up: the connection must not.
        ConnectCallback = async (context, _) =>
        {
            look.Stage = Stage.Connecting;
            var stream = await connector.Connect(context.DnsEndPoint.Host, context.DnsEndPoint.Port, passage, clock, request);
            look.Stage = Stage.Waiting;
            return stream;
        },
        SslOptions = new SslClientAuthenticationOptions
        {
            // A certificate may name an address to fetch its issuer from: that would be a way around the guard.
            CertificateChainPolicy = new X509ChainPolicy { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck },
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            {
                if (errors == SslPolicyErrors.None || passage == Passage.Self) return true;
                look.Certificate = CertificateWords(certificate as X509Certificate2, chain, errors, look.Url!.Host, clock.GetUtcNow());
                return false;
            },
        },
    };

    static string CertificateWords(X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors, string host, DateTimeOffset now)
    {
        static string Day(DateTime at) => at.ToUniversalTime().ToString("d MMM yyyy, HH:mm 'UTC'", CultureInfo.InvariantCulture);
        if (certificate is null) return "The server showed no certificate.";
        if (certificate.NotAfter.ToUniversalTime() < now) return $"The certificate expired on {Day(certificate.NotAfter)}.";
        if (certificate.NotBefore.ToUniversalTime() > now) return $"The certificate is valid only from {Day(certificate.NotBefore)}.";
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)) return $"The certificate is for another name than {host}.";
        if (certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData)) return "The certificate is self-signed and not trusted.";
        var why = chain?.ChainStatus.Select(s => s.Status).FirstOrDefault(s => s != X509ChainStatusFlags.NoError);
        return why == X509ChainStatusFlags.NotTimeValid ? "A certificate in the chain has expired." : "The certificate's issuer is not trusted, or its chain is incomplete.";
    }

    static string TooSlow(ProbeRequest request, Progress look)
    {
        var within = request.Timeout.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture);
        if (look.Status is not null) return $"The answer was not complete within {within} s.";
        return look.Stage == Stage.Connecting ? $"No connection to {look.Url!.Host} within {within} s." : $"No answer within {within} s.";
    }

    static string Words(Exception e, Progress look)
    {
        if (look.Certificate is { } certificate) return certificate;
        for (var inner = e; inner is not null; inner = inner.InnerException)
            switch (inner)
            {
                case PassageRefusedException refused when look.From is { } from:
                    var place = refused.Host == refused.Address.ToString() ? $"{refused.Address}" : $"{refused.Address} ({refused.Host})";
                    return $"{from.Host} redirected to the {AddressRules.WordFor(refused.Address)} address {place}, which is not allowed.";
                case PassageRefusedException or NameUnknownException:
                    return inner.Message;
                case SocketException socket:
                    return SocketWords(socket, look);
                case AuthenticationException:
                    return "The TLS handshake failed.";
            }
        return e switch
        {
            HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded } => "The connection ended before the answer was complete.",
            HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } => "The answer's head is larger than 64 KB.",
            HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse } => "The answer is not valid HTTP.",
            HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => "The TLS handshake failed.",
            UriFormatException => $"{look.Url!.Host} redirected to an address that cannot be read.",
            HttpIOException or IOException => "The connection ended before the answer was complete.",
            _ => "The check failed: " + Short(e.Message),
        };
    }

    static string SocketWords(SocketException e, Progress look) => e.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => $"{look.Url!.Authority} refused the connection.",
        SocketError.ConnectionReset => "The connection was reset.",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => $"There is no way to {look.Url!.Host} from here.",
        SocketError.TimedOut => $"No connection to {look.Url!.Host}.",
        _ => $"No connection to {look.Url!.Authority}: {Short(e.Message)}",
    };

    static ProbeAnswer Down(int? status, string detail) => new(CheckOutcome.Down, default, status, detail);

    static string Short(string text)
    {
        var clean = new string([.. text.Where(c => !char.IsControl(c) && !char.IsSurrogate(c))]);
        return clean.Length <= 300 ? clean : clean[..299] + "…";
    }

    enum Stage { Connecting, Waiting }

    /// <summary>How far the look came, for the words about its failure.</summary>
    sealed class Progress
    {
        public Uri? From { get; set; }
        public Uri? Url { get; set; }
        public Stage Stage { get; set; }
        public int? Status { get; set; }
        public string? Certificate { get; set; }
    }
}
