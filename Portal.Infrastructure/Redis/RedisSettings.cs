using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using StackExchange.Redis;

namespace Portal.Infrastructure.Redis;

/// <summary>Where Redis is, read from <c>Redis:ConnectionString</c>: <c>host:6379,password=…</c> or <c>unix:/run/redis/redis.sock,password=…</c>.</summary>
public sealed class RedisSettings
{
    const string SocketPrefix = "unix:";
    const int LongestSocket = 107;

    /// <summary>Whoever waits for Redis gives up after this long; nobody who serves a request waits as long as that.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    readonly string options;

    RedisSettings(string options, IReadOnlyList<EndPoint> servers, string? socket) => (this.options, Servers, Socket) = (options, servers, socket);

    public IReadOnlyList<EndPoint> Servers { get; }

    /// <summary>The path of a unix socket; null over the network.</summary>
    public string? Socket { get; }

    /// <summary>Says in words what is wrong, without repeating what stands there: it may hold a password.</summary>
    public static bool TryRead(string text, [NotNullWhen(true)] out RedisSettings? settings, [NotNullWhen(false)] out string? problem)
    {
        settings = null;
        var parts = text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var places = parts.Where(p => !p.Contains('=', StringComparison.Ordinal) || p.StartsWith(SocketPrefix, StringComparison.Ordinal)).ToList();
        var others = string.Join(',', parts.Except(places));
        problem = Unfit(places, others);
        if (problem is not null) return false;
        var sockets = places.Where(p => p.StartsWith(SocketPrefix, StringComparison.Ordinal)).Select(p => p[SocketPrefix.Length..]).ToList();
        settings = new RedisSettings(others, [.. places.Except(sockets.Select(s => SocketPrefix + s)).Select(p => Server(p)!)], sockets.SingleOrDefault());
        return true;
    }

    static string? Unfit(List<string> places, string others)
    {
        const string wanted = "this is not like host:6379,password=… or unix:/run/redis/redis.sock,password=….";
        if (places.Count == 0 || places.Any(p => p.StartsWith(SocketPrefix, StringComparison.Ordinal) ? p[SocketPrefix.Length..] is not ['/', _, ..] || p.Length - SocketPrefix.Length > LongestSocket : Server(p) is null)) return wanted;
        if (places.Count > 1 && places.Any(p => p.StartsWith(SocketPrefix, StringComparison.Ordinal))) return "a socket stands alone.";
        try
        {
            var parsed = Parse(others);
            return parsed.Ssl ? "ssl=true is not possible with this version's client of Redis: use a TLS tunnel on this machine (stunnel) and its local port, or a unix socket." : null;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException)
        {
            return e.Message.Contains("'user'", StringComparison.OrdinalIgnoreCase) ? "users are not supported by this version's client of Redis: use the password of the default user." : wanted;
        }
    }

    static ConfigurationOptions Parse(string options) => options.Length == 0 ? new ConfigurationOptions() : ConfigurationOptions.Parse(options);

    static EndPoint? Server(string text)
    {
        if (IPEndPoint.TryParse(text, out var address) && (text.Contains(']', StringComparison.Ordinal) || !text.Contains("::", StringComparison.Ordinal))) return address.Port == 0 ? new IPEndPoint(address.Address, 6379) : address;
        var parts = text.Split(':');
        if (parts.Length > 2 || Uri.CheckHostName(parts[0]) is not UriHostNameType.Dns) return null;
        if (parts.Length == 1) return new DnsEndPoint(parts[0], 6379);
        return ushort.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0 ? new DnsEndPoint(parts[0], port) : null;
    }

    /// <param name="servers">Where to connect to: what is configured, or the relay to the socket.</param>
    internal ConfigurationOptions For(IEnumerable<EndPoint> servers, string name)
    {
        var configuration = Parse(options);
        foreach (var server in servers) configuration.EndPoints.Add(server);
        configuration.AbortOnConnectFail = false;
        configuration.ConnectTimeout = configuration.SyncTimeout = configuration.ResponseTimeout = (int)Patience.TotalMilliseconds;
        configuration.KeepAlive = 5;
        configuration.ConnectRetry = 1;
        configuration.ReconnectRetryPolicy = new LinearRetry(1_000);
        configuration.ClientName = $"portal-{name}";
        return configuration;
    }
}
