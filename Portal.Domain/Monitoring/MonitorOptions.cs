using System.Text.RegularExpressions;
using Portal.Domain.Shared;

namespace Portal.Domain.Monitoring;

/// <summary>What only some kinds of monitors know: what is asked and which answer is wanted. Null is not asked for. Stored as one JSON document.</summary>
public sealed record MonitorOptions
{
    public static readonly MonitorOptions None = new();
    public static readonly TimeSpan MatchTimeout = TimeSpan.FromMilliseconds(250);
    /// <summary>Time grows with the answer's length alone, whatever the pattern: thousands of checks share the processors with everybody.</summary>
    public const RegexOptions Matching = RegexOptions.CultureInvariant | RegexOptions.NonBacktracking;
    public const int LongestBody = 16 * 1024;
    public static readonly IReadOnlyList<string> Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    public static readonly IReadOnlyList<string> RecordTypes = ["A", "AAAA", "CNAME", "MX", "NS", "TXT"];

    /// <summary>http: GET unless given.</summary>
    public string? Method { get; init; }
    /// <summary>http: sent with the request. websocket: a text message that is sent once the connection stands.</summary>
    public string? Body { get; init; }
    /// <summary>http, websocket: the answer must contain this.</summary>
    public string? ExpectText { get; init; }
    /// <summary>http, websocket: the answer must not contain this.</summary>
    public string? RejectText { get; init; }
    /// <summary>http: the answer is JSON and this path (<see cref="Monitoring.JsonPath"/>) leads to something.</summary>
    public string? ExpectJsonPath { get; init; }
    /// <summary>http: what the path leads to, as text.</summary>
    public string? ExpectJsonValue { get; init; }
    /// <summary>http: a regular expression that matches somewhere in the answer.</summary>
    public string? ExpectPattern { get; init; }
    /// <summary>Every kind that looks somewhere: a good answer that took longer counts as a failed check, "Slow".</summary>
    public int? SlowerThanMilliseconds { get; init; }
    /// <summary>http: unless given, redirects are followed except where nothing but redirects is accepted.</summary>
    public bool? FollowRedirects { get; init; }
    /// <summary>tls: 14 unless given. http: looked at only where given, over https.</summary>
    public int? ExpectCertificateDays { get; init; }
    /// <summary>dns: A unless given.</summary>
    public string? RecordType { get; init; }
    /// <summary>dns: the server that is asked; the system's own unless given.</summary>
    public string? Resolver { get; init; }
    /// <summary>dns: each line must be among the records. postgres: the first column of the first row.</summary>
    public string? ExpectValue { get; init; }
    /// <summary>postgres: one statement that reads.</summary>
    public string? Query { get; init; }
    /// <summary>grpc: the service that is asked about; the whole server unless given.</summary>
    public string? Service { get; init; }
    /// <summary>smtp: goes on encrypted after STARTTLS.</summary>
    public bool? StartTls { get; init; }
    /// <summary>heartbeat: a ping is due so long after the last one.</summary>
    public int? PeriodSeconds { get; init; }
    /// <summary>heartbeat: in place of a period, the times at which a ping is due (<see cref="Crontab"/>).</summary>
    public string? Cron { get; init; }
    /// <summary>heartbeat: the IANA zone that the crontab's times are in; UTC unless given.</summary>
    public string? Zone { get; init; }
    /// <summary>heartbeat: how late a ping may be, and how long a run may take after its start was told.</summary>
    public int? GraceSeconds { get; init; }

    const MonitorKind Http = MonitorKind.Http, Socket = MonitorKind.Websocket, Beat = MonitorKind.Heartbeat;
    static readonly MonitorKind[] Looking = [.. Enum.GetValues<MonitorKind>().Where(k => k != Beat)];

