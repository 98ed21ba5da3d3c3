using System.Globalization;
using Portal.Components.Ui;
using Portal.Domain.Monitoring;
using Portal.Hosting;

namespace Portal.Features.Monitoring;

/// <summary>How staff screens write what monitoring found.</summary>
static class MonitorWords
{
    public static string Css(this MonitorCondition condition) => condition switch
    {
        MonitorCondition.Up => "operational",
        MonitorCondition.Down => "major",
        MonitorCondition.Paused => "maintenance",
        _ => "unknown",
    };

    public static string Css(this MonitorHealth health) => health switch
    {
        MonitorHealth.Up => "operational",
        MonitorHealth.Down => "major",
        _ => "unknown",
    };

    public static string Text(this MonitorCondition condition) => condition.ToString();

    public static string Css(this CheckOutcome outcome) => outcome switch
    {
        CheckOutcome.Up => "operational",
        CheckOutcome.Down => "major",
        _ => "unknown",
    };

    public static string Text(this CheckOutcome outcome) => outcome == CheckOutcome.NotConfigured ? "Not configured" : outcome.ToString();

    public static string Name(MonitorKind kind) => kind switch
    {
        MonitorKind.Http => "HTTP",
        MonitorKind.Tcp => "TCP port",
        MonitorKind.Tls => "TLS certificate",
        MonitorKind.Redis => "Redis",
        MonitorKind.Smtp => "SMTP",
        MonitorKind.Websocket => "WebSocket",
        MonitorKind.Dns => "DNS record",
        MonitorKind.Postgres => "PostgreSQL query",
        MonitorKind.Heartbeat => "Heartbeat",
        MonitorKind.Icmp => "ICMP echo",
        _ => "gRPC health",
    };

    /// <summary>What a check of this kind does, in one sentence.</summary>
    public static string About(MonitorKind kind) => kind switch
    {
        MonitorKind.Http => "Sends a request and judges status, text, time and certificate. The address begins with https:// or http://.",
        MonitorKind.Tcp => "Up while the port takes a connection.",
        MonitorKind.Tls => "Up while the certificate is trusted, for this name, and does not expire soon.",
        MonitorKind.Redis => "Up while PING is answered. rediss:// is encrypted; a user may stand before the host.",
        MonitorKind.Smtp => "Up while the server greets and takes EHLO, and lets in where there is a password; no message is sent. smtps:// is encrypted from the start.",
        MonitorKind.Websocket => "Up while the opening handshake succeeds, and a message is answered where one is given. The address begins with wss:// or ws://.",
        MonitorKind.Dns => "Up while the name has the wanted records.",
        MonitorKind.Postgres => "Up while one query is answered, in a transaction that may only read. User, host and database stand in the address; ?sslmode=verify-full behind it checks the certificate.",
        MonitorKind.Heartbeat => "The other way round: a job calls an address of this portal, and the monitor is down when the call does not come.",
        MonitorKind.Icmp => "Up while an echo request is answered.",
        _ => "Up while grpc.health.v1 answers SERVING. grpcs:// is encrypted, grpc:// is not.",
    };

    /// <summary>What it takes to be up, where the kind leaves a choice.</summary>
    public static string? Accepts(MonitorSettings settings)
    {
        var o = settings.Options ?? MonitorOptions.None;
        string?[] words =
        [
            settings.Kind == MonitorKind.Http ? $"{(o.Method is { } method ? $"Asks with {method}. " : "")}Accepts {settings.ExpectStatus}." : null,
            o.ExpectText is { } text ? $"Wants \"{Clean(text)}\" in the answer." : null, o.RejectText is { } never ? $"Does not want \"{Clean(never)}\" in it." : null,
            o.ExpectPattern is { } pattern ? $"The answer matches {Clean(pattern)}." : null,
            o.ExpectJsonPath is { } path ? $"{path} {(o.ExpectJsonValue is { } value ? $"is \"{Clean(value)}\"" : "leads to something")}." : null,
            o.ExpectCertificateDays is { } days ? $"Wants {days} days until the certificate expires." : null,
            o.RecordType is { } type ? $"Looks up {type}{(o.Resolver is { } resolver ? $" at {resolver}" : "")}{(o.ExpectValue is { } record ? $" and wants {Clean(record)}" : "")}." : null,
            o.Query is { } query ? $"Asks: {Clean(query)}{(o.ExpectValue is { } answer ? $" and wants \"{Clean(answer)}\"" : "")}." : null,
            o.Service is { } service ? $"Asks about the service {service}." : null,
            o.Cron is { } cron ? $"A ping is due at {cron} ({o.Zone})." : null, o.PeriodSeconds is { } period ? $"A ping is due every {SpanWords.Of(TimeSpan.FromSeconds(period))}." : null,
            o.GraceSeconds is { } grace ? $"It may be {SpanWords.Of(TimeSpan.FromSeconds(grace))} late." : null,
            o.SlowerThanMilliseconds is { } slow ? $"An answer after {Milliseconds(slow)} ms is too slow." : null,
        ];
        return words.Any(w => w is not null) ? string.Join(' ', words.OfType<string>()) : null;
    }

    /// <summary>What the job calls.</summary>
    public static string HeartbeatUrl(PortalAddress portal, string key) => $"{portal.Public}/api/v1/heartbeats/{key}";

    static string Clean(string text)
    {
        var clean = new string([.. text.Select(c => c is '\n' or '\t' ? ' ' : c).Where(c => !char.IsControl(c))]);
        return clean.Length <= 80 ? clean : clean[..79] + "…";
    }

    public static string Milliseconds(double? ms) => ms is { } value ? value.ToString(value < 10 ? "0.0" : "#,0", CultureInfo.InvariantCulture) : "";
}
