using System.Globalization;
using Portal.Domain.Shared;

namespace Portal.Domain.Monitoring;

/// <summary>How a monitor looks at its target. Each kind is one probe class.</summary>
public enum MonitorKind
{
    /// <summary>A request; status, text, time and certificate decide.</summary>
    Http,
    /// <summary>A connection is taken.</summary>
    Tcp,
    /// <summary>The certificate is trusted, for this name, and not about to expire.</summary>
    Tls,
    /// <summary>PING is answered with PONG.</summary>
    Redis,
    /// <summary>The server greets and takes EHLO; with a password it lets in.</summary>
    Smtp,
    /// <summary>The opening handshake (RFC 6455) succeeds.</summary>
    Websocket,
    /// <summary>A name has the wanted records.</summary>
    Dns,
    /// <summary>One query is answered as expected.</summary>
    Postgres,
    /// <summary>Pings come in when they should.</summary>
    Heartbeat,
    /// <summary>An echo comes back.</summary>
    Icmp,
    /// <summary>grpc.health.v1 says SERVING.</summary>
    Grpc,
}

/// <summary>Where a monitor looks: one complete address, whose scheme belongs to its kind.</summary>
public static class MonitorTarget
{
    /// <summary>The target of a kind that looks nowhere: it is called.</summary>
    public const string Heartbeat = "heartbeat:";

    /// <param name="Schemes">Each with the port that is meant when none is given; null where one must be. The first one is put before an address without any, where the kind knows nothing but host and port.</param>
    /// <param name="IsPlace">Host and port alone: a path or query would be ignored and so is refused.</param>
    /// <param name="Named">The address may say which user signs in. A password never stands in it.</param>
    sealed record Rule((string Scheme, int? Port)[] Schemes, bool IsPlace, string Example, bool Named = false);

    static readonly Dictionary<MonitorKind, Rule> Rules = new()
    {
        [MonitorKind.Http] = new([("https", 443), ("http", 80)], false, "https://shop.example.com/health"),
        [MonitorKind.Tcp] = new([("tcp", null)], true, "tcp://db.example.com:5432"),
        [MonitorKind.Tls] = new([("tls", 443)], true, "tls://shop.example.com"),
        [MonitorKind.Redis] = new([("redis", 6379), ("rediss", 6379)], true, "redis://cache.example.com", Named: true),
        [MonitorKind.Smtp] = new([("smtp", 25), ("smtps", 465)], true, "smtp://mail.example.com", Named: true),
        [MonitorKind.Websocket] = new([("wss", 443), ("ws", 80)], false, "wss://chat.example.com/live"),
        [MonitorKind.Dns] = new([("dns", null)], true, "dns://shop.example.com"),
        [MonitorKind.Postgres] = new([("postgres", 5432)], false, "postgres://monitor@db.example.com:5432/shop", Named: true),
        [MonitorKind.Heartbeat] = new([], true, Heartbeat),
        [MonitorKind.Icmp] = new([("icmp", null)], true, "icmp://router.example.com"),
        [MonitorKind.Grpc] = new([("grpcs", 443), ("grpc", null)], true, "grpcs://orders.example.com"),
    };

    static readonly string[] SslModes = ["disable", "prefer", "require", "verify-full"];

    public static string ExampleOf(MonitorKind kind) => Rules[kind].Example;

    /// <summary>The host that checks connect to and that the address rules are for; null where they connect to nothing that a user named.</summary>
    public static string? HostOf(MonitorKind kind, string target, MonitorOptions options) => kind switch
    {
        MonitorKind.Heartbeat => null,
        MonitorKind.Dns => options.Resolver is { } resolver ? SplitResolver(resolver)!.Value.Host : null,
        _ => Monitor.IsSelf(target) || !Uri.TryCreate(target, UriKind.Absolute, out var uri) ? null : uri.IdnHost,
    };

    /// <summary>To whom secrets are sent: scheme, host and port. A stored secret never moves to another place by itself.</summary>
    public static string OriginOf(string target) =>
        Uri.TryCreate(target, UriKind.Absolute, out var uri) ? $"{uri.Scheme}://{uri.IdnHost}:{uri.Port}" : target;

