using Portal.Api;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;

namespace Portal.Features.Monitoring;

/// <summary>What only some kinds take, flat beside the rest; null takes a setting back. What they mean: <see cref="MonitorOptions"/>.</summary>
public abstract record MonitorOptionsBody
{
    public Given<string> Method { get; init; }
    public Given<string> Body { get; init; }
    public Given<string> ExpectText { get; init; }
    public Given<string> RejectText { get; init; }
    public Given<string> ExpectJsonPath { get; init; }
    public Given<string> ExpectJsonValue { get; init; }
    public Given<string> ExpectPattern { get; init; }
    public Given<int?> SlowerThanMilliseconds { get; init; }
    public Given<bool?> FollowRedirects { get; init; }
    public Given<int?> ExpectCertificateDays { get; init; }
    public Given<string> RecordType { get; init; }
    public Given<string> Resolver { get; init; }
    public Given<string> ExpectValue { get; init; }
    public Given<string> Query { get; init; }
    public Given<string> Service { get; init; }
    public Given<bool?> StartTls { get; init; }
    public Given<int?> PeriodSeconds { get; init; }
    public Given<string> Cron { get; init; }
    public Given<string> Zone { get; init; }
    public Given<int?> GraceSeconds { get; init; }

    /// <summary>Values of headers by their names, or <c>password</c>: all that there shall be. Null in place of a value keeps the one that is stored. They are stored sealed and never answered.</summary>
    public IReadOnlyDictionary<string, string?>? Secrets { get; init; }

    internal MonitorOptions Onto(MonitorOptions old) => new()
    {
        Method = Method.Or(old.Method),
        Body = Body.Or(old.Body),
        ExpectText = ExpectText.Or(old.ExpectText),
        RejectText = RejectText.Or(old.RejectText),
        ExpectJsonPath = ExpectJsonPath.Or(old.ExpectJsonPath),
        ExpectJsonValue = ExpectJsonValue.Or(old.ExpectJsonValue),
        ExpectPattern = ExpectPattern.Or(old.ExpectPattern),
        SlowerThanMilliseconds = SlowerThanMilliseconds.Or(old.SlowerThanMilliseconds),
        FollowRedirects = FollowRedirects.Or(old.FollowRedirects),
        ExpectCertificateDays = ExpectCertificateDays.Or(old.ExpectCertificateDays),
        RecordType = RecordType.Or(old.RecordType),
        Resolver = Resolver.Or(old.Resolver),
        ExpectValue = ExpectValue.Or(old.ExpectValue),
        Query = Query.Or(old.Query),
        Service = Service.Or(old.Service),
        StartTls = StartTls.Or(old.StartTls),
        PeriodSeconds = PeriodSeconds.Or(old.PeriodSeconds),
        Cron = Cron.Or(old.Cron),
        Zone = Zone.Or(old.Zone),
        GraceSeconds = GraceSeconds.Or(old.GraceSeconds),
    };
}

/// <param name="Target">An address of the kind; a heartbeat has none.</param>
/// <param name="Component">Slug or id.</param>
/// <param name="ExpectStatus">"200-399", "200,204".</param>
/// <param name="Impact">The component's status while the monitor is down.</param>
/// <param name="AllowPrivate">Needs the scope monitors:private; left out, a private target is refused.</param>
/// <param name="Critical">Customers cannot do without what it watches: it stands first in lists.</param>
/// <param name="PublicChart">What customers read above its response times on the status page; without it they see no chart.</param>
/// <param name="Tags">Labels to find it by: at most 20 of at most 50 letters, digits and - _ . : /.</param>
/// <param name="DampFlapping">After three outages within an hour the next one ends only when the target has held for five minutes; true unless said otherwise.</param>
/// <param name="Places">Names or ids of other machines that look as well, at most ten (see portal probe).</param>
/// <param name="FromHere">Whether the portal itself looks; true unless said otherwise.</param>
/// <param name="PlacesBeforeDown">So many places must find it down; 1 unless said otherwise.</param>
/// <param name="DependsOn">Ids of monitors of what it needs, at most five: while one of them is down, that is the cause of its outage.</param>
public sealed record NewMonitor(
    string? Name, string? Kind, string? Target, double? IntervalSeconds, double? TimeoutSeconds, string? Component, string? ExpectStatus,
    int? FailuresBeforeDown, int? Window, int? SuccessesBeforeUp, ComponentStatus? Impact, bool? AllowPrivate, bool? Paused, bool? Critical, string? PublicChart, bool? DampFlapping, IReadOnlyList<MonitorId>? DependsOn, IReadOnlyList<string>? Tags,
    IReadOnlyList<string>? Places, bool? FromHere, int? PlacesBeforeDown) : MonitorOptionsBody;

