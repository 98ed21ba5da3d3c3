using Portal.Domain.Incidents;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;

namespace Portal.Domain.Alerting;

public readonly record struct AlertId(Guid Value) : IId<AlertId>
{
    public static AlertId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>How far an alert is: it waits for somebody, somebody has it, or it is over.</summary>
public enum AlertState { Triggered, Acknowledged, Resolved }

/// <summary>Why an open alert pages nobody.</summary>
public enum AlertQuiet
{
    /// <summary>It pages as its service says.</summary>
    No,
    /// <summary>Somebody silenced its like.</summary>
    Silenced,
    /// <summary>What it is about is under announced maintenance.</summary>
    Maintenance,
    /// <summary>It joined an alert that has paged already.</summary>
    Grouped,
    /// <summary>Its service has no policy for this severity.</summary>
    Unrouted,
}

/// <summary>Something is wrong with a service, from the first signal to its end. Open alerts of a service with the same key are one.</summary>
public sealed class Alert
{
    Alert() { }

    /// <param name="signal">The first one, within its bounds.</param>
    public Alert(ServiceId service, AlertSignal signal, DateTimeOffset now, AlertId? id = null)
    {
        if (signal.Action != SignalAction.Trigger) throw new DomainException("An alert begins with a trigger.", "action");
        Id = id ?? Shared.Id.New<AlertId>(now);
        (ServiceId, Key, Severity, IsTest, RuleId, MonitorId, RaisedBy) = (service, signal.Key, signal.Severity, signal.IsTest, signal.Rule, signal.Monitor, signal.By);
        (Summary, Source, Labels, Details, Link) = (signal.Summary, signal.Source, [.. signal.Labels], signal.Details, signal.Link);
        (TriggeredAt, LastAt, Count) = (now, now, 1);
        // What the sender's clock says counts only where it can be: detection cannot precede the fault, and a wrong clock must not move figures by days.
        BeganAt = signal.At is { } at && at <= now && at > now.AddDays(-1) ? at : now;
    }

    public AlertId Id { get; private set; }
    public ServiceId ServiceId { get; private set; }
    public string Key { get; private set; } = "";
    public Severity Severity { get; private set; }
    public string Summary { get; private set; } = "";
    public string Source { get; private set; } = "";
    public IReadOnlyList<AlertLabel> Labels { get; private set; } = [];
    /// <summary>JSON of the sender's own, of the last signal that had any.</summary>
    public string? Details { get; private set; }
    public string? Link { get; private set; }
    public AlertState State { get; private set; }
    /// <summary>Triggers that were heard of it.</summary>
    public long Count { get; private set; }
    /// <summary>When the fault began, by its source; else <see cref="TriggeredAt"/>.</summary>
    public DateTimeOffset BeganAt { get; private set; }
    /// <summary>When it became an alert: the detection.</summary>
    public DateTimeOffset TriggeredAt { get; private set; }
    /// <summary>The last trigger.</summary>
    public DateTimeOffset LastAt { get; private set; }
    /// <summary>Since when somebody has it; null while nobody does.</summary>
    public DateTimeOffset? AcknowledgedAt { get; private set; }
    public string? AcknowledgedBy { get; private set; }
    /// <summary>When a person first took it: the end of MTTA.</summary>
    public DateTimeOffset? FirstHumanAt { get; private set; }
    /// <summary>Not before this does it page again; null unless somebody snoozed it.</summary>
    public DateTimeOffset? SnoozedUntil { get; private set; }
    public DateTimeOffset? ResolvedAt { get; private set; }
    public string? ResolvedBy { get; private set; }
    /// <summary>When it ended by its source, which said so; null where it is open or somebody resolved it by hand.</summary>
    public DateTimeOffset? EndedAt { get; private set; }
    public AlertQuiet Quiet { get; private set; }
    /// <summary>What silenced it, in words; null unless it is quiet.</summary>
    public string? QuietBecause { get; private set; }
    /// <summary>The alert that pages for this one too; null unless it joined a group.</summary>
    public AlertId? GroupId { get; private set; }
    /// <summary>How many have joined this one.</summary>
    public int GroupCount { get; private set; }
    /// <summary>When the last one joined; null while none has.</summary>
    public DateTimeOffset? GroupedAt { get; private set; }
    public bool IsTest { get; private set; }
    public AlertRuleId? RuleId { get; private set; }
    public MonitorId? MonitorId { get; private set; }
    public string? RaisedBy { get; private set; }
    public IncidentId? IncidentId { get; private set; }
    public uint Version { get; private set; }

    public bool IsOpen => State != AlertState.Resolved;

    /// <summary>Heard again. A worse severity counts, a milder one does not: whoever was paged for the worst is not told later that it was nothing.</summary>
    /// <returns>Whether it became worse.</returns>
    public bool Again(AlertSignal signal, DateTimeOffset now)
    {
        RequireOpen();
        Count++;
        LastAt = now;
        (Summary, Details, Link) = (signal.Summary, signal.Details ?? Details, signal.Link ?? Link);
        if (signal.Severity >= Severity) return false;
        Severity = signal.Severity;
        return true;
    }

    /// <summary>Somebody takes it; a second time it is theirs.</summary>
    public void Acknowledge(Actor by, DateTimeOffset now)
    {
        RequireOpen();
        (State, AcknowledgedBy, AcknowledgedAt, SnoozedUntil) = (AlertState.Acknowledged, by.Name, AcknowledgedAt ?? now, null);
        if (by.Kind == ActorKind.Person) FirstHumanAt ??= now;
    }

    /// <summary>Nobody has it any more: the acknowledgement ran out, or was taken back.</summary>
    public void Release()
    {
        RequireOpen();
        (State, AcknowledgedBy, AcknowledgedAt, SnoozedUntil) = (AlertState.Triggered, null, null, null);
    }

    /// <summary>Somebody has seen it and wants to be paged again later.</summary>
    /// <param name="until">In the future, at most a week ahead.</param>
    public void Snooze(DateTimeOffset until, Actor by, DateTimeOffset now)
    {
        if (until <= now) throw new DomainException("An alert is snoozed until a time in the future.", "until");
        if (until > now.AddDays(7)) throw new DomainException("An alert is snoozed for at most 7 days.", "until");
        Acknowledge(by, now);
        SnoozedUntil = until;
    }

    /// <summary>It is over; a second time it stays as it was.</summary>
    /// <param name="by">A name; null: by itself.</param>
    public void Resolve(string? by, DateTimeOffset now)
    {
        if (!IsOpen) return;
        (State, ResolvedAt, ResolvedBy, SnoozedUntil) = (AlertState.Resolved, now, by, null);
    }

    /// <summary>Its source says that it is over; a second time it stays as it was.</summary>
    /// <param name="at">When, by the source's clock; what cannot be counts as now.</param>
    public void End(DateTimeOffset? at, DateTimeOffset now)
    {
        if (!IsOpen) return;
        Resolve(null, now);
        EndedAt = at is { } said && said <= now && said >= BeganAt ? said : now;
    }

    /// <summary>It pages nobody.</summary>
    public void Hush(AlertQuiet why, string because) => (Quiet, QuietBecause) = (why, because);

    /// <summary>It pages from now on: what silenced it is over, or the alert that it had joined is.</summary>
    public void Speak() => (Quiet, QuietBecause, GroupId) = (AlertQuiet.No, null, null);

    /// <summary>Another one pages for this one too.</summary>
    public void Join(Alert head, DateTimeOffset now)
    {
        if (head.Id == Id || head.GroupId is not null) throw new DomainException("An alert joins another one that pages by itself.");
        GroupId = head.Id;
        Hush(AlertQuiet.Grouped, $"Joined: {head.Summary}");
        head.GroupCount++;
        head.GroupedAt = now;
    }

    /// <summary>It became worse than the one that it had joined, and pages by itself.</summary>
    public void Leave(Alert head)
    {
        if (GroupId != head.Id) return;
        if (head.GroupCount > 0) head.GroupCount--;
        Speak();
    }

    /// <summary>Takes the place of the first of its group, which is over: it pages for the others, and the time in which others join runs on.</summary>
    /// <param name="others">What had joined the first one too and is still open.</param>
    public void TakeOver(Alert first, IReadOnlyCollection<Alert> others)
    {
        Speak();
        foreach (var other in others) (other.GroupId, other.Quiet, other.QuietBecause) = (Id, AlertQuiet.Grouped, $"Joined: {Summary}");
        (GroupCount, GroupedAt) = (others.Count, others.Count > 0 ? first.GroupedAt : null);
    }

    /// <summary>By what it is silenced and found: the labels that its sender gave, and <c>service</c>, <c>severity</c> and <c>source</c>.</summary>
    /// <param name="service">The short name of its service.</param>
    public IReadOnlyCollection<AlertLabel> AllLabels(string service) => [.. Labels, new("service", service), new("severity", Severity.ToString()), new("source", Source)];

    /// <summary>Whether another alert of the service joins this one now.</summary>
    /// <param name="window">Of the service; zero groups nothing.</param>
    public bool Takes(Alert other, TimeSpan window, DateTimeOffset now) => IsHeadFor(other) && now - (GroupedAt ?? TriggeredAt) < window && now - TriggeredAt < TimeSpan.FromDays(1);

    /// <summary>Whether it could page for the other one too, whenever that was.</summary>
    public bool IsHeadFor(Alert other) => IsOpen && GroupId is null && Quiet == AlertQuiet.No && IsTest == other.IsTest && other.Severity >= Severity && ServiceId == other.ServiceId && Id != other.Id;

    public void LinkTo(IncidentId incident) => IncidentId = incident;

    void RequireOpen()
    {
        if (!IsOpen) throw new DomainException("It is resolved already. If it happens again, a new alert tells of it.");
    }
}

/// <summary>What happened to an alert.</summary>
public enum AlertEventKind { Triggered, Again, Worse, Paged, PagedNobody, Delivered, NotDelivered, Acknowledged, Released, Snoozed, Escalated, Reassigned, Resolved, Hushed, Spoke, Grouped, Exhausted, Noted, Linked }

/// <summary>One line of an alert's timeline.</summary>
public sealed class AlertEvent
{
    public const int TextLength = 500;

    AlertEvent() { }

    /// <param name="by">Who did it; null: the portal.</param>
    /// <param name="text">In words, without secrets; what is too long is cut.</param>
    public AlertEvent(AlertId alert, AlertEventKind kind, string? by, string text, DateTimeOffset now) =>
        (Id, AlertId, Kind, By, Text, At) = (Guid.CreateVersion7(now), alert, kind, by, text.Length <= TextLength ? text : string.Concat(text.AsSpan(0, TextLength - 1), "…"), now);

    public Guid Id { get; private set; }
    public AlertId AlertId { get; private set; }
    public DateTimeOffset At { get; private set; }
    public AlertEventKind Kind { get; private set; }
    public string? By { get; private set; }
    public string Text { get; private set; } = "";
}
