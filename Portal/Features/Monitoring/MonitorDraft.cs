using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring;

/// <summary>What stands in the editor's fields.</summary>
sealed class MonitorDraft
{
    public string Name { get; set; } = "";
    public string Target { get; set; } = "";
    public int IntervalSeconds { get; set; } = 60;
    public int TimeoutSeconds { get; set; } = 10;
    public string Component { get; set; } = "";
    public int FailuresBeforeDown { get; set; } = 2;
    public int Window { get; set; } = 2;
    public int SuccessesBeforeUp { get; set; } = 1;
    public ComponentStatus Impact { get; set; } = ComponentStatus.MajorOutage;
    public string ExpectStatus { get; set; } = "200-399";
    public bool AllowPrivate { get; set; } = true;
    public bool Critical { get; set; }

    public static MonitorDraft Of(Monitor m) => new()
    {
        Name = m.Name,
        Target = m.Target,
        IntervalSeconds = (int)m.Interval.TotalSeconds,
        TimeoutSeconds = (int)m.Timeout.TotalSeconds,
        Component = m.ComponentId?.ToString() ?? "",
        FailuresBeforeDown = m.FailuresBeforeDown,
        Window = m.Window,
        SuccessesBeforeUp = m.SuccessesBeforeUp,
        Impact = m.Impact,
        ExpectStatus = m.ExpectStatus,
        Critical = m.Critical,
    };

    public TimeSpan DetectsWithin => Monitor.DetectionTime(TimeSpan.FromSeconds(IntervalSeconds), TimeSpan.FromSeconds(TimeoutSeconds), FailuresBeforeDown);

    public MonitorSettings Settings => new(Name, MonitorKind.Http, Target.Trim(), TimeSpan.FromSeconds(IntervalSeconds), TimeSpan.FromSeconds(TimeoutSeconds),
        Id.TryParse<ComponentId>(Component, out var component) ? component : null, FailuresBeforeDown, Math.Max(Window, FailuresBeforeDown), SuccessesBeforeUp, Impact, ExpectStatus, Critical: Critical);
}
