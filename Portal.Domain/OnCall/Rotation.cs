using Portal.Domain.Access;
using Portal.Domain.Shared;

namespace Portal.Domain.OnCall;

public readonly record struct RotationId(Guid Value) : IId<RotationId>
{
    public static RotationId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>Somebody's time on duty, half-open.</summary>
public sealed record Shift(PersonId Person, Interval Time);

/// <summary>People who are on duty one after the other, in a fixed order, handing over as <see cref="HandOvers"/> says. Before its start, and with nobody in it, nobody is on duty.</summary>
/// <remarks>A function of time: no node has to do anything at a hand-over. The hand-over that counts is the latest of the list which has come; one that the clocks push behind its successor passes its person over.</remarks>
public sealed class Rotation
{
    public const int MostParticipants = 100;

    Rotation() { }

    /// <param name="zone">IANA id, in whose local time it hands over.</param>
    /// <param name="start">When the first participant's first turn begins, as a clock in the zone shows it; a whole minute of the years 2000 to 2199.</param>
    /// <param name="participants">In their order; none, or up to <see cref="MostParticipants"/>; somebody may be named twice.</param>
    /// <exception cref="DomainException">Names the field.</exception>
    public Rotation(string name, string zone, DateTime start, HandOvers handOvers, IReadOnlyList<PersonId> participants, DateTimeOffset now, RotationId? id = null)
    {
        Id = id ?? Shared.Id.New<RotationId>(now);
        CreatedAt = now;
        Set(name, zone, start, handOvers, participants);
    }

    public RotationId Id { get; private set; }
    public string Name { get; private set; } = "";
    /// <summary>IANA id.</summary>
    public string Zone { get; private set; } = "UTC";
    /// <summary>Local time of the zone.</summary>
    public DateTime Start { get; private set; }
    public HandOvers HandOvers { get; private set; } = HandOvers.Weekly();
    public IReadOnlyList<PersonId> Participants { get; private set; } = [];
    /// <summary>Whose the first turn is, as a place in the list; moved so that a change of the list takes nobody off duty.</summary>
    public int First { get; private set; }
    /// <summary>As long as nobody has changed it, everybody who can sign in is in it, and this is how many turns it is ahead of the first such rotation; null once people look after it.</summary>
    public int? KeepsAhead { get; private set; }
    public DateTimeOffset CreatedAt { get; private set; }
    public uint Version { get; private set; }

    /// <summary>Everybody is in it from now on, until somebody changes it by hand.</summary>
    public Rotation KeptFilled(int ahead)
    {
        KeepsAhead = ahead;
        return this;
    }

    /// <summary>Puts everybody in it, in the same order as in the one that it follows; whoever is on duty there keeps as far ahead as it says.</summary>
    /// <param name="lead">Who is on duty in the first such rotation; null where nobody is.</param>
    /// <param name="leadAhead">How far ahead that one is.</param>
    /// <returns>False where nothing is different.</returns>
    public bool Fill(IReadOnlyList<PersonId> people, PersonId? lead, int leadAhead, DateTimeOffset now)
    {
        if (KeepsAhead - leadAhead is not { } ahead) return false;
        PersonId[] all = [.. people.Take(MostParticipants)];
        if (all.SequenceEqual(Participants)) return false;
        Participants = all;
        Seat(all.Length == 0 ? 0 : (Math.Max(0, Array.FindIndex(all, p => p == lead)) + ahead) % all.Length, now);
        return true;
    }

    /// <summary>Changes all of it. Whoever is on duty stays so until the next hand-over; if they have left the list, the one who would have followed takes over at once, else the first of the list.</summary>
    /// <remarks>Turns that are over are computed from the new list too: who was paged is what the alert remembers, not what a rotation would say today.</remarks>
    public void Change(string name, string zone, DateTime start, HandOvers handOvers, IReadOnlyList<PersonId> participants, DateTimeOffset now)
    {
        var turn = TurnAt(now);
        IReadOnlyList<PersonId> inTheirOrder = turn < 0 || Participants.Count == 0 ? [] : [.. Enumerable.Range(0, Participants.Count).Select(i => HolderOf(turn + i))];
        var (place, same) = (inTheirOrder.Count == 0 ? 0 : PlaceOf(turn), participants.SequenceEqual(Participants));
        Set(name, zone, start, handOvers, participants);
        if (!same) place = Math.Max(0, Participants.ToList().IndexOf(inTheirOrder.FirstOrDefault(Participants.Contains)));
        Seat(place, now);
        KeepsAhead = null;
    }

    /// <summary>Makes somebody of the list the one who is on duty now; the order stays.</summary>
    /// <exception cref="DomainException">Not in the list, or it has not begun.</exception>
    public void PutOnDuty(PersonId person, DateTimeOffset now)
    {
        if (TurnAt(now) < 0) throw new DomainException($"{Name} has not begun yet: change the order instead.", "person");
        var place = Participants.ToList().IndexOf(person);
        Seat(place >= 0 ? place : throw new DomainException($"Only somebody in {Name} can be on duty in it. Add them first.", "person"), now);
        KeepsAhead = null;
    }

    /// <summary>Who is on duty; null if nobody is.</summary>
    public PersonId? OnDutyAt(DateTimeOffset at) => Participants.Count > 0 && TurnAt(at) is >= 0 and var turn ? HolderOf(turn) : null;

    /// <summary>The turns of a range, clipped to it, in their order; one for each turn, also where somebody follows upon themselves.</summary>
    public IReadOnlyList<Shift> Shifts(DateTimeOffset from, DateTimeOffset to)
    {
        var range = ZoneClock.Range(from, to);
        var shifts = new List<Shift>();
        if (Participants.Count == 0 || range.IsEmpty) return shifts;
        var (turn, since) = (TurnAt(range.From), range.From);
        while (since < range.To)
        {
            var (next, at) = After(turn);
            var until = at < range.To ? at : range.To;
            if (turn >= 0) shifts.Add(new(HolderOf(turn), new(since, until)));
            (turn, since) = (next, until);
        }
        return shifts;
    }

    /// <summary>When the next turn after this instant begins, whoever has it.</summary>
    public DateTimeOffset HandOverAfter(DateTimeOffset at) => After(TurnAt(at)).At;

    long TurnAt(DateTimeOffset at)
    {
        var zone = ZoneClock.Zone(Zone);
        at = ZoneClock.Checked(at);
        // Where the clocks were just set back, a turn may have begun although the wall shows less than its time.
        var setBack = zone.GetUtcOffset(at - ZoneClock.LongestJump) - zone.GetUtcOffset(at);
        var turn = HandOvers.TurnAt(ZoneClock.Wall(at, zone) + (setBack > TimeSpan.Zero ? setBack : TimeSpan.Zero), Start);
        while (turn >= 0 && ZoneClock.At(HandOvers.BeginningOf(turn, Start), zone) > at) turn--;
        return turn;
    }

    (long Turn, DateTimeOffset At) After(long turn)
    {
        var (zone, after, earliest) = (ZoneClock.Zone(Zone), turn, DateTimeOffset.MaxValue);
        // What is skipped comes later than it is written, maybe after what follows it: look on to the first that is not.
        for (var next = turn + 1; ; next++)
        {
            var at = ZoneClock.At(HandOvers.BeginningOf(next, Start), zone, out var skipped);
            if (at <= earliest) (after, earliest) = (next, at);
            if (!skipped) return (after, earliest);
        }
    }

    int PlaceOf(long turn) => (int)((turn + First) % Participants.Count);

    PersonId HolderOf(long turn) => Participants[PlaceOf(turn)];

    void Seat(int place, DateTimeOffset now)
    {
        var (turn, count) = (TurnAt(now), Participants.Count);
        First = turn < 0 || count == 0 ? 0 : (int)(((place - turn) % count + count) % count);
    }

    void Set(string name, string zone, DateTime start, HandOvers handOvers, IReadOnlyList<PersonId> participants)
    {
        if (start < ZoneClock.Known.From.DateTime || start >= ZoneClock.Known.To.DateTime || start.Ticks % TimeSpan.TicksPerMinute != 0)
            throw new DomainException("A rotation starts at a whole minute in the years 2000 to 2199.", "start");
        if (participants.Count > MostParticipants) throw new DomainException($"A rotation has at most {MostParticipants} places.", "participants");
        (Name, Zone) = (Text.Required(name, "name", "The name", Text.NameLength), ZoneClock.Zone(zone).Id);
        (Start, HandOvers, Participants) = (DateTime.SpecifyKind(start, DateTimeKind.Unspecified), handOvers, [.. participants]);
    }
}
