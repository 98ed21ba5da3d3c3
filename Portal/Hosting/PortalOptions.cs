using Portal.Api;
using Portal.Infrastructure.Redis;
using Portal.Infrastructure.Sentry;

namespace Portal.Hosting;

/// <summary>All of the configuration, checked; made by <see cref="OptionsReader"/>.</summary>
public sealed record PortalOptions
{
    /// <summary>What to listen on, as it was written, without blanks.</summary>
    public required IReadOnlyList<string> Urls { get; init; }
    public required string DataPath { get; init; }
    /// <summary>Fill an empty database with demonstration data.</summary>
    public required bool Demo { get; init; }
    public required DatabaseOptions Database { get; init; }
    /// <summary>Null: memory of the process, and the database between nodes.</summary>
    public required RedisSettings? Redis { get; init; }
    public required SmtpOptions? Smtp { get; init; }
    public required BackupOptions Backups { get; init; }
    public required SentryOptions? Sentry { get; init; }
    /// <summary>Null when no first administrator is configured.</summary>
    public required BootstrapOptions? Bootstrap { get; init; }
    public required PublicOptions Public { get; init; }
    /// <summary>Null: in the data folder.</summary>
    public required string? MasterKeyFile { get; init; }
    public required IReadOnlyList<System.Net.IPNetwork> TrustedProxies { get; init; }
    /// <summary>Places out there by which a node tells its own lost connection from a target's failure.</summary>
    public required IReadOnlyList<System.Net.DnsEndPoint> ConnectivityTargets { get; init; }
    public required LogFormat LogFormat { get; init; }
    public required RateLimits Api { get; init; }
    /// <summary>Connections to the public hub at a time, about 32 KiB each; whoever comes later polls.</summary>
    public required int MostViewers { get; init; }
    public required TimingOptions Timing { get; init; }
    /// <summary>Keys that are set and valid, but for parts that this version does not have yet.</summary>
    public required IReadOnlyList<string> NotUsedYet { get; init; }
}

/// <param name="ConnectionString">Null: the private server of the data folder.</param>
/// <param name="DumpBeforeMigration">Keep a copy before the schema of an existing database is changed.</param>
public sealed record DatabaseOptions(string? ConnectionString, bool DumpBeforeMigration);

public sealed record SmtpOptions(string Host, int Port, string? User, string? Password, bool Tls, string From);

/// <summary>The store that the configuration names.</summary>
/// <param name="SecretKey">Of a bucket; null for a folder.</param>
/// <param name="IsDefault">Nothing is configured: a folder in the data folder.</param>
public sealed record BackupOptions(Domain.Backups.StorePlace Place, string? SecretKey, bool IsDefault = false)
{
    // The secret must not get into a log through the record's own text.
    public override string ToString() => Place.Words;
}

public sealed record SentryOptions(SentryDsn Dsn, string Environment, double TracesSampleRate);

/// <summary>The first administrator of an unattended install; looked at only while no administrator exists.</summary>
public sealed record BootstrapOptions(string AdminEmail, string AdminPassword, string? ApiKey);

/// <param name="BaseUrl">Null: the first listening address.</param>
/// <param name="FrameAncestors">Who may show the page in a frame, as a CSP source list.</param>
public sealed record PublicOptions(Uri? BaseUrl, string Title, TimeZoneInfo TimeZone, string FrameAncestors)
{
    /// <summary>Logo, colours, links and picture.</summary>
    public Portal.Public.Brand Brand { get; init; } = Portal.Public.Brand.None;
}

/// <summary>How log lines are written.</summary>
public enum LogFormat
{
    /// <summary>Plain where a terminal looks on, else JSON.</summary>
    Automatic,
    Json,
    Plain,
}

public sealed record TimingOptions(TimeSpan ShardLease, TimeSpan ShardRenew, TimeSpan Follow, TimeSpan OutboxLease, TimeSpan PostgresRestart,
    TimeSpan JobLease, TimeSpan JobSweep, TimeSpan JobCheckIn, TimeSpan JobCheckInThreshold, TimeSpan BackupUpkeep);
