using Portal.Domain.Shared;

namespace Portal.Domain.OnCall;

public readonly record struct TemporaryScheduleId(Guid Value) : IId<TemporaryScheduleId>
{
    public static TemporaryScheduleId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>For a range, fixed shifts instead of everything else: layers and overrides say nothing while it lasts.</summary>
public sealed class TemporarySchedule
{
    public const int MostShifts = 500;
    public static readonly TimeSpan Longest = TimeSpan.FromDays(92);

    TemporarySchedule() { }

    /// <param name="shifts">Within the time; several people may be on call at once, and where there is no shift nobody is.</param>
    /// <exception cref="DomainException">Names the field.</exception>
    public TemporarySchedule(OnCallScheduleId schedule, Interval time, IReadOnlyList<Shift> shifts, string by, DateTimeOffset now, TemporaryScheduleId? id = null)
    {
        if (time.IsEmpty) throw new DomainException("It must end after it begins.", "to");
        if (time.Length > Longest) throw new DomainException($"A temporary schedule takes at most {Longest.TotalDays:0} days: change the layers instead.", "to");
        if (time.To <= now) throw new DomainException("That time is over: who was on call is history.", "to");
        if (shifts.Count is 0 or > MostShifts) throw new DomainException($"A temporary schedule has 1 to {MostShifts} shifts.", "shifts");
        foreach (var shift in shifts)
        {
            if (shift.Time.IsEmpty) throw new DomainException("A shift must end after it begins.", "shifts");
            if (shift.Time.Intersect(time) != shift.Time) throw new DomainException("Every shift lies within the time of the temporary schedule.", "shifts");
        }
        Id = id ?? Shared.Id.New<TemporaryScheduleId>(now);
        (ScheduleId, MadeBy, MadeAt) = (schedule, by, now);
        (From, To) = (ZoneClock.Checked(time.From, "from"), ZoneClock.Checked(time.To, "to"));
        Shifts = [.. shifts.OrderBy(s => s.Time.From).Select(s => s with { Time = new(s.Time.From.ToUniversalTime(), s.Time.To.ToUniversalTime()) })];
    }

    public TemporaryScheduleId Id { get; private set; }
    public OnCallScheduleId ScheduleId { get; private set; }
    public DateTimeOffset From { get; private set; }
    public DateTimeOffset To { get; private set; }
    public IReadOnlyList<Shift> Shifts { get; private set; } = [];
    public string MadeBy { get; private set; } = "";
    public DateTimeOffset MadeAt { get; private set; }

    /// <summary>Half-open.</summary>
    public Interval Time => new(From, To);

    internal void End(DateTimeOffset now) => To = now.ToUniversalTime();
}
