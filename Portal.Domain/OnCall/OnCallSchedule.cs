using Portal.Domain.Access;
using Portal.Domain.Shared;

namespace Portal.Domain.OnCall;

public readonly record struct OnCallScheduleId(Guid Value) : IId<OnCallScheduleId>
{
    public static OnCallScheduleId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>One layer of a schedule: a rotation or one person, always or at times of the week.</summary>
/// <param name="Rotation">Null where it is one person.</param>
/// <param name="Person">Null where it is a rotation.</param>
/// <param name="Only">In the zone of the schedule; null is always.</param>
public sealed record OnCallLayer(string Name, RotationId? Rotation, PersonId? Person, WeeklyTimes? Only = null)
{
    /// <exception cref="DomainException">Names the field.</exception>
    internal OnCallLayer Checked() => Rotation is null == Person is null
        ? throw new DomainException("A layer is a rotation or a person: choose one of them.", "layers")
        : this with { Name = Text.Required(Name, "layers", "The name of a layer", Text.NameLength) };
}

/// <summary>Who is on call and when: layers of which the first that has somebody counts, overrides, temporary schedules and swaps.</summary>
public sealed class OnCallSchedule
{
    public const int MostLayers = 20;
    public const int MostOverrides = 1_000;

    OnCallSchedule() { }

    /// <param name="zone">IANA id: for the times of the week, and in which people read it.</param>
    /// <exception cref="DomainException">Names the field.</exception>
    public OnCallSchedule(string name, string zone, IReadOnlyList<OnCallLayer> layers, DateTimeOffset now, OnCallScheduleId? id = null)
    {
        Id = id ?? Shared.Id.New<OnCallScheduleId>(now);
        CreatedAt = now;
        Change(name, zone, layers);
    }

    public OnCallScheduleId Id { get; private set; }
    public string Name { get; private set; } = "";
    public string Zone { get; private set; } = "UTC";
    /// <summary>The highest first: it covers those after it while it has somebody.</summary>
    public IReadOnlyList<OnCallLayer> Layers { get; private set; } = [];
    public IReadOnlyList<OnCallOverride> Overrides => overrides;
    readonly List<OnCallOverride> overrides = [];
    /// <summary>No two at the same time.</summary>
    public IReadOnlyList<TemporarySchedule> Temporaries => temporaries;
    readonly List<TemporarySchedule> temporaries = [];
    public DateTimeOffset CreatedAt { get; private set; }
    public uint Version { get; private set; }

    public void Change(string name, string zone, IReadOnlyList<OnCallLayer> layers)
    {
        if (layers.Count > MostLayers) throw new DomainException($"A schedule has at most {MostLayers} layers.", "layers");
        (Name, Zone, Layers) = (Text.Required(name, "name", "The name", Text.NameLength), ZoneClock.Zone(zone).Id, [.. layers.Select(l => l.Checked())]);
    }

    /// <summary>The schedule with its rotations, ready to be asked.</summary>
    /// <param name="rotations">Null for one that is gone: nobody is on duty in it.</param>
    public Roster Roster(Func<RotationId, Rotation?> rotations) => new(Zone,
        [.. Layers.Select(l => new RosterLayer(l.Name, l.Rotation is { } id ? rotations(id) : null, l.Person, l.Only))], overrides, temporaries);

    /// <param name="remove">Who is not on call; null only adds.</param>
    /// <param name="add">Who is; null only removes.</param>
    public OnCallOverride Override(Interval time, PersonId? remove, PersonId? add, string by, DateTimeOffset now, OnCallOverrideId? id = null)
    {
        RequireRoom(1, now);
        var made = new OnCallOverride(Id, time, remove, add, by, now, id: id);
        overrides.Add(made);
        return made;
    }

    /// <summary>Two people exchange two shifts: each has the other's. It is two overrides which come and go together.</summary>
    /// <param name="mine">Still to begin, like <paramref name="theirs"/>; each person is on call throughout their own and not during the other's.</param>
    /// <param name="roster">This schedule's, as it stands.</param>
    /// <exception cref="DomainException">Says which shift cannot be exchanged and why.</exception>
    public SwapId Swap(Shift mine, Shift theirs, Roster roster, string by, DateTimeOffset now)
    {
        if (mine.Person == theirs.Person) throw new DomainException("Two different people exchange shifts.", "theirs");
        if (!mine.Time.Intersect(theirs.Time).IsEmpty) throw new DomainException("Shifts at the same time cannot be exchanged: each would stand in for the other.", "theirs");
        foreach (var (shift, other, field) in new[] { (mine, theirs, "mine"), (theirs, mine, "theirs") })
        {
            if (shift.Time.From < now) throw new DomainException("A shift that has begun cannot be exchanged: make an override for the rest of it.", field);
            var stretches = roster.Stretches(shift.Time.From, shift.Time.To);
            if (stretches.Count == 0 || stretches.Any(s => !s.Has(shift.Person))) throw new DomainException("Whose shift is exchanged must be on call throughout it. Look at the schedule again: somebody may have changed it.", field);
            if (stretches.Any(s => s.Has(other.Person))) throw new DomainException("Whoever takes the shift is on call then already: one of two would be missing.", field);
            if (stretches.Any(s => s.People.Any(p => p.Temporary is not null))) throw new DomainException("A temporary schedule says who is on call then: change that one.", field);
        }
        RequireRoom(2, now);
        var swap = Shared.Id.New<SwapId>(now);
        overrides.AddRange([
            new(Id, mine.Time, mine.Person, theirs.Person, by, now, swap),
            new(Id, theirs.Time, theirs.Person, mine.Person, by, now, swap)]);
        return swap;
    }

    /// <summary>Takes an override back, of a swap both halves; one that has begun ends now.</summary>
    /// <exception cref="NotFoundException">No such override.</exception>
    /// <exception cref="DomainException">It is over, or a half of its swap has begun.</exception>
    public void Withdraw(OnCallOverrideId id, DateTimeOffset now)
    {
        var found = overrides.Find(o => o.Id == id) ?? throw new NotFoundException("override");
        var all = overrides.Where(o => o == found || (found.SwapId is { } swap && o.SwapId == swap)).ToList();
        if (found.SwapId is not null && all.Any(o => o.From < now)) throw new DomainException("One of the exchanged shifts has begun: the other one is owed. Make an override instead.");
        if (found.To <= now) throw new DomainException("That time is over: who was on call is history.");
        if (found.From < now) found.End(now);
        else overrides.RemoveAll(all.Contains);
    }

    /// <exception cref="DomainException">Another temporary schedule has part of that time.</exception>
    public TemporarySchedule Plan(Interval time, IReadOnlyList<Shift> shifts, string by, DateTimeOffset now, TemporaryScheduleId? id = null)
    {
        if (temporaries.Any(t => !t.Time.Intersect(time).IsEmpty)) throw new DomainException("Another temporary schedule has part of that time: remove it first.", "from");
        var made = new TemporarySchedule(Id, time, shifts, by, now, id);
        temporaries.Add(made);
        return made;
    }

    /// <summary>Takes a temporary schedule back; one that has begun ends now.</summary>
    /// <exception cref="NotFoundException">No such temporary schedule.</exception>
    /// <exception cref="DomainException">It is over.</exception>
    public void Withdraw(TemporaryScheduleId id, DateTimeOffset now)
    {
        var found = temporaries.Find(t => t.Id == id) ?? throw new NotFoundException("temporary schedule");
        if (found.To <= now) throw new DomainException("That time is over: who was on call is history.");
        if (found.From < now) found.End(now);
        else temporaries.Remove(found);
    }

    void RequireRoom(int more, DateTimeOffset now)
    {
        if (overrides.Count(o => o.To > now) + more > MostOverrides) throw new DomainException($"A schedule has at most {MostOverrides:N0} overrides that are not over: change the layers instead.");
    }
}
