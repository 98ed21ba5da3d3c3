using Portal.Domain.Access;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using static Portal.Tests.OnCall.RandomSchedule;

namespace Portal.Tests.OnCall;

/// <summary>A year, with all its changes of the clocks, against <see cref="MinuteByMinute"/>: not a minute may differ.</summary>
public class YearOfRotationsTests
{
    const int Seeds = 4;
    static readonly int First = MinuteOf(From), Last = MinuteOf(To);

    public static IEnumerable<object[]> Years => from zone in Zones from seed in Enumerable.Range(1, Seeds) select new object[] { zone, seed };

    public static IEnumerable<object[]> Rhythms => from zone in Zones.Append("Africa/Casablanca") from rhythm in Enum.GetValues<HandOverRhythm>() select new object[] { zone, rhythm };

    static int MinuteOf(DateTimeOffset at) => (int)(at.UtcDateTime - MinuteByMinute.Base).TotalMinutes;

    [Theory]
    [MemberData(nameof(Rhythms))]
    public void Every_rhythm_has_the_turns_of_a_clock_that_is_watched_all_year(string zone, HandOverRhythm rhythm)
    {
        var seed = (int)rhythm * 10 + Array.IndexOf(Zones, zone);
        var random = new Random(seed);
        var handOvers = Draw(rhythm, random);
        var start = MinuteByMinute.Base.AddDays(random.Next(1, 120)).Add(Time(random).ToTimeSpan());
        // A monthly one begins on the last day of a month, where it can go wrong.
        if (rhythm == HandOverRhythm.Monthly) start = start.AddDays(DateTime.DaysInMonth(start.Year, start.Month) - start.Day);
        var rotation = new Rotation("Rotation", zone, start, handOvers, People, Crew.Past);
        var duty = MinuteByMinute.In(zone).Duty(handOvers, start, People.Length);
        var expected = Runs(First, Last, (a, b) => duty[a] == duty[b]).Where(r => duty[r.From] >= 0).Select(r => new Shift(People[duty[r.From]], Between(r))).ToList();
        var shifts = rotation.Shifts(From, To);
        AssertSame(expected, shifts, $"{zone}, {rhythm}, every {handOvers.Every}, start {start}, seed {seed}");
        foreach (var (person, time) in shifts.Skip(1).Where(_ => random.Next(shifts.Count) < 200))
        {
            Assert.Equal(time.From, rotation.HandOverAfter(time.From.AddTicks(-1)));
            Assert.Equal(person, rotation.OnDutyAt(time.From));
            Assert.NotEqual(person, rotation.OnDutyAt(time.From.AddTicks(-1)));
        }
    }

    [Theory]
    [MemberData(nameof(Years))]
    public void A_year_of_a_schedule_is_that_of_the_slow_reference(string zone, int seed)
    {
        var drawn = new RandomSchedule(zone, seed);
        var on = OnCall(drawn);
        var why = $"{zone}, seed {seed}";
        var runs = Runs(First, Last, (a, b) => on[a] == on[b]);
        var expected = new List<Shift>();
        for (var person = 0; person < People.Length; person++)
            expected.AddRange(Runs(First, Last, (a, b) => (on[a] >> person & 1) == (on[b] >> person & 1)).Where(r => (on[r.From] >> person & 1) == 1).Select(r => new Shift(People[person], Between(r))));
        AssertSame(Sorted(expected), Sorted(drawn.Roster.Shifts(From, To)), $"{why}: shifts");
        Assert.True(runs.Where(r => on[r.From] == 0).Select(Between).SequenceEqual(drawn.Roster.Gaps(From, To)), $"{why}: gaps");
        Assert.Equal(new Interval(From, To), new Interval(drawn.Roster.Stretches(From, To)[0].Time.From, drawn.Roster.Stretches(From, To)[^1].Time.To));

        var random = new Random(seed);
        foreach (var (from, to) in runs.Where(_ => random.Next(runs.Count) < 100))
        {
            Assert.True(on[from] == MaskAt(drawn.Roster, MinuteByMinute.UtcOf(from)), $"{why}: at {MinuteByMinute.UtcOf(from)}");
            Assert.True(on[from] == MaskAt(drawn.Roster, MinuteByMinute.UtcOf(to).AddTicks(-1)), $"{why}: before {MinuteByMinute.UtcOf(to)}");
        }
        foreach (var (from, to) in runs.Where(r => r.To < Last && random.Next(runs.Count) < 5))
        {
            var next = drawn.Roster.NextHandOver(MinuteByMinute.UtcOf(random.Next(from, to)))!;
            Assert.True((MinuteByMinute.UtcOf(to), on[from], on[to]) == (next.At, Mask(next.From), Mask(next.To)), $"{why}: the hand-over at {MinuteByMinute.UtcOf(to)}");
        }
    }