    /// <summary>Written in full: with its scheme, and with its port unless the scheme says it.</summary>
    /// <exception cref="DomainException">Not an address of this kind.</exception>
    public static string Valid(MonitorKind kind, string? target, bool builtIn)
    {
        if (kind == MonitorKind.Heartbeat) return Heartbeat;
        var text = Text.Required(target, "target", "The target", 2_000);
        if (Monitor.IsSelf(text)) return ValidSelf(kind, text, builtIn);
        if (kind == MonitorKind.Dns) return $"dns://{ValidName(text)}";
        var rule = Rules[kind];
        if (rule.IsPlace && !text.Contains("://", StringComparison.Ordinal)) text = $"{rule.Schemes[0].Scheme}://{text}";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || !rule.Schemes.Any(s => s.Scheme == uri.Scheme) || uri.Host.Length == 0)
            throw Wrong($"The target must be a complete address that begins with {string.Join(" or ", rule.Schemes.Reverse().Select(s => s.Scheme + "://"))}, for example {rule.Example}.");
        if (uri.UserInfo.Contains(':', StringComparison.Ordinal) && rule.Named)
            throw Wrong("The target must not contain a password: it is shown to staff. Give the password in its own field (by API: secrets).");
        if (uri.UserInfo.Length > 0 && !rule.Named)
            throw Wrong("The target must not contain a user name or password: it is shown to staff.");
        if (kind == MonitorKind.Postgres) return Postgres(uri);
        return rule.IsPlace ? Place(kind, rule, uri) : uri.AbsoluteUri;
    }

    static string Place(MonitorKind kind, Rule rule, Uri uri)
    {
        if (uri.PathAndQuery.Trim('/').Length > 0 || uri.Fragment.Length > 0)
            throw Wrong($"The target is a host and a port, with nothing behind them, for example {rule.Example}.");
        if (kind == MonitorKind.Icmp)
            return uri.Port <= 0 ? $"icmp://{HostOf(uri)}" : throw Wrong($"An echo request has no port. The target is a host alone, for example {rule.Example}.");
        var port = uri.Port > 0 ? uri.Port : rule.Schemes.First(s => s.Scheme == uri.Scheme).Port ?? throw Wrong($"The target must name a port, for example {rule.Example}.");
        return $"{uri.Scheme}://{User(uri)}{HostOf(uri)}:{port}";
    }

    static string Postgres(Uri uri)
    {
        var database = uri.AbsolutePath.Trim('/');
        if (database.Length == 0 || database.Contains('/', StringComparison.Ordinal) || uri.UserInfo.Length == 0 || uri.Fragment.Length > 0)
            throw Wrong($"The target must name user, host and database, for example {Rules[MonitorKind.Postgres].Example}.");
        if (uri.Query.Length > 0 && !SslModes.Any(m => uri.Query == $"?sslmode={m}"))
            throw Wrong($"Behind the database only ?sslmode= is known, with one of: {string.Join(", ", SslModes)}.");
        return $"postgres://{User(uri)}{HostOf(uri)}:{(uri.Port > 0 ? uri.Port : 5432)}/{database}{uri.Query}";
    }

    static string User(Uri uri) => uri.UserInfo.Length > 0 ? uri.UserInfo + "@" : "";

    static string HostOf(Uri uri) => uri.HostNameType == UriHostNameType.IPv6 ? uri.Host : uri.IdnHost.ToLowerInvariant();

    /// <summary>A name to look up. Unlike a host it may hold underscores: _dmarc.example.com.</summary>
    static string ValidName(string text)
    {
        var name = (text.StartsWith("dns://", StringComparison.OrdinalIgnoreCase) ? text[6..] : text).TrimEnd('/', '.').ToLowerInvariant();
        if (name.Any(c => c > 127))
            try
            {
                name = new IdnMapping().GetAscii(name);
            }
            catch (ArgumentException)
            {
                name = "";
            }
        return name.Length is > 0 and <= 253 && name.Split('.').All(label => label.Length is > 0 and <= 63 && label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')) ? name
            : throw Wrong($"The target is a name in the DNS, for example {Rules[MonitorKind.Dns].Example} or _dmarc.example.com.");
    }

    /// <summary>"9.9.9.9", "ns1.example.com:5353", "[2620:fe::fe]:53"; null when it is none of these.</summary>
    public static (string Host, int Port)? SplitResolver(string text) =>
        Uri.TryCreate($"dns://{text}", UriKind.Absolute, out var uri) && uri.Host.Length > 0 && uri.UserInfo.Length == 0 && uri.PathAndQuery.Trim('/').Length == 0 && uri.Fragment.Length == 0
            ? (uri.IdnHost, uri.Port > 0 ? uri.Port : 53) : null;

    static string ValidSelf(MonitorKind kind, string text, bool builtIn)
    {
        if (builtIn && kind is (MonitorKind.Http or MonitorKind.Websocket)) return text;
        if (kind != MonitorKind.Http) throw Wrong("A self: target is looked at by HTTP only.");
        return text.StartsWith("self:/health/", StringComparison.Ordinal) && !text.Contains("..", StringComparison.Ordinal) && text.All(c => c is > ' ' and <= '~' and not ('\\' or '%')) ? text
            : throw Wrong("A self: target must begin with self:/health/ and name a part plainly, without \"..\" or \"%\".");
    }

    static DomainException Wrong(string text) => new(text, "target");
}
