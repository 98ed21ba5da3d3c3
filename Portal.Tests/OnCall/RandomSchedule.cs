using Portal.Domain.Access;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;

namespace Portal.Tests.OnCall;

/// <summary>A schedule by a seed, with everything that there is: rotations of every rhythm in two zones, times of the week, overrides and temporary schedules; often about the hour in which clocks change.</summary>
sealed class RandomSchedule
{
    public static readonly PersonId[] People = [Crew.Ann, Crew.Ben, Crew.Cat, Crew.Dan, Crew.Eve];
    public static readonly string[] Zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"];
    public static readonly DateTimeOffset From = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), To = new(2027, 1, 1, 0, 0, 0, TimeSpan.Zero);

    readonly Random random;

    public RandomSchedule(string zone, int seed)
    {
        // Other schedules in each zone.
        random = new(seed * Zones.Length + Array.IndexOf(Zones, zone));
        var layers = Enumerable.Range(0, random.Next(1, 5)).Select(i => Layer(i, zone)).ToList();
        if (random.Next(4) > 0) layers.Add(Layer(layers.Count, zone) with { Only = null });
        Schedule = new("Schedule", zone, layers, Crew.Past);
        for (var i = random.Next(12); i > 0; i--) Override();
        for (var (i, at) = (random.Next(3), 0); i > 0; i--) at = Plan(at);
        Roster = Schedule.Roster(id => Rotations[id]);
    }

    public OnCallSchedule Schedule { get; }
    public Dictionary<RotationId, Rotation> Rotations { get; } = [];
    public Roster Roster { get; }

    OnCallLayer Layer(int index, string zone)
    {
        var only = random.Next(2) == 0 ? null : new WeeklyTimes([.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => Span())]);
        if (random.Next(4) == 0) return new($"Layer {index}", null, Person(), only);
        var people = Enumerable.Range(0, random.Next(10) == 0 ? 0 : random.Next(1, 5)).Select(_ => Person()).ToList();
        var start = MinuteByMinute.Base.AddDays(random.Next(1, 270)).Add(Time().ToTimeSpan());
        var rotation = new Rotation($"Rotation {index}", random.Next(3) == 0 ? Zones[random.Next(Zones.Length)] : zone, start, Draw((HandOverRhythm)random.Next(6), random), people, Crew.Past);
        Rotations[rotation.Id] = rotation;
        return new($"Layer {index}", rotation.Id, null, only);
    }

    public static HandOvers Draw(HandOverRhythm rhythm, Random random) => HandOvers.Of(rhythm, rhythm switch
    {
        HandOverRhythm.Hourly => Any(random, 1, 2, 7, 8, 12, 24, 36),
        HandOverRhythm.Minutes => Any(random, 20, 45, 90, 1_000, 2_160),
        HandOverRhythm.Daily => Any(random, 1, 1, 2, 5),
        HandOverRhythm.Weekly => Any(random, 1, 1, 2, 3),
        HandOverRhythm.Monthly => Any(random, 1, 1, 2),
        _ => 1,
    }, [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => TimeOfWeek(random)).Distinct()]);

    static int Any(Random random, params int[] values) => values[random.Next(values.Length)];

    /// <summary>Every second one lies about the change of the clocks.</summary>
    public static TimeOnly Time(Random random) => random.Next(2) == 0 ? new(random.Next(1, 4), random.Next(60)) : new(random.Next(24), Any(random, 0, 0, 30, 59));

    static WeekTime TimeOfWeek(Random random) => new(random.Next(3) == 0 ? DayOfWeek.Sunday : (DayOfWeek)random.Next(7), Time(random));

    TimeOnly Time() => Time(random);

    PersonId Person() => People[random.Next(People.Length)];

    WeekSpan Span()
    {
        var from = TimeOfWeek(random);
        while (true)
            if (TimeOfWeek(random) is var to && to != from) return new(from, to);
    }

    Interval Range(int earliest)
    {
        var from = From.AddMinutes(Math.Max(earliest, random.Next(-2_000, 520_000)));
        return new(from, from.AddMinutes(random.Next(3) == 0 ? random.Next(1, 120) : random.Next(120, 30_000)));
    }

    void Override()
    {
        var (kind, one, other) = (random.Next(4), Person(), Person());
        if (kind < 2 && one == other) kind = 3;
        Schedule.Override(Range(int.MinValue), kind == 3 ? null : one, kind == 2 ? null : other, "x", Crew.Past.AddMinutes(random.Next(3)));
    }

    int Plan(int earliest)
    {
        var time = Range(earliest);
        var shifts = Enumerable.Range(0, random.Next(1, 5)).Select(_ => new Shift(Person(), time with { From = time.From.AddMinutes(random.Next((int)time.Length.TotalMinutes)) })).Select(s =>
            s with { Time = s.Time with { To = s.Time.From.AddMinutes(random.Next(1, (int)s.Time.Length.TotalMinutes + 1)) } });
        Schedule.Plan(time, [.. shifts], "x", Crew.Past);
        return (int)(time.To - From).TotalMinutes;
    }
}
