using System.Net;
using Microsoft.AspNetCore.Http;
using Npgsql;
using Portal.Api;
using Portal.Domain.Access;
using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Infrastructure.Redis;
using Portal.Infrastructure.Sentry;

namespace Portal.Hosting;

/// <summary>Reads and checks everything before saying no: each message names its key, and none repeats a secret.</summary>
public sealed class OptionsReader(IConfiguration configuration, IReadOnlySet<string> knownKeys) : SettingsReader(configuration)
{
    static readonly string[] Sections = ["Data", "Database", "Redis", "Storage", "Smtp", "Sentry", "OpenTelemetry", "Bootstrap", "Public", "Security", "Network", "Logging", "Api", "Timing"];
    /// <summary>Whoever configures chooses what follows: a place in a list, a name of a log's category.</summary>
    static readonly string[] Open = ["Network:TrustedProxies:", "Network:ConnectivityTargets:", "Logging:LogLevel:"];
    static readonly string[] S3 = ["Storage:Backups:S3:Endpoint", "Storage:Backups:S3:Bucket", "Storage:Backups:S3:AccessKey", "Storage:Backups:S3:SecretKey"];
    static readonly string[] Look = ["Public:Logo", "Public:Picture", "Public:AccentColour", "Public:AccentColourDark", "Public:Links"];
    readonly List<string> notUsedYet = [];

    /// <summary>The options are usable only while there are no problems.</summary>
    public (PortalOptions Options, IReadOnlyList<string> Problems) Read()
    {
        RefuseUnknownKeys();
        CheckLogLevels();
        CheckLater();
        var options = new PortalOptions
        {
            Urls = Urls(),
            DataPath = Required("Data:Path"),
            Demo = Flag("Demo", false),
            Database = new DatabaseOptions(ConnectionString("Database:ConnectionString"), Flag("Database:DumpBeforeMigration", true)),
            Redis = Redis(),
            Smtp = Smtp(),
            Backups = Backups(),
            Sentry = Sentry(),
            Bootstrap = Bootstrap(),
            Public = Public(),
            MasterKeyFile = Text("Security:MasterKeyFile"),
            TrustedProxies = TrustedProxies(),
            ConnectivityTargets = ConnectivityTargets(),
            LogFormat = LogFormat(),
            MostViewers = Rate("Live:MostViewers", 20_000),
            Api = new RateLimits(Rate("Api:RequestsPerMinute:PerKey", 6_000), Rate("Api:RequestsPerMinute:PerAddress", 12_000)),
            Timing = Timing(),
            NotUsedYet = notUsedYet,
        };
        return (options, Problems);
    }

    void RefuseUnknownKeys()
    {
        foreach (var (key, _) in Configuration.AsEnumerable())
        {
            var ours = Sections.Any(s => key.StartsWith(s + ":", StringComparison.OrdinalIgnoreCase));
            if (ours && !knownKeys.Contains(key) && !Open.Any(o => key.StartsWith(o, StringComparison.OrdinalIgnoreCase)))
                Refuse(key, "there is no such key; appsettings.json lists all that there are.");
        }
    }

    string[] Urls()
    {
        var text = Text("Urls") ?? "";
        var urls = text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        foreach (var url in urls)
            if (!IsListenable(url)) Refuse("Urls", $"{Said(url, text)} is not an address to listen on, like http://127.0.0.1:8080.");
        if (urls.Length > 0 && urls.All(IsListenable) && !urls.Any(u => BindingAddress.Parse(u) is { IsUnixPipe: false, IsNamedPipe: false }))
            Refuse("Urls", "an address like http://127.0.0.1:8080 must stand beside the socket: links and the portal's watch over itself need one.");
        return urls;
    }

    LogFormat LogFormat()
    {
        switch (Text("Logging:Format")?.ToLowerInvariant())
        {
            case null: return Hosting.LogFormat.Automatic;
            case "json": return Hosting.LogFormat.Json;
            case "plain": return Hosting.LogFormat.Plain;
            case var other:
                Refuse("Logging:Format", $"{Said(other)} is neither json nor plain; empty is plain where a terminal looks on, else json.");
                return default;
        }
    }

    void CheckLogLevels()
    {
        foreach (var level in Configuration.GetSection("Logging:LogLevel").GetChildren().Select(c => c.Path))
            if (Text(level) is { } text && !Enum.GetNames<LogLevel>().Contains(text, StringComparer.OrdinalIgnoreCase))
                Refuse(level, $"{Said(text)} is none of {string.Join(", ", Enum.GetNames<LogLevel>())}.");
    }