/// <summary>What is left out stays; <c>"component": null</c> detaches, <c>"publicChart": null</c> takes the chart off the status page.</summary>
/// <param name="AllowPrivate">Left out or null: a consent stands as long as the target does.</param>
/// <param name="Tags">All that there shall be.</param>
/// <param name="Version">Of the answer that is edited; or If-Match.</param>
public sealed record MonitorPatch(
    string? Name, string? Target, double? IntervalSeconds, double? TimeoutSeconds, Given<string> Component, string? ExpectStatus,
    int? FailuresBeforeDown, int? Window, int? SuccessesBeforeUp, ComponentStatus? Impact, bool? AllowPrivate, bool? Paused, bool? Critical, Given<string> PublicChart, bool? DampFlapping, IReadOnlyList<MonitorId>? DependsOn, IReadOnlyList<string>? Tags,
    IReadOnlyList<string>? Places, bool? FromHere, int? PlacesBeforeDown, uint? Version) : MonitorOptionsBody;

/// <summary>What one place found last.</summary>
/// <param name="Place">Null is the portal itself.</param>
public sealed record PlaceAnswer(ProbePlaceId? Place, MonitorHealth State, DateTimeOffset Since, DateTimeOffset LastCheckAt, double ResponseMilliseconds, int? LastStatusCode, string? Detail);

/// <param name="FoundBy">What each place found, where several look.</param>
/// <param name="UnjudgedSince">Since when its failures are not counted, because the portal itself reaches nothing.</param>
/// <param name="SecretNames">Which secrets there are; their values are never answered.</param>
/// <param name="HeartbeatUrl">Only where it was just made: the address that the job calls, shown once.</param>
public sealed record MonitorAnswer(
    MonitorId Id, string Name, MonitorKind Kind, string Target, double IntervalSeconds, double TimeoutSeconds, string? Component, ComponentId? ComponentId,
    string ExpectStatus, int FailuresBeforeDown, int Window, int SuccessesBeforeUp, ComponentStatus Impact, bool AllowPrivate, bool Paused, bool Critical, string? PublicChart, bool DampFlapping, IReadOnlyList<MonitorId> DependsOn, IReadOnlyList<string> Tags,
    IReadOnlyList<ProbePlaceId> Places, bool FromHere, int PlacesBeforeDown, bool BuiltIn,
    IReadOnlyList<string> SecretNames, string? HeartbeatUrl, double DetectsWithinSeconds, MonitorCondition State, DateTimeOffset Since, bool Flapping, DateTimeOffset? UnjudgedSince, IReadOnlyList<PlaceAnswer>? FoundBy, DateTimeOffset? LastCheckAt, double? ResponseMilliseconds, int? LastStatusCode, string? Detail,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, uint Version)
{
    public string? Method { get; init; }
    public string? Body { get; init; }
    public string? ExpectText { get; init; }
    public string? RejectText { get; init; }
    public string? ExpectJsonPath { get; init; }
    public string? ExpectJsonValue { get; init; }
    public string? ExpectPattern { get; init; }
    public int? SlowerThanMilliseconds { get; init; }
    public bool? FollowRedirects { get; init; }
    public int? ExpectCertificateDays { get; init; }
    public string? RecordType { get; init; }
    public string? Resolver { get; init; }
    public string? ExpectValue { get; init; }
    public string? Query { get; init; }
    public string? Service { get; init; }
    public bool? StartTls { get; init; }
    public int? PeriodSeconds { get; init; }
    public string? Cron { get; init; }
    public string? Zone { get; init; }
    public int? GraceSeconds { get; init; }

    internal MonitorAnswer With(MonitorOptions o) => this with { Method = o.Method, Body = o.Body, ExpectText = o.ExpectText, RejectText = o.RejectText, ExpectJsonPath = o.ExpectJsonPath, ExpectJsonValue = o.ExpectJsonValue, ExpectPattern = o.ExpectPattern, SlowerThanMilliseconds = o.SlowerThanMilliseconds, FollowRedirects = o.FollowRedirects, ExpectCertificateDays = o.ExpectCertificateDays, RecordType = o.RecordType, Resolver = o.Resolver, ExpectValue = o.ExpectValue, Query = o.Query, Service = o.Service, StartTls = o.StartTls, PeriodSeconds = o.PeriodSeconds, Cron = o.Cron, Zone = o.Zone, GraceSeconds = o.GraceSeconds };
}
