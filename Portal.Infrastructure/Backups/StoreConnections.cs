using Portal.Infrastructure.Monitoring;

namespace Portal.Infrastructure.Backups;

/// <summary>Connections to stores that a person named: each goes to an address that was checked, never through a proxy, never on to where an answer points.</summary>
public static class StoreConnections
{
    public static HttpMessageHandler Through(GuardedConnector connector, TimeProvider clock) => new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        ActivityHeadersPropagator = null,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        ConnectTimeout = TimeSpan.FromSeconds(15),
        ConnectCallback = async (context, ct) => await connector.Connect(context.DnsEndPoint.Host, context.DnsEndPoint.Port, Passage.Consented, clock, ct),
    };
}
