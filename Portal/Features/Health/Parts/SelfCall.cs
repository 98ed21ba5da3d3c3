using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
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
        SslOptions = { RemoteCertificateValidationCallback = Any },
    })
    { Timeout = HealthParts.ColdPatience };

    /// <summary>It is our own listener on this machine; its certificate is issued for the public name, perhaps by nobody that is known here.</summary>
    public static bool Any(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) => certificate is not null;

    public Uri At(string path) => new((address.Own ?? throw new InvalidOperationException("The portal does not listen yet.")) + path);

    public Task<HttpResponseMessage> Get(string path, CancellationToken ct) => client.GetAsync(At(path), HttpCompletionOption.ResponseHeadersRead, ct);

    public void Dispose() => client.Dispose();
}
