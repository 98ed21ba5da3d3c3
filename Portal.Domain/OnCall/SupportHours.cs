using Portal.Domain.Incidents;
using Portal.Domain.Shared;

namespace Portal.Domain.OnCall;

/// <summary>When a service's people work. What is not urgent (P2, P3) waits until then; P0 and P1 never wait.</summary>
public sealed record SupportHours
{
    /// <param name="zone">IANA id.</param>
    /// <exception cref="DomainException">Not a zone.</exception>
    public SupportHours(WeeklyTimes times, string zone) => (Times, Zone) = (times, ZoneClock.Zone(zone).Id);

    public WeeklyTimes Times { get; }
    public string Zone { get; }

    public bool IsOpen(DateTimeOffset at) => Times.Holds(ZoneClock.Checked(at), ZoneClock.Zone(Zone));

    /// <summary>The first instant, this one included, at which they are open.</summary>
    public DateTimeOffset NextOpen(DateTimeOffset at) => Times.Next(ZoneClock.Checked(at), ZoneClock.Zone(Zone));

    /// <summary>When the first step of an alert fires.</summary>
    /// <param name="hours">Null for a service that is looked after at all hours.</param>
    public static DateTimeOffset FirstAt(SupportHours? hours, Severity severity, DateTimeOffset at) =>
        hours is null || severity is Severity.P0 or Severity.P1 ? at : hours.NextOpen(at);
}
