using Portal.Domain.Access;
using Portal.Domain.Shared;

namespace Portal.Domain.OnCall;

public readonly record struct OnCallOverrideId(Guid Value) : IId<OnCallOverrideId>
{
    public static OnCallOverrideId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

public readonly record struct SwapId(Guid Value) : IId<SwapId>
{
    public static SwapId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>For a time somebody is on call instead of somebody else, as well, or not at all.</summary>
/// <remarks>Who is to leave and is not on call leaves nobody in their place. Overrides are applied one after the other as they were made: a later one sees what the earlier ones left.</remarks>
public sealed class OnCallOverride
{
    public static readonly TimeSpan Longest = TimeSpan.FromDays(366);

    OnCallOverride() { }

    /// <param name="remove">Who is not on call; null only adds.</param>
    /// <param name="add">Who is; null only removes.</param>
    /// <param name="swap">The exchange of two shifts of which this is one half.</param>
    /// <exception cref="DomainException">Names the field.</exception>
    public OnCallOverride(OnCallScheduleId schedule, Interval time, PersonId? remove, PersonId? add, string by, DateTimeOffset now, SwapId? swap = null, OnCallOverrideId? id = null)
    {
        if (remove is null && add is null) throw new DomainException("Say who is on call, who is not, or both.", "add");
        if (remove == add) throw new DomainException("Nobody can stand in for themselves.", "add");
        if (time.IsEmpty) throw new DomainException("It must end after it begins.", "to");
        if (time.Length > Longest) throw new DomainException($"It takes at most {Longest.TotalDays:0} days: change the rotation instead.", "to");
        if (time.To <= now) throw new DomainException("That time is over: who was on call is history.", "to");
        Id = id ?? Shared.Id.New<OnCallOverrideId>(now);
        (ScheduleId, Remove, Add, SwapId, MadeBy, MadeAt) = (schedule, remove, add, swap, by, now);
        (From, To) = (ZoneClock.Checked(time.From, "from"), ZoneClock.Checked(time.To, "to"));
    }

    public OnCallOverrideId Id { get; private set; }
    public OnCallScheduleId ScheduleId { get; private set; }
    public DateTimeOffset From { get; private set; }
    public DateTimeOffset To { get; private set; }
    public PersonId? Remove { get; private set; }
    public PersonId? Add { get; private set; }
    public SwapId? SwapId { get; private set; }
    public string MadeBy { get; private set; } = "";
    public DateTimeOffset MadeAt { get; private set; }

    /// <summary>Half-open.</summary>
    public Interval Time => new(From, To);

    internal void End(DateTimeOffset now) => To = now.ToUniversalTime();
}
