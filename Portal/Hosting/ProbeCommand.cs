using System.Net;
using System.Net.Http.Headers;
using Portal.Features.Monitoring;
using Portal.Features.Monitoring.Places;
using Portal.Infrastructure;
using Portal.Infrastructure.Monitoring;

namespace Portal.Hosting;

/// <summary><c>portal probe --server URL --key KEY</c>: looks at targets from this machine, for a portal elsewhere.</summary>
public static class ProbeCommand
{
    /// <summary>A portal that answers later than this is away.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <exception cref="CannotStartException">The address or the key is missing or cannot be used.</exception>
    public static async Task<int> Run(IReadOnlyDictionary<string, string?> settings, CancellationToken ct)
    {
        using var client = Client(settings);
        await using var services = new ServiceCollection().AddSingleton(TimeProvider.System).AddProbes().AddLogging(l => l.AddSimpleConsole(c => c.SingleLine = true)).BuildServiceProvider();
        var log = services.GetRequiredService<ILoggerFactory>().CreateLogger("Portal.Probe");
        log.LogInformation("Looking for {Server}; Ctrl-C stops", client.BaseAddress);
        using var agent = new ProbeAgent(client, services.GetServices<IProbe>(), PortalVersion.Text, TimeProvider.System, log);
        await agent.Run(ct);
        return 0;
    }

    internal static HttpClient Client(IReadOnlyDictionary<string, string?> settings)
    {
        var key = settings.GetValueOrDefault("Probe:Key") ?? Environment.GetEnvironmentVariable("PORTAL_PROBE_KEY");
        if (string.IsNullOrWhiteSpace(key)) throw new CannotStartException("--key is missing: an API key with the scope probes:run, made under Administration, API keys. It may stand in PORTAL_PROBE_KEY instead, where other users of this machine cannot read it.");
        if (!Uri.TryCreate(settings.GetValueOrDefault("Probe:Server"), UriKind.Absolute, out var server) || server.Scheme is not ("http" or "https"))
            throw new CannotStartException("--server is missing: the portal's address, like https://status.example.com.");
        if (server is { Scheme: "http", IsLoopback: false } && settings.GetValueOrDefault("Probe:Insecure") != "true")
            throw new CannotStartException("The key and the secrets of monitors would go to the portal unencrypted. Use its https:// address, or say --insecure where the network itself is safe.");
        var handler = new SocketsHttpHandler { ConnectTimeout = Patience, PooledConnectionLifetime = TimeSpan.FromMinutes(5), AllowAutoRedirect = false, AutomaticDecompression = DecompressionMethods.All };
        return new HttpClient(handler)
        {
            BaseAddress = new Uri(server.AbsoluteUri.TrimEnd('/') + "/"),
            Timeout = Patience,
            DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", key.Trim()) },
        };
    }
}