    /// <summary>Which kinds know which option.</summary>
    public static readonly IReadOnlyDictionary<string, (MonitorKind[] Kinds, Func<MonitorOptions, object?> Of)> Fields = new Dictionary<string, (MonitorKind[], Func<MonitorOptions, object?>)>
    {
        ["method"] = ([Http], o => o.Method),
        ["body"] = ([Http, Socket], o => o.Body),
        ["expectText"] = ([Http, Socket], o => o.ExpectText),
        ["rejectText"] = ([Http, Socket], o => o.RejectText),
        ["expectJsonPath"] = ([Http], o => o.ExpectJsonPath),
        ["expectJsonValue"] = ([Http], o => o.ExpectJsonValue),
        ["expectPattern"] = ([Http], o => o.ExpectPattern),
        ["slowerThanMilliseconds"] = (Looking, o => o.SlowerThanMilliseconds),
        ["followRedirects"] = ([Http], o => o.FollowRedirects),
        ["expectCertificateDays"] = ([Http, MonitorKind.Tls], o => o.ExpectCertificateDays),
        ["recordType"] = ([MonitorKind.Dns], o => o.RecordType),
        ["resolver"] = ([MonitorKind.Dns], o => o.Resolver),
        ["expectValue"] = ([MonitorKind.Dns, MonitorKind.Postgres], o => o.ExpectValue),
        ["query"] = ([MonitorKind.Postgres], o => o.Query),
        ["service"] = ([MonitorKind.Grpc], o => o.Service),
        ["startTls"] = ([MonitorKind.Smtp], o => o.StartTls),
        ["periodSeconds"] = ([Beat], o => o.PeriodSeconds),
        ["cron"] = ([Beat], o => o.Cron),
        ["zone"] = ([Beat], o => o.Zone),
        ["graceSeconds"] = ([Beat], o => o.GraceSeconds),
    };

    public static bool Knows(MonitorKind kind, string field) => Fields[field].Kinds.Contains(kind);

    /// <summary>Cleaned, and with what the kind takes unless something else is said.</summary>
    /// <exception cref="DomainException">A value outside its bounds, or one that the kind does not know; the field is named.</exception>
    public MonitorOptions For(MonitorKind kind, StatusRanges accepted)
    {
        var clean = Cleaned();
        foreach (var (name, (kinds, of)) in Fields)
            if (of(clean) is not null && !kinds.Contains(kind))
                throw new DomainException($"Monitors of the kind {Word(kind)} do not know this; those of the kind {string.Join(", ", kinds.Select(Word))} do.", name);
        return kind switch
        {
            MonitorKind.Http => clean.ForHttp(accepted),
            MonitorKind.Tls => clean with { ExpectCertificateDays = clean.ExpectCertificateDays ?? 14 },
            MonitorKind.Dns => clean with { RecordType = clean.RecordType ?? "A" },
            MonitorKind.Postgres => clean with { Query = ValidQuery(clean.Query ?? "select 1") },
            MonitorKind.Heartbeat => clean.ForHeartbeat(),
            _ => clean,
        };
    }

    MonitorOptions Cleaned() => this with
    {
        Method = OneOf(Method, Methods, "method", "The method"),
        Body = Bounded(Body, "body", "The body", LongestBody),
        ExpectText = Bounded(ExpectText, "expectText", "The text", 1_000),
        RejectText = Bounded(RejectText, "rejectText", "The text", 1_000),
        ExpectJsonPath = Text.Optional(ExpectJsonPath, "expectJsonPath", "The path", 300) is { } path ? JsonPath.Parse(path).ToString() : null,
        ExpectJsonValue = Bounded(ExpectJsonValue, "expectJsonValue", "The value", 1_000),
        ExpectPattern = ValidPattern(Bounded(ExpectPattern, "expectPattern", "The pattern", 1_000)),
        SlowerThanMilliseconds = Within(SlowerThanMilliseconds, 1, 60_000, "slowerThanMilliseconds", "The longest good time lies between 1 and 60,000 milliseconds."),
        ExpectCertificateDays = Within(ExpectCertificateDays, 1, 365, "expectCertificateDays", "A certificate must be wanted valid for 1 to 365 days."),
        RecordType = OneOf(RecordType, RecordTypes, "recordType", "The record type"),
        Resolver = ValidResolver(Text.Optional(Resolver, "resolver", "The resolver", 300)),
        ExpectValue = Bounded(ExpectValue, "expectValue", "The value", 4_000),
        Query = Bounded(Query, "query", "The query", 4_000),
        Service = Text.Optional(Service, "service", "The service", 300),
        PeriodSeconds = Within(PeriodSeconds, 10, 31_622_400, "periodSeconds", "The period lies between 10 seconds and 366 days."),
        Cron = Text.Optional(Cron, "cron", "The crontab", 200) is { } cron ? Crontab.Parse(cron).ToString() : null,
        Zone = ValidZone(Text.Optional(Zone, "zone", "The zone", 60)),
        GraceSeconds = Within(GraceSeconds, 0, 604_800, "graceSeconds", "The grace lies between 0 seconds and 7 days."),
    };

