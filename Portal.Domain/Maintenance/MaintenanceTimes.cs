using Portal.Domain.Shared;

namespace Portal.Domain.Maintenance;

/// <summary>Where announced work stands. Source: the public read API, v2; cancelled is our own word, for work that never began.</summary>
public enum MaintenanceStatus { Scheduled, InProgress, Verifying, Completed, Cancelled }

/// <summary>All that decides how a window stands at an instant: nobody has to do anything at an edge, so that nodes, clocks and a database that is away cannot disagree.</summary>
/// <param name="VerifiesFrom">Null if nothing is verified at the end.</param>
/// <param name="CompletedAt">Null unless somebody ended it before its time.</param>
/// <param name="CancelledAt">Null unless it was cancelled, which is possible only before it begins.</param>
public sealed record MaintenanceTimes(DateTimeOffset StartsAt, DateTimeOffset EndsAt, DateTimeOffset? VerifiesFrom = null, DateTimeOffset? CompletedAt = null, DateTimeOffset? CancelledAt = null)
{
    public DateTimeOffset End => CompletedAt ?? EndsAt;

    /// <summary>When it is under way, half-open; empty if it was cancelled.</summary>
    public Interval UnderWay => new(StartsAt, CancelledAt is null ? End : StartsAt);

    public MaintenanceStatus StatusAt(DateTimeOffset now) =>
        CancelledAt is not null ? MaintenanceStatus.Cancelled
        : now < StartsAt ? MaintenanceStatus.Scheduled
        : now >= End ? MaintenanceStatus.Completed
        : now >= VerifiesFrom ? MaintenanceStatus.Verifying
        : MaintenanceStatus.InProgress;

    public bool IsUnderWay(DateTimeOffset now) => StatusAt(now) is MaintenanceStatus.InProgress or MaintenanceStatus.Verifying;

    public bool IsOver(DateTimeOffset now) => StatusAt(now) is MaintenanceStatus.Completed or MaintenanceStatus.Cancelled;

    /// <summary>What it becomes by itself and when, in the order of time, whether that lies behind or ahead.</summary>
    public IEnumerable<(MaintenanceStatus Status, DateTimeOffset At)> Edges
    {
        get
        {
            if (CancelledAt is { } cancelled)
            {
                yield return (MaintenanceStatus.Cancelled, cancelled);
                yield break;
            }
            yield return (MaintenanceStatus.InProgress, StartsAt);
            if (VerifiesFrom is { } from && from < End) yield return (MaintenanceStatus.Verifying, from > StartsAt ? from : StartsAt);
            yield return (MaintenanceStatus.Completed, End);
        }
    }
}

/// <summary>What a person typed as a local time, as an instant.</summary>
public static class WallClock
{
    /// <param name="local">As a clock in the zone shows it; where it shows it twice, the first time is meant.</param>
    /// <exception cref="DomainException">The clocks jump over it.</exception>
    public static DateTimeOffset Read(DateTime local, TimeZoneInfo zone, string field)
    {
        local = DateTime.SpecifyKind(local, DateTimeKind.Unspecified);
        if (zone.IsInvalidTime(local)) throw new DomainException($"The clocks in {zone.Id} jump over {local:HH:mm} on that day. Choose another time.", field);
        var offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset).ToUniversalTime();
    }
}
