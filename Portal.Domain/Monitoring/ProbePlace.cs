using Portal.Domain.Shared;

namespace Portal.Domain.Monitoring;

public readonly record struct ProbePlaceId(Guid Value) : IId<ProbePlaceId>
{
    public static ProbePlaceId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>Another machine from which targets are looked at: <c>portal probe</c> runs there. It is known by the name of its API key, so that a new key goes on with the same place.</summary>
public sealed class ProbePlace
{
    /// <summary>So long nothing is heard of a place until it is shown as lost. What it found last of a monitor counts a while longer, by that monitor's interval: see <see cref="PlaceState.Speaks"/>.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(45);
    /// <summary>Results that waited longer than this say nothing of the present; they are kept as history only.</summary>
    public static readonly TimeSpan OldestResult = TimeSpan.FromHours(1);

    ProbePlace() { }

    public ProbePlace(string name, DateTimeOffset now) => (Id, Name, CreatedAt, LastSeenAt) = (Shared.Id.New<ProbePlaceId>(now), Text.Required(name, "name", "The name", Text.NameLength), now, now);

    public ProbePlaceId Id { get; private set; }
    public string Name { get; private set; } = "";
    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset LastSeenAt { get; private set; }
    /// <summary>Of the program that runs there.</summary>
    public string? ProgramVersion { get; private set; }
    /// <summary>How far its clock is ahead of this one's, as seen last; it is shown and used for nothing.</summary>
    public TimeSpan ClockAhead { get; private set; }
    /// <summary>Results that it gave up in this session, because too many waited for the server.</summary>
    public long Dropped { get; private set; }
    /// <summary>One start of the program there.</summary>
    public Guid Session { get; private set; }
    /// <summary>The last result of this session that was taken: one that comes again is known by its number.</summary>
    public long LastSequence { get; private set; }

    public bool IsLost(DateTimeOffset now) => now - LastSeenAt > Patience;

    public void See(Guid session, string? version, TimeSpan clockAhead, long dropped, DateTimeOffset now)
    {
        if (session != Session) (Session, LastSequence) = (session, 0);
        (ProgramVersion, ClockAhead, Dropped, LastSeenAt) = (version, clockAhead, dropped, now > LastSeenAt ? now : LastSeenAt);
    }

    /// <returns>False when it was taken before: the answer to it was lost.</returns>
    public bool Take(long sequence)
    {
        if (sequence <= LastSequence) return false;
        LastSequence = sequence;
        return true;
    }
}