    MonitorOptions ForHttp(StatusRanges accepted)
    {
        if (Body is not null && Method is (null or "GET" or "HEAD")) throw new DomainException("A request with a body needs another method than GET or HEAD, for example POST.", "method");
        if (ExpectJsonValue is not null && ExpectJsonPath is null) throw new DomainException("Say with a path where this value stands, for example $.status.", "expectJsonPath");
        if (Method == "HEAD" && (ExpectText ?? RejectText ?? ExpectJsonPath ?? ExpectPattern) is not null) throw new DomainException("HEAD is answered without a body, so nothing can be expected of it. Choose GET.", "method");
        if (FollowRedirects == true && accepted.AreRedirects) throw new DomainException("Where nothing but redirects is accepted, they cannot be followed. Accept other codes, or do not follow.", "followRedirects");
        return this with { Method = Method == "GET" ? null : Method };
    }

    MonitorOptions ForHeartbeat()
    {
        if (PeriodSeconds is null == Cron is null) throw new DomainException("Say when pings come: either a period, or a crontab.", PeriodSeconds is null ? "periodSeconds" : "cron");
        if (Cron is null && Zone is not null) throw new DomainException("A zone belongs to a crontab; a period is the same everywhere.", "zone");
        return this with { GraceSeconds = GraceSeconds ?? 60, Zone = Cron is null ? null : Zone ?? "UTC" };
    }

    static string ValidQuery(string query)
    {
        var text = query.TrimEnd(';', ' ', '\n', '\t').TrimStart();
        string[] reading = ["select", "with", "values", "table", "show"];
        return reading.Any(w => text.StartsWith(w, StringComparison.OrdinalIgnoreCase) && (text.Length == w.Length || !char.IsLetterOrDigit(text[w.Length]) && text[w.Length] != '_')) ? text
            : throw new DomainException("The query is one statement that reads: it begins with SELECT, WITH, VALUES, TABLE or SHOW.", "query");
    }

    static string? ValidPattern(string? pattern)
    {
        try
        {
            if (pattern is not null) _ = new Regex(pattern, Matching, MatchTimeout);
            return pattern;
        }
        catch (ArgumentException e)
        {
            throw new DomainException($"The pattern is no regular expression: {e.Message}", "expectPattern");
        }
        catch (NotSupportedException)
        {
            throw new DomainException("The pattern looks ahead or behind, refers back, or repeats too much: such a pattern can take for ever on some answers. Write it without; what must not be there can stand in \"must not contain\".", "expectPattern");
        }
    }

    static string? ValidResolver(string? resolver) => resolver is null || MonitorTarget.SplitResolver(resolver) is not null ? resolver
        : throw new DomainException("The resolver is an address or a name, with a port if it is not 53: 9.9.9.9, ns1.example.com:5353, [2620:fe::fe]:53.", "resolver");

    static string? ValidZone(string? zone) => zone is null || zone.Length > 0 && !zone.StartsWith('/') && TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _) ? zone
        : throw new DomainException("There is no such zone. It is written like Europe/Berlin or UTC.", "zone");

    static string? OneOf(string? value, IReadOnlyList<string> all, string field, string label) => string.IsNullOrWhiteSpace(value) ? null
        : all.FirstOrDefault(a => a.Equals(value.Trim(), StringComparison.OrdinalIgnoreCase)) ?? throw new DomainException($"{label} is one of: {string.Join(", ", all)}.", field);

    static int? Within(int? value, int least, int most, string field, string words) => value is null || value >= least && value <= most ? value : throw new DomainException(words, field);

    /// <summary>Control characters may be what a protocol needs: SignalR ends its messages with one. U+0000 cannot be stored.</summary>
    static string? Bounded(string? value, string field, string label, int most)
    {
        if (string.IsNullOrEmpty(value)) return null;
        if (value.Length > most) throw new DomainException($"{label} has {value.Length:N0} characters; at most {most:N0} are allowed. Shorten it.", field);
        for (var i = 0; i < value.Length; i++)
        {
            if (char.IsHighSurrogate(value[i]) && i + 1 < value.Length && char.IsLowSurrogate(value[i + 1])) i++;
            else if (value[i] == '\0' || char.IsSurrogate(value[i])) throw new DomainException($"{label} contains what is no character at position {i + 1}. Remove it.", field);
        }
        return value;
    }

    public static string Word(MonitorKind kind) => kind.ToString().ToLowerInvariant();
}