    static bool IsListenable(string url)
    {
        try
        {
            var address = BindingAddress.Parse(url);
            return address.Scheme is "http" or "https" && address.Host.Length > 0 && !address.Host.Contains('@', StringComparison.Ordinal) && address.PathBase.Length == 0 && address.Port is >= 0 and <= 65_535;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    string? ConnectionString(string key)
    {
        if (Text(key) is not { } text) return null;
        try
        {
            var parsed = new NpgsqlConnectionStringBuilder(text);
            if (string.IsNullOrEmpty(parsed.Host)) Refuse(key, "the Host is missing.");
            if (string.IsNullOrEmpty(parsed.Database)) Refuse(key, "the Database is missing.");
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            // The exception may repeat what stands there, password included.
            Refuse(key, "this is not a PostgreSQL connection string like Host=db;Username=portal;Password=…;Database=portal.");
        }
        return text;
    }

    RedisSettings? Redis()
    {
        const string key = "Redis:ConnectionString";
        if (Text(key) is not { } text) return null;
        if (!RedisSettings.TryRead(text, out var settings, out var problem)) Refuse(key, problem);
        return settings;
    }

    SmtpOptions? Smtp()
    {
        var port = (int)Number("Smtp:Port", 587, 1, 65_535);
        var (host, user, password, from, tls) = (Text("Smtp:Host"), Text("Smtp:User"), Secret("Smtp:Password"), Text("Smtp:From"), Flag("Smtp:Tls", true));
        if (host is null) return null;
        if (Uri.CheckHostName(host) == UriHostNameType.Unknown) Refuse("Smtp:Host", $"{Said(host)} is not a host name.");
        if (from is null) Refuse("Smtp:From", "a sender is required where Smtp:Host is set.");
        else CheckEmail("Smtp:From", from);
        if (user is not null && password is null) Refuse("Smtp:Password", "a password is required where Smtp:User is set.");
        if (tls && port == 465) Refuse("Smtp:Port", "465 is encrypted from the first byte, which the portal does not speak: use the port for STARTTLS, usually 587.");
        return new SmtpOptions(host, port, user, password, tls, from ?? "");
    }

    SentryOptions? Sentry()
    {
        var rate = Number("Sentry:TracesSampleRate", 0.1, 0, 1);
        var (key, text) = Text("Sentry:Dsn") is { } set ? ("Sentry:Dsn", set) : ("SENTRY_DSN", Text("SENTRY_DSN"));
        var (environmentKey, environment) = Text("SENTRY_ENVIRONMENT") is { } named ? ("SENTRY_ENVIRONMENT", named) : ("Sentry:Environment", Text("Sentry:Environment") ?? "production");
        if (environment.Length > 64 || environment == "None" || environment.Any(c => char.IsWhiteSpace(c) || char.IsControl(c) || c is '/'))
            Refuse(environmentKey, "at most 64 characters without blanks and slashes are allowed, and not \"None\".");
        if (text is null) return null;
        if (SentryDsn.TryRead(text, out var dsn)) return new SentryOptions(dsn, environment, rate);
        Refuse(key, "this is not a DSN like https://key@host/project.");
        return null;
    }

    BootstrapOptions? Bootstrap()
    {
        var (email, password, key) = (Text("Bootstrap:AdminEmail"), Secret("Bootstrap:AdminPassword"), Secret("Bootstrap:ApiKey"));
        if (email is null && password is null && key is null) return null;
        if (email is null) Refuse("Bootstrap:AdminEmail", "an address is required where another Bootstrap key is set.");
        else CheckEmail("Bootstrap:AdminEmail", email);
        if (password is null) Refuse("Bootstrap:AdminPassword", "a password is required where another Bootstrap key is set.");
        else Ask("Bootstrap:AdminPassword", () => Person.ValidPassword(password));
        if (key is not null && (key.Length is < 16 or > 200 || key.Any(c => c is <= ' ' or > '~')))
            Refuse("Bootstrap:ApiKey", "16 to 200 printable ASCII characters without blanks are required; make it random.");
        return new BootstrapOptions(email ?? "", password ?? "", key);
    }

    PublicOptions Public()
    {
        var (title, zone, ancestors) = (Text("Public:Title") ?? "Status", Text("Public:TimeZone") ?? "UTC", Text("Public:FrameAncestors") ?? "'none'");
        if (title.Length > Domain.Shared.Text.NameLength) Refuse("Public:Title", $"at most {Domain.Shared.Text.NameLength} characters are allowed.");
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found)) Refuse("Public:TimeZone", $"{Said(zone)} is not a time zone like Europe/Berlin.");
        if (ancestors.Any(c => c is ';' or ',' or '"' || char.IsControl(c))) Refuse("Public:FrameAncestors", "write 'none', 'self' or origins with blanks between.");
        var (brand, unfit) = Portal.Public.Brand.Read(Look.ToDictionary(key => key, Text), Text("Data:Path") ?? "");
        foreach (var (key, why) in unfit) Refuse(key, why);
        return new PublicOptions(Address("Public:BaseUrl"), title, found ?? TimeZoneInfo.Utc, ancestors) { Brand = brand };
    }