    [Fact]
    public void The_schedules_that_are_drawn_have_everything_in_them()
    {
        var drawn = (from zone in Zones from seed in Enumerable.Range(1, Seeds) select new RandomSchedule(zone, seed)).ToList();
        var rotations = drawn.SelectMany(d => d.Rotations.Values).ToList();
        Assert.Equal(Enum.GetValues<HandOverRhythm>(), rotations.Select(r => r.HandOvers.Rhythm).Distinct().Order());
        Assert.Contains(rotations, r => r.Participants.Count == 0);
        Assert.Contains(drawn, d => d.Schedule.Layers.Any(l => l.Person is not null) && d.Schedule.Layers.Any(l => l.Only is not null));
        Assert.Contains(drawn, d => d.Rotations.Values.Any(r => r.Zone != d.Schedule.Zone));
        Assert.Contains(drawn, d => d.Schedule.Temporaries.Count == 2);
        Assert.Equal(3, drawn.SelectMany(d => d.Schedule.Overrides).Select(o => (o.Add is null, o.Remove is null)).Distinct().Count());
        Assert.Contains(drawn, d => d.Roster.Gaps(From, To).Count > 0);
        Assert.Contains(drawn, d => d.Roster.Stretches(From, To).Any(s => s.People.Count > 2));
    }

    /// <summary>By minute: who is on call, a bit for each person.</summary>
    static int[] OnCall(RandomSchedule drawn)
    {
        var layers = drawn.Schedule.Layers.Select(l => (Holds: MinuteByMinute.In(drawn.Schedule.Zone).Holds(l.Only), l.Person,
            Rotation: l.Rotation is { } id ? drawn.Rotations[id] : null,
            Duty: l.Rotation is { } of && drawn.Rotations[of] is var r ? MinuteByMinute.In(r.Zone).Duty(r.HandOvers, r.Start, r.Participants.Count) : null)).ToList();
        var overrides = drawn.Schedule.Overrides.OrderBy(o => o.MadeAt).Select(o => (From: MinuteOf(o.From), To: MinuteOf(o.To), Remove: BitOf(o.Remove), Add: BitOf(o.Add))).ToList();
        var temporaries = drawn.Schedule.Temporaries.Select(t => (From: MinuteOf(t.From), To: MinuteOf(t.To), Shifts: t.Shifts.Select(s => (From: MinuteOf(s.Time.From), To: MinuteOf(s.Time.To), Bit: BitOf(s.Person))).ToList())).ToList();
        var on = new int[Last + 1];
        for (var minute = First; minute < Last; minute++)
        {
            var mask = 0;
            foreach (var layer in layers)
            {
                if (!layer.Holds[minute]) continue;
                mask = layer.Duty is null ? BitOf(layer.Person) : layer.Duty[minute] < 0 ? 0 : BitOf(layer.Rotation!.Participants[layer.Duty[minute]]);
                if (mask != 0) break;
            }
            foreach (var (from, to, remove, add) in overrides)
                if (minute >= from && minute < to && (remove == 0 || (mask & remove) != 0)) mask = (mask & ~remove) | add;
            foreach (var (from, to, shifts) in temporaries)
                if (minute >= from && minute < to) mask = shifts.Where(s => minute >= s.From && minute < s.To).Aggregate(0, (bits, s) => bits | s.Bit);
            on[minute] = mask;
        }
        return on;
    }

    static int BitOf(PersonId? person) => person is { } known ? 1 << Array.IndexOf(People, known) : 0;

    static int Mask(IEnumerable<PersonId> people) => people.Aggregate(0, (bits, p) => bits | BitOf(p));

    static int MaskAt(Roster roster, DateTimeOffset at) => Mask(roster.OnCallAt(at).Select(p => p.Person));

    static List<Shift> Sorted(IEnumerable<Shift> shifts) => [.. shifts.OrderBy(s => s.Time.From).ThenBy(s => s.Person.Value)];

    static Interval Between((int From, int To) run) => new(MinuteByMinute.UtcOf(run.From), MinuteByMinute.UtcOf(run.To));

    /// <summary>The longest runs of minutes that are alike.</summary>
    static List<(int From, int To)> Runs(int from, int to, Func<int, int, bool> alike)
    {
        var runs = new List<(int, int)>();
        for (var (since, minute) = (from, from + 1); minute <= to; minute++)
            if (minute == to || !alike(minute - 1, minute))
            {
                runs.Add((since, minute));
                since = minute;
            }
        return runs;
    }

    static void AssertSame(IReadOnlyList<Shift> expected, IReadOnlyList<Shift> actual, string why)
    {
        for (var i = 0; i < Math.Min(expected.Count, actual.Count); i++)
            if (expected[i] != actual[i]) Assert.Fail($"{why}: {Crew.Words(actual[i])} instead of {Crew.Words(expected[i])}");
        Assert.True(expected.Count == actual.Count, $"{why}: {actual.Count} shifts instead of {expected.Count}");
    }
}
