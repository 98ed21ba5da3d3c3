using Portal.Domain.Access;
using Portal.Domain.Shared;

namespace Portal.Domain.OnCall;

/// <summary>Somebody who is on call, and by what: exactly one of the reasons is there.</summary>
/// <param name="Layer">The layer's name.</param>
/// <param name="Override">What put them there.</param>
/// <param name="Temporary">The temporary schedule that names them.</param>
public sealed record OnCallPerson(PersonId Person, string? Layer = null, OnCallOverrideId? Override = null, TemporaryScheduleId? Temporary = null);

/// <summary>A span during which the same people are on call by the same reasons; as long as that holds.</summary>
public sealed record Stretch(Interval Time, IReadOnlyList<OnCallPerson> People)
{
    public bool Has(PersonId person) => People.Any(p => p.Person == person);
}

/// <summary>A moment at which other people come on call.</summary>
public sealed record HandOver(DateTimeOffset At, IReadOnlyList<PersonId> From, IReadOnlyList<PersonId> To);

/// <summary>A layer with its rotation; without rotation and person nobody is in it.</summary>
public sealed record RosterLayer(string Name, Rotation? Rotation, PersonId? Person, WeeklyTimes? Only)
{
    internal PersonId? PersonAt(DateTimeOffset at, TimeZoneInfo zone) => Only?.Holds(at, zone) != false ? Person ?? Rotation?.OnDutyAt(at) : null;

    internal IReadOnlyList<Shift> Shifts(Interval range, TimeZoneInfo zone)
    {
        var shifts = Person is { } person ? [new Shift(person, range)] : Rotation?.Shifts(range.From, range.To) ?? [];
        if (Only is null || range.IsEmpty) return shifts;
        var (kept, next) = (new List<Shift>(), 0);
        foreach (var open in Only.Within(range, zone))
        {
            while (next < shifts.Count && shifts[next].Time.To <= open.From) next++;
            for (var i = next; i < shifts.Count && shifts[i].Time.From < open.To; i++) kept.Add(shifts[i] with { Time = shifts[i].Time.Intersect(open) });
        }
        return kept;
    }
}

/// <summary>A schedule with everything that decides who is on call: asked for an instant, a range, or what comes next. Saved or still a draft, it answers the same.</summary>
/// <remarks>A temporary schedule says all while it lasts. Else the first layer that has somebody counts, and overrides change that in the order in which they were made.</remarks>
public sealed class Roster
{
    readonly TimeZoneInfo zone;
    readonly IReadOnlyList<RosterLayer> layers;
    readonly OnCallOverride[] overrides;
    readonly TemporarySchedule[] temporaries;

    /// <param name="zone">IANA id, for the times of the week of layers.</param>
    /// <param name="layers">The highest first.</param>
    /// <param name="temporaries">If two have the same time, the later one of the list counts.</param>
    public Roster(string zone, IReadOnlyList<RosterLayer> layers, IEnumerable<OnCallOverride> overrides, IEnumerable<TemporarySchedule> temporaries)
    {
        (this.zone, this.layers, this.temporaries) = (ZoneClock.Zone(zone), layers, [.. temporaries]);
        // A stable order: those of one moment stay as they were added.
        this.overrides = [.. overrides.OrderBy(o => o.MadeAt)];
    }

    /// <summary>Who is on call, each once; empty if nobody is.</summary>
    public IReadOnlyList<OnCallPerson> OnCallAt(DateTimeOffset at)
    {
        at = ZoneClock.Checked(at);
        return Settled(at, layers.Select(l => l.PersonAt(at, zone) is { } person ? new OnCallPerson(person, l.Name) : null).FirstOrDefault(p => p is not null));
    }

