using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Portal.Infrastructure.Monitoring;

/// <summary>HTTP for one check: one connection through the guard, nothing kept, nothing followed, nothing unpacked.</summary>
static class GuardedHandler
{
    /// <param name="connected">Called once a connection stands.</param>
    /// <param name="refused">Told in words what is wrong with the certificate.</param>
    /// <param name="seen">Told until when the certificate is valid.</param>
    /// <param name="request">The handler's own token outlives a request that was given up: the connection must not.</param>
    public static SocketsHttpHandler For(GuardedConnector connector, Passage passage, TimeProvider clock, Action connected, string host, Action<string> refused, CancellationToken request, Action<DateTimeOffset>? seen = null, X509Certificate2Collection? roots = null)
    {
        var tls = Certificates.Options(host, clock, (certificate, refusal) =>
        {
            if (certificate is not null) seen?.Invoke(certificate.NotAfter.ToUniversalTime());
            if (refusal is null || passage == Passage.Self) return true;
            refused(refusal);
            return false;
        });
        Certificates.Trust(tls, roots);
        var connections = 0;
        return new SocketsHttpHandler
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
            // A secret that is typed with an accent is sent as it was typed.
            RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1,
            ConnectCallback = async (context, _) =>
            {
                // The handler would try again by itself where a server hangs up: a check is one request.
                if (Interlocked.Increment(ref connections) > 1) throw new HttpIOException(HttpRequestError.ResponseEnded);
                var stream = await connector.Connect(context.DnsEndPoint.Host, context.DnsEndPoint.Port, passage, clock, request);
                connected();
                return stream;
            },
            SslOptions = tls,
        };
    }
}
