using Portal.Hosting;

namespace Portal.Features.Health.Parts;

/// <summary>Asks this very process over the network, as a visitor would.</summary>
sealed class SelfCall(PortalAddress address) : IDisposable
{
    readonly HttpClient client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        // It is our own listener: its certificate is issued for the public name.
        SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
    })
    { Timeout = HealthParts.Patience };

    public Uri At(string path) => new(address.Own + path);

    public Task<HttpResponseMessage> Get(string path, CancellationToken ct) => client.GetAsync(At(path), HttpCompletionOption.ResponseHeadersRead, ct);

    public void Dispose() => client.Dispose();
}