    /// <summary>The whole range without holes, cut wherever people or reasons change; empty if the range is.</summary>
    /// <exception cref="DomainException">The range cannot be computed: <see cref="ZoneClock.Range"/>.</exception>
    public IReadOnlyList<Stretch> Stretches(DateTimeOffset from, DateTimeOffset to)
    {
        var range = ZoneClock.Range(from, to);
        if (range.IsEmpty) return [];
        var shifts = layers.Select(l => l.Shifts(range, zone)).ToArray();
        var (stretches, next) = (new List<Stretch>(), new int[shifts.Length]);
        var edges = Edges(range, shifts);
        for (var i = 0; i + 1 < edges.Count; i++)
        {
            OnCallPerson? standing = null;
            for (var layer = 0; layer < shifts.Length; layer++)
            {
                while (next[layer] < shifts[layer].Count && shifts[layer][next[layer]].Time.To <= edges[i]) next[layer]++;
                if (standing is null && next[layer] < shifts[layer].Count && shifts[layer][next[layer]] is var shift && shift.Time.From <= edges[i]) standing = new(shift.Person, layers[layer].Name);
            }
            var people = Settled(edges[i], standing);
            if (stretches.Count > 0 && stretches[^1].People.SequenceEqual(people)) stretches[^1] = stretches[^1] with { Time = new(stretches[^1].Time.From, edges[i + 1]) };
            else stretches.Add(new(new(edges[i], edges[i + 1]), people));
        }
        return stretches;
    }

    /// <summary>Who is on call within a range, clipped to it: one shift for as long as somebody is on call without a break, by whatever reason. By their beginning.</summary>
    public IReadOnlyList<Shift> Shifts(DateTimeOffset from, DateTimeOffset to)
    {
        var (shifts, open) = (new List<Shift>(), new Dictionary<PersonId, int>());
        foreach (var stretch in Stretches(from, to))
        {
            foreach (var person in stretch.People.Select(p => p.Person))
                if (open.TryGetValue(person, out var at) && shifts[at].Time.To == stretch.Time.From) shifts[at] = new(person, new(shifts[at].Time.From, stretch.Time.To));
                else
                {
                    open[person] = shifts.Count;
                    shifts.Add(new(person, stretch.Time));
                }
        }
        return shifts;
    }

    /// <summary>Where nobody is on call, in their order, none touching another.</summary>
    public IReadOnlyList<Interval> Gaps(DateTimeOffset from, DateTimeOffset to) =>
        WeeklyTimes.Merged(Stretches(from, to).Where(s => s.People.Count == 0).Select(s => s.Time));

    /// <summary>The first moment after this one at which other people are on call; null if none comes within <see cref="ZoneClock.LongestRange"/>.</summary>
    public HandOver? NextHandOver(DateTimeOffset after)
    {
        // Most come within days: what lies far ahead is computed only where it must.
        foreach (var days in new[] { 8, 40, ZoneClock.LongestRange.TotalDays })
        {
            var until = ZoneClock.Checked(after).AddDays(days);
            var stretches = Stretches(after, until < ZoneClock.Known.To ? until : ZoneClock.Known.To.AddTicks(-1));
            if (stretches.Count == 0) return null;
            var from = stretches[0].People.Select(p => p.Person).ToList();
            foreach (var stretch in stretches)
                if (stretch.People.Select(p => p.Person).ToList() is var to && !to.ToHashSet().SetEquals(from)) return new(stretch.Time.From, from, to);
        }
        return null;
    }

    List<OnCallPerson> Settled(DateTimeOffset at, OnCallPerson? standing)
    {
        if (temporaries.LastOrDefault(t => t.Time.Covers(at)) is { } temporary)
            return [.. temporary.Shifts.Where(s => s.Time.Covers(at)).Select(s => s.Person).Distinct().Select(p => new OnCallPerson(p, Temporary: temporary.Id))];
        var people = new List<OnCallPerson>();
        if (standing is not null) people.Add(standing);
        foreach (var change in overrides)
        {
            if (!change.Time.Covers(at)) continue;
            if (change.Remove is { } leaves && people.RemoveAll(p => p.Person == leaves) == 0) continue;
            if (change.Add is { } comes && !people.Exists(p => p.Person == comes)) people.Add(new(comes, Override: change.Id));
        }
        return people;
    }

    /// <summary>Everything at which something may change, the range's own ends first and last.</summary>
    List<DateTimeOffset> Edges(Interval range, IReadOnlyList<Shift>[] shifts)
    {
        var times = shifts.SelectMany(s => s).Select(s => s.Time).Concat(overrides.Select(o => o.Time)).Concat(temporaries.SelectMany(t => t.Shifts.Select(s => s.Time).Append(t.Time)));
        var edges = new SortedSet<DateTimeOffset> { range.From, range.To };
        foreach (var edge in times.SelectMany(t => new[] { t.From, t.To }).Where(e => e > range.From && e < range.To)) edges.Add(edge);
        return [.. edges];
    }
}
