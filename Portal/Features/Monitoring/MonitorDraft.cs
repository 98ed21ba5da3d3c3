using System.Globalization;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring;

/// <summary>What stands in the editor's fields.</summary>
public sealed class MonitorDraft
{
    public string Name { get; set; } = "";
    public MonitorKind Kind { get; set; }
    public string Target { get; set; } = "";
    public string IntervalSeconds { get; set; } = "60";
    public string TimeoutSeconds { get; set; } = "10";
    public string Component { get; set; } = "";
    public string FailuresBeforeDown { get; set; } = "2";
    public string Window { get; set; } = "2";
    public string SuccessesBeforeUp { get; set; } = "1";
    public ComponentStatus Impact { get; set; } = ComponentStatus.MajorOutage;
    public string ExpectStatus { get; set; } = "200-399";
    public bool AllowPrivate { get; set; }
    public bool Critical { get; set; }
    public string PublicChart { get; set; } = "";
    public string Tags { get; set; } = "";
    public bool DampFlapping { get; set; } = true;
    public IReadOnlyList<MonitorId> DependsOn { get; set; } = [];
    public IReadOnlyList<ProbePlaceId> Places { get; set; } = [];
    public bool FromHere { get; set; } = true;
    public string PlacesBeforeDown { get; set; } = "1";
    public OptionsDraft Options { get; set; } = new();

    public static MonitorDraft Of(Monitor m) => new()
    {
        Name = m.Name,
        Kind = m.Kind,
        Target = m.Target,
        IntervalSeconds = Written((int)m.Interval.TotalSeconds),
        TimeoutSeconds = Written((int)m.Timeout.TotalSeconds),
        Component = m.ComponentId?.ToString() ?? "",
        FailuresBeforeDown = Written(m.FailuresBeforeDown),
        Window = Written(m.Window),
        SuccessesBeforeUp = Written(m.SuccessesBeforeUp),
        Impact = m.Impact,
        ExpectStatus = m.ExpectStatus,
        AllowPrivate = m.AllowPrivate,
        Critical = m.Critical,
        PublicChart = m.PublicChart ?? "",
        Tags = string.Join(", ", m.Tags),
        DampFlapping = m.DampFlapping,
        DependsOn = m.DependsOn,
        Places = m.Places,
        FromHere = m.FromHere,
        PlacesBeforeDown = Written(m.PlacesBeforeDown),
        Options = OptionsDraft.Of(m),
    };

    /// <summary>Another kind, with what is usual for it.</summary>
    public void Choose(MonitorKind kind)
    {
        var usual = kind == MonitorKind.Heartbeat ? "1" : "2";
        if (kind == MonitorKind.Heartbeat != (Kind == MonitorKind.Heartbeat)) (FailuresBeforeDown, Window) = (usual, usual);
        Kind = kind;
    }

    /// <summary>Another machine looks too, or no longer; as many as can be are not wanted unasked, but never more than look.</summary>
    public void Choose(ProbePlaceId place, bool on)
    {
        Places = on ? [.. Places.Append(place).Distinct()] : [.. Places.Where(p => p != place)];
        var looking = Places.Count + (FromHere ? 1 : 0);
        if (Number(PlacesBeforeDown) is { } wanted && wanted > looking) PlacesBeforeDown = Written(Math.Max(1, looking));
    }

    /// <summary>Null while the fields hold no numbers within their bounds.</summary>
    public TimeSpan? DetectsWithin => Number(IntervalSeconds) is { } interval and >= 10 and <= 86_400 && Number(TimeoutSeconds) is { } timeout and >= 1 and <= 60 && Number(FailuresBeforeDown) is { } failures and >= 1 and <= 10
        ? Monitor.DetectionTime(TimeSpan.FromSeconds(interval), TimeSpan.FromSeconds(timeout), failures, TimeSpan.FromSeconds(Kind == MonitorKind.Heartbeat ? Number(Options.GraceSeconds) ?? 60 : 0)) : null;

    /// <exception cref="DomainException">A field holds no whole number; it is named.</exception>
    public MonitorSettings Settings
    {
        get
        {
            var failures = Whole(FailuresBeforeDown, "failuresBeforeDown", "from 1 to 10");
            return new(Name, Kind, Target.Trim(),
                TimeSpan.FromSeconds(Whole(IntervalSeconds, "intervalSeconds", "of seconds from 10 to 86,400 (1 day)")), TimeSpan.FromSeconds(Whole(TimeoutSeconds, "timeoutSeconds", "of seconds from 1 to 60")),
                Id.TryParse<ComponentId>(Component, out var component) ? component : null,
                failures, Math.Max(Whole(Window, "window", "up to 20, at least as many as failures are needed"), failures), Whole(SuccessesBeforeUp, "successesBeforeUp", "from 1 to 10"), Impact, ExpectStatus, Critical: Critical, PublicChart: PublicChart,
                Options: Options.For(Kind), DampFlapping: DampFlapping, DependsOn: DependsOn, Tags: MonitorTags.Parse(Tags),
                Places: Kind == MonitorKind.Heartbeat ? [] : Places, FromHere: FromHere || Kind == MonitorKind.Heartbeat, PlacesBeforeDown: Kind == MonitorKind.Heartbeat || Places.Count == 0 ? 1 : Whole(PlacesBeforeDown, "placesBeforeDown", "from 1 to as many as look"));
        }
    }

    internal static int Whole(string text, string field, string bounds) => Number(text) ?? throw new DomainException($"This must be a whole number {bounds}.", field);

    static int? Number(string text) => int.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var number) ? number : null;

    internal static string Written(int number) => number.ToString(CultureInfo.InvariantCulture);
}