    List<IPNetwork> TrustedProxies()
    {
        var networks = new List<IPNetwork>();
        foreach (var (text, whole) in Listed("Network:TrustedProxies"))
            if (IPAddress.TryParse(text, out var address)) networks.Add(new IPNetwork(address, address.GetAddressBytes().Length * 8));
            else if (IPNetwork.TryParse(text, out var network)) networks.Add(network);
            else Refuse("Network:TrustedProxies", $"{Said(text, whole)} is neither an address like 10.0.0.5 nor a network like 10.0.0.0/24.");
        return networks;
    }

    List<DnsEndPoint> ConnectivityTargets()
    {
        var targets = new List<DnsEndPoint>();
        foreach (var (text, whole) in Listed("Network:ConnectivityTargets"))
            if (Uri.TryCreate($"tcp://{text}", UriKind.Absolute, out var place) && place is { Port: > 0, UserInfo: "", PathAndQuery: "" or "/" } && place.IdnHost.Length > 0) targets.Add(new DnsEndPoint(place.IdnHost, place.Port));
            else Refuse("Network:ConnectivityTargets", $"{Said(text, whole)} is not a host with a port, like 192.0.2.1:443.");
        return targets;
    }

    TimingOptions Timing()
    {
        TimeSpan Seconds(string key, double otherwise) => TimeSpan.FromSeconds(Number(key, otherwise, 0.05, 86_400));
        var timing = new TimingOptions(Seconds("Timing:ShardLeaseSeconds", 8), Seconds("Timing:ShardRenewSeconds", 2), Seconds("Timing:FollowSeconds", 2),
            Seconds("Timing:OutboxLeaseSeconds", 30), Seconds("Timing:PostgresRestartSeconds", 2),
            Seconds("Timing:JobLeaseSeconds", 15), Seconds("Timing:JobSweepSeconds", 5), Seconds("Timing:JobCheckInSeconds", 20), Seconds("Timing:JobCheckInThresholdSeconds", 60), Seconds("Timing:BackupUpkeepSeconds", 60));
        if (timing.ShardRenew >= timing.ShardLease) Refuse("Timing:ShardRenewSeconds", "a lease must be renewed before it ends: choose less than Timing:ShardLeaseSeconds.");
        return timing;
    }

    /// <summary>What later parts need is checked already, so that a mistake does not wait for them.</summary>
    void CheckLater()
    {
        if (Address("OpenTelemetry:Endpoint") is not null) notUsedYet.Add("OpenTelemetry:Endpoint");
    }

    BackupOptions Backups()
    {
        var folder = Text("Storage:Backups:Path");
        var (pathStyle, region, encryption) = (Flag("Storage:Backups:S3:ForcePathStyle", false), Text("Storage:Backups:S3:Region") ?? "us-east-1", Text("Storage:Backups:S3:ServerSideEncryption") ?? "AES256");
        var (endpoint, access, secret) = (Address("Storage:Backups:S3:Endpoint"), Secret("Storage:Backups:S3:AccessKey"), Secret("Storage:Backups:S3:SecretKey"));
        if (encryption is not ("none" or "AES256" or "aws:kms")) Refuse("Storage:Backups:S3:ServerSideEncryption", $"{Said(encryption)} is neither AES256 nor aws:kms nor none.");
        if (S3.All(k => Text(k) is null)) return new(Place("Storage:Backups:Path", new(folder ?? Path.Combine(Path.GetFullPath(Text("Data:Path") ?? "data"), "backups"), null)), null, folder is null);
        foreach (var missing in S3.Where(k => Text(k) is null)) Refuse(missing, "it is required where another key of Storage:Backups:S3 is set.");
        if (folder is not null) Refuse("Storage:Backups:Path", "either a folder or a bucket (Storage:Backups:S3) is configured: more stores are added on /admin/backups.");
        if (endpoint is null || Text("Storage:Backups:S3:Bucket") is not { } bucket || access is null || secret is null) return new(new(null, null), null);
        return new(Place("Storage:Backups:S3:Bucket", new(null, new BucketPlace(endpoint.AbsoluteUri, bucket, region, access, pathStyle, encryption == "none" ? "" : encryption))), secret);
    }

    StorePlace Place(string key, StorePlace place)
    {
        try
        {
            return place.Checked();
        }
        catch (DomainException refusal)
        {
            Refuse(key, refusal.Message);
            return place;
        }
    }
}
