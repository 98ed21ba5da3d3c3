using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;

namespace Portal.Domain.Maintenance;

public readonly record struct MaintenanceId(Guid Value) : IId<MaintenanceId>
{
    public static MaintenanceId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>What a person decides about announced work.</summary>
/// <param name="Message">What customers read, before and while it lasts.</param>
/// <param name="Zone">IANA id of the zone in which it was planned.</param>
/// <param name="VerifyFor">So long before the end the work is done and being verified; zero for not at all.</param>
public sealed record MaintenancePlan(
    string Title, string Message, DateTimeOffset StartsAt, DateTimeOffset EndsAt, string Zone, TimeSpan VerifyFor, IReadOnlyList<ComponentId> Components);

/// <summary>Announced work on components, once. Which state it is in follows from its times (<see cref="MaintenanceTimes"/>): nothing is written when it begins or ends.</summary>
/// <remarks>A recurring one will be a series that makes such windows; a window stays one piece of work with an address and an id of its own.</remarks>
public sealed class MaintenanceWindow
{
    public static readonly TimeSpan Longest = TimeSpan.FromDays(30), FarthestAhead = TimeSpan.FromDays(366);
    public const int MostComponents = 200;

    /// <summary>What lies behind by no more than this was typed as now, and begins now.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(1);

    MaintenanceWindow() { }

    /// <param name="id">Made by whoever schedules, so that a form sent twice is one window; null makes one.</param>
    public MaintenanceWindow(MaintenancePlan plan, Actor by, DateTimeOffset now, MaintenanceId? id = null)
    {
        now = Whole(now);
        Id = id ?? Shared.Id.New<MaintenanceId>(now);
        CreatedAt = UpdatedAt = now;
        CreatedBy = by.Name;
        (StartsAt, EndsAt) = (DateTimeOffset.MaxValue, DateTimeOffset.MaxValue);
        Take(plan, now);
    }

    public MaintenanceId Id { get; private set; }
    public string Title { get; private set; } = "";
    public string Message { get; private set; } = "";
    public DateTimeOffset StartsAt { get; private set; }
    public DateTimeOffset EndsAt { get; private set; }
    public string Zone { get; private set; } = "";
    public TimeSpan VerifyFor { get; private set; }
    /// <summary>When somebody said by hand that only verifying is left; null leaves it to <see cref="VerifyFor"/>.</summary>
    public DateTimeOffset? VerifyingAt { get; private set; }
    public DateTimeOffset? CompletedAt { get; private set; }
    public DateTimeOffset? CancelledAt { get; private set; }
    public string CreatedBy { get; private set; } = "";
    public DateTimeOffset CreatedAt { get; private set; }
    /// <summary>The last change of the plan or step by hand; posts leave it.</summary>
    public DateTimeOffset UpdatedAt { get; private set; }
    /// <summary>How often it was changed: calendars take a higher one for newer.</summary>
    public int Sequence { get; private set; }
    /// <summary>What people wrote to it, oldest first; its edges are not written.</summary>
    public IReadOnlyList<MaintenanceUpdate> Updates => updates;
    readonly List<MaintenanceUpdate> updates = [];
    /// <summary>The components, also those that were taken out while it was under way.</summary>
    public IReadOnlyList<MaintainedComponent> Scope => scope;
    readonly List<MaintainedComponent> scope = [];
    public uint Version { get; private set; }

    public IReadOnlyList<ComponentId> Components => [.. scope.Where(s => s.RemovedAt is null).Select(s => s.ComponentId)];

    public MaintenancePlan Plan => new(Title, Message, StartsAt, EndsAt, Zone, VerifyFor, Components);

    public MaintenanceTimes Times => new(StartsAt, EndsAt, VerifyingAt ?? (VerifyFor > TimeSpan.Zero ? EndsAt - VerifyFor : null), CompletedAt, CancelledAt);

    public MaintenanceStatus StatusAt(DateTimeOffset now) => Times.StatusAt(now);

    /// <summary>Before it begins everything can change; afterwards its start stays, and a component counts from when it was added: no outage is excused after the fact.</summary>
    public void Change(MaintenancePlan plan, Actor by, DateTimeOffset now)
    {
        now = Whole(now);
        var before = Plan;
        Take(plan, now);
        if (Whole(before.StartsAt) != StartsAt || Whole(before.EndsAt) != EndsAt)
            Note($"Moved from {Span(before.StartsAt, before.EndsAt)} to {Span(StartsAt, EndsAt)}.", by, now);
        Changed(now);
    }

    /// <summary>Begins it before its time.</summary>
    public void Start(Actor by, DateTimeOffset now)
    {
        now = Whole(now);
        if (StatusAt(now) != MaintenanceStatus.Scheduled) throw Refused("started", now);
        if (EndsAt - now > Longest) throw new DomainException("It would last more than 30 days from now. Bring its end forward first.", "endsAt");
        Note($"Started by hand; {Stamp(StartsAt)} was planned.", by, now);
        StartsAt = now;
        Changed(now);
    }

    /// <summary>The work is done, and being verified until the end.</summary>
    public void Verify(Actor by, DateTimeOffset now)
    {
        now = Whole(now);
        if (StatusAt(now) != MaintenanceStatus.InProgress) throw Refused("verified", now);
        VerifyingAt = now;
        Note("Verifying by hand.", by, now);
        Changed(now);
    }

    /// <summary>Ends it before its time; the rest is given back.</summary>
    public void Complete(Actor by, DateTimeOffset now)
    {
        now = Whole(now);
        if (!Times.IsUnderWay(now)) throw Refused("ended", now);
        Note($"Ended by hand; {Stamp(EndsAt)} was planned.", by, now);
        CompletedAt = now;
        Changed(now);
    }

    /// <summary>Calls it off before it begins.</summary>
    public void Cancel(Actor by, DateTimeOffset now)
    {
        now = Whole(now);
        if (StatusAt(now) != MaintenanceStatus.Scheduled) throw Refused("cancelled", now);
        CancelledAt = now;
        Note("Cancelled.", by, now);
        Changed(now);
    }

    /// <summary>Takes a cancellation back, as long as its start is still ahead.</summary>
    public void Reinstate(Actor by, DateTimeOffset now)
    {
        now = Whole(now);
        if (CancelledAt is null) throw new DomainException("This maintenance is not cancelled.", "status");
        if (now >= StartsAt) throw new DomainException("Its start has passed: schedule another one.", "status");
        CancelledAt = null;
        Note("The cancellation was taken back.", by, now);
        Changed(now);
    }

    /// <param name="id">Made by whoever posts, so that a post sent twice is one update; null makes one.</param>
    public MaintenanceUpdate Post(string message, UpdateVisibility visibility, Actor author, DateTimeOffset now, MaintenanceUpdateId? id = null)
    {
        var update = new MaintenanceUpdate(this, StatusAt(now), message, visibility, author, now, id);
        updates.Add(update);
        return update;
    }

    void Take(MaintenancePlan plan, DateTimeOffset now)
    {
        var status = StatusAt(now);
        if (status is MaintenanceStatus.Completed or MaintenanceStatus.Cancelled) throw Refused("changed", now);
        var begun = status != MaintenanceStatus.Scheduled;
        var (start, end) = (Whole(plan.StartsAt), Whole(plan.EndsAt));
        MaintenanceRules.Require(plan, begun ? StartsAt : null, start, end, now);
        Title = Text.Required(plan.Title, "title", "The title", Text.TitleLength);
        Message = Text.Required(plan.Message, "message", "The message", Text.MessageLength);
        (StartsAt, EndsAt, Zone, VerifyFor) = (begun || start > now ? start : now, end, plan.Zone, plan.VerifyFor);
        foreach (var gone in scope.Where(s => s.RemovedAt is null && !plan.Components.Contains(s.ComponentId)).ToList())
            if (begun) gone.Remove(now);
            else scope.Remove(gone);
        foreach (var added in plan.Components.Except(Components)) scope.Add(new MaintainedComponent(Id, added, now));
    }

    void Changed(DateTimeOffset now) => (UpdatedAt, Sequence) = (now, Sequence + 1);

    void Note(string words, Actor by, DateTimeOffset now) => Post(words, UpdateVisibility.Internal, by, now);

    DomainException Refused(string what, DateTimeOffset now) => new(StatusAt(now) switch
    {
        MaintenanceStatus.Scheduled => $"It has not begun: it cannot be {what} yet.",
        MaintenanceStatus.Completed => $"It is over and cannot be {what} any more. Schedule another one.",
        MaintenanceStatus.Cancelled => $"It is cancelled and cannot be {what}. Take the cancellation back, or schedule another one.",
        _ when what == "cancelled" => "It is under way and cannot be cancelled: end it instead.",
        _ => $"It is under way already and cannot be {what}.",
    }, "status");

    static string Span(DateTimeOffset from, DateTimeOffset to) => $"{Stamp(from)} – {Stamp(to)}";

    static string Stamp(DateTimeOffset at) => at.UtcDateTime.ToString("d MMM yyyy, HH:mm 'UTC'", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Programs are told whole milliseconds: what they send back must be what stands.</summary>
    static DateTimeOffset Whole(DateTimeOffset at) => at.AddTicks(-(at.Ticks % TimeSpan.TicksPerMillisecond)).ToUniversalTime();
}

/// <summary>A component while a window covers it. It is under maintenance then, whatever else is said of it.</summary>
public sealed class MaintainedComponent
{
    MaintainedComponent() { }

    internal MaintainedComponent(MaintenanceId window, ComponentId component, DateTimeOffset now) =>
        (Id, WindowId, ComponentId, AddedAt) = (Guid.CreateVersion7(now), window, component, now);

    public Guid Id { get; private set; }
    public MaintenanceId WindowId { get; private set; }
    public ComponentId ComponentId { get; private set; }
    public DateTimeOffset AddedAt { get; private set; }
    /// <summary>When it was taken out of a window that was under way; null while it belongs to it.</summary>
    public DateTimeOffset? RemovedAt { get; private set; }

    internal void Remove(DateTimeOffset now) => RemovedAt = now;

    /// <summary>When the window covers it: not before it was named, not after it was taken out.</summary>
    public Interval Covered(MaintenanceTimes times) => times.UnderWay.Intersect(new(AddedAt, RemovedAt ?? DateTimeOffset.MaxValue));
}
