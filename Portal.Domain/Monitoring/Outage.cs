using Portal.Domain.Shared;
using Portal.Domain.StatusPages;

namespace Portal.Domain.Monitoring;

public readonly record struct OutageId(Guid Value) : IId<OutageId>
{
    public static OutageId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>One failing check, kept as evidence.</summary>
public sealed record FailedCheck(DateTimeOffset At, int? StatusCode, string? Detail, double Milliseconds);

/// <summary>A confirmed span in which a monitor was down: the record from which strips are computed. Raw results may be deleted, this is not.</summary>
public sealed class Outage
{
    /// <summary>So many failing results are copied in.</summary>
    public const int EvidenceSize = 20;

    Outage() { }

    public Outage(Monitor monitor, DateTimeOffset from, DateTimeOffset? lastGood, IEnumerable<FailedCheck> evidence)
    {
        Id = Shared.Id.New<OutageId>(from);
        (MonitorId, MonitorName, ComponentId, Status, From) = (monitor.Id, monitor.Name, monitor.ComponentId, monitor.Impact, from);
        EarliestFrom = lastGood ?? from;
        Evidence = [.. evidence.Take(EvidenceSize)];
        Cause = Evidence.Count > 0 ? Evidence[^1].Detail ?? "The check failed." : "The check failed.";
    }

    public OutageId Id { get; private set; }
    public MonitorId MonitorId { get; private set; }
    public string MonitorName { get; private set; } = "";
    public ComponentId? ComponentId { get; private set; }
    public ComponentStatus Status { get; private set; }
    /// <summary>The failure that confirmed it, in words.</summary>
    public string Cause { get; private set; } = "";
    /// <summary>Start of the first failing check.</summary>
    public DateTimeOffset From { get; private set; }
    /// <summary>Start of the first good check after it; null while it lasts.</summary>
    public DateTimeOffset? To { get; private set; }
    /// <summary>The last good check before: it may have begun at any time since.</summary>
    public DateTimeOffset EarliestFrom { get; private set; }
    /// <summary>The last bad check: it may have ended at any time since. Null while it lasts.</summary>
    public DateTimeOffset? EarliestTo { get; private set; }
    public IReadOnlyList<FailedCheck> Evidence { get; private set; } = [];
    /// <summary>The outage of what it depends on that is its cause, itself without a further one; null where it stands for itself.</summary>
    public OutageId? CausedBy { get; private set; }
    /// <summary>Since when it is an alert; null while it is none: something else is its cause, announced work covers it, or no rule is about its monitor.</summary>
    public DateTimeOffset? AlertedAt { get; private set; }

    /// <summary>Whether what is down there can have caused this: it was not seen well any more after this began.</summary>
    public bool CanComeOf(Outage other) => other.Id != Id && From >= other.EarliestFrom;

    /// <summary>One cause for all: the root, never a link in the chain.</summary>
    public void Blame(Outage other) => CausedBy = other.CausedBy ?? other.Id;

    public void Alert(DateTimeOffset at) => AlertedAt = at;

    /// <summary>It is no alert of its own any more.</summary>
    public void Retract() => AlertedAt = null;

    public void Witness(FailedCheck check)
    {
        if (Evidence.Count < EvidenceSize) Evidence = [.. Evidence, check];
    }

    public void Close(DateTimeOffset at, DateTimeOffset? lastBad)
    {
        To = at > From ? at : From;
        EarliestTo = lastBad is { } bad && bad > From && bad < To ? bad : To;
    }
}

/// <summary>A span in which a monitor should have looked and did not: the portal was down, or it was paused. Open while <see cref="To"/> is null.</summary>
public sealed class ObservationGap
{
    public const string Paused = "Paused", Unwatched = "Nothing was checked", NoConnection = "The portal itself had no connection";

    ObservationGap() { }

    public ObservationGap(MonitorId monitor, ComponentId? component, DateTimeOffset from, DateTimeOffset? to, string reason) =>
        (Id, MonitorId, ComponentId, From, To, Reason) = (Guid.CreateVersion7(from), monitor, component, from, to, reason);

    public Guid Id { get; private set; }
    public MonitorId MonitorId { get; private set; }
    public ComponentId? ComponentId { get; private set; }
    public DateTimeOffset From { get; private set; }
    public DateTimeOffset? To { get; private set; }
    public string Reason { get; private set; } = "";

    public void Close(DateTimeOffset at) => To = at > From ? at : From;
}

/// <summary>Which node runs a shard of monitors. The epoch rises with every change of hands and fences late writes.</summary>
public sealed class ShardLease
{
    public int Shard { get; private set; }
    public string Node { get; private set; } = "";
    public long Epoch { get; private set; }
    public DateTimeOffset ExpiresAt { get; private set; }
}

/// <summary>A running process that shares the work. It says so again and again; one that fell silent is counted no more from <see cref="ExpiresAt"/> on, by the database's clock.</summary>
public sealed class LiveNode
{
    public string Name { get; private set; } = "";
    public DateTimeOffset ExpiresAt { get; private set; }
    /// <summary>Since when it has said so in time, without a break.</summary>
    public DateTimeOffset SteadySince { get; private set; }
}
