using Portal.Domain.Access;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using static Portal.Tests.OnCall.Crew;

namespace Portal.Tests.OnCall;

public class RosterTests
{
    static readonly WeeklyTimes Office = WeeklyTimes.Weekdays(new(9, 0), new(17, 0));

    static string Who(Roster roster, string at) => string.Concat(roster.OnCallAt(At(at)).Select(p => Name(p.Person)));

    static string[] Shifts(Roster roster, string from, string to) => [.. roster.Shifts(At(from), At(to)).Select(Words)];

    [Fact]
    public void The_first_layer_that_has_somebody_covers_those_below()
    {
        var rotation = Rotating(HandOvers.Daily(), "2026-03-03T09:00", people: [Ben, Cat]);
        var roster = Schedule(Layer(Ann, Office), new("Nights", rotation.Id, null), Layer(Dan)).Roster(rotation);
        Assert.Equal(["d 03-02 00:00–03-02 09:00", "a 03-02 09:00–03-02 17:00", "d 03-02 17:00–03-03 09:00", "a 03-03 09:00–03-03 17:00", "b 03-03 17:00–03-04 09:00", "a 03-04 09:00–03-04 17:00", "c 03-04 17:00–03-05 00:00"],
            Shifts(roster, "2026-03-02T00:00Z", "2026-03-05T00:00Z"));
        Assert.Equal(new OnCallPerson(Ben, "Nights"), Assert.Single(roster.OnCallAt(At("2026-03-03T18:00Z"))));
    }

    [Fact]
    public void An_empty_or_lost_rotation_covers_nobody()
    {
        var empty = Rotating(HandOvers.Daily(), "2026-01-01T09:00");
        Assert.Equal("a", Who(Schedule(new("Empty", empty.Id, null), Layer(Ann)).Roster(empty), "2026-03-02T12:00Z"));
        Assert.Equal("a", Who(Schedule(new("Gone", empty.Id, null), Layer(Ann)).Roster(), "2026-03-02T12:00Z"));
        Assert.Equal(["03-02 00:00–03-03 00:00"], Schedule(new OnCallLayer("Empty", empty.Id, null)).Roster(empty).Gaps(At("2026-03-02T00:00Z"), At("2026-03-03T00:00Z")).Select(Words));
    }

    [Fact]
    public void An_override_replaces_adds_or_removes_and_says_so()
    {
        var schedule = Schedule(Layer(Ann));
        var replaced = schedule.Override(Time("2026-03-02T10:00Z", "2026-03-02T11:00Z"), Ann, Ben, "x", Past);
        schedule.Override(Time("2026-03-02T12:00Z", "2026-03-02T13:00Z"), null, Cat, "x", Past);
        schedule.Override(Time("2026-03-02T14:00Z", "2026-03-02T15:00Z"), Ann, null, "x", Past);
        var roster = schedule.Roster();
        Assert.Equal(["a 03-02 09:00–03-02 10:00", "b 03-02 10:00–03-02 11:00", "a 03-02 11:00–03-02 14:00", "c 03-02 12:00–03-02 13:00", "a 03-02 15:00–03-02 16:00"], Shifts(roster, "2026-03-02T09:00Z", "2026-03-02T16:00Z"));
        Assert.Equal(new OnCallPerson(Ben, Override: replaced.Id), Assert.Single(roster.OnCallAt(At("2026-03-02T10:00Z"))));
        Assert.Equal("ac", Who(roster, "2026-03-02T12:59:59Z"));
        Assert.Equal(["03-02 14:00–03-02 15:00"], roster.Gaps(At("2026-03-02T00:00Z"), At("2026-03-03T00:00Z")).Select(Words));
    }

    [Fact]
    public void Whoever_replaces_somebody_that_is_not_on_call_stays_away() =>
        Assert.Equal("a", Who(With(s => s.Override(Time("2026-03-02T00:00Z", "2026-03-03T00:00Z"), Dan, Ben, "x", Past)), "2026-03-02T12:00Z"));

    [Fact]
    public void A_later_override_sees_what_the_earlier_ones_left()
    {
        var (time, later) = (Time("2026-03-02T00:00Z", "2026-03-03T00:00Z"), Past.AddMinutes(1));
        Assert.Equal("c", Who(With(s => s.Override(time, Ben, Cat, "x", later), s => s.Override(time, Ann, Ben, "x", Past)), "2026-03-02T12:00Z"));
        Assert.Equal("b", Who(With(s => s.Override(time, Ben, Cat, "x", Past), s => s.Override(time, Ann, Ben, "x", later)), "2026-03-02T12:00Z"));
        Assert.Equal("b", Who(With(s => s.Override(time, null, Ben, "x", Past), s => s.Override(time, Ann, Ben, "x", later)), "2026-03-02T12:00Z"));
    }

    static Roster With(params Action<OnCallSchedule>[] changes)
    {
        var schedule = Schedule(Layer(Ann));
        foreach (var change in changes) change(schedule);
        return schedule.Roster();
    }

    [Fact]
    public void A_temporary_schedule_is_all_that_counts_while_it_lasts()
    {
        var schedule = Schedule(Layer(Ann));
        schedule.Override(Time("2026-03-01T00:00Z", "2026-03-20T00:00Z"), null, Ben, "x", Past);
        var holidays = schedule.Plan(Time("2026-03-02T00:00Z", "2026-03-04T00:00Z"),
            [new(Cat, Time("2026-03-02T00:00Z", "2026-03-03T00:00Z")), new(Dan, Time("2026-03-02T12:00Z", "2026-03-02T18:00Z"))], "x", Past);
        var roster = schedule.Roster();
        Assert.Equal(["a 03-01 12:00–03-02 00:00", "b 03-01 12:00–03-02 00:00", "c 03-02 00:00–03-03 00:00", "d 03-02 12:00–03-02 18:00", "a 03-04 00:00–03-04 12:00", "b 03-04 00:00–03-04 12:00"], Shifts(roster, "2026-03-01T12:00Z", "2026-03-04T12:00Z"));
        Assert.Equal(["03-03 00:00–03-04 00:00"], roster.Gaps(At("2026-03-01T00:00Z"), At("2026-03-10T00:00Z")).Select(Words));
        Assert.Equal(new OnCallPerson(Cat, Temporary: holidays.Id), Assert.Single(roster.OnCallAt(At("2026-03-02T11:59Z"))));
    }

    [Fact]
    public void Shifts_are_whole_whatever_keeps_somebody_on_call()
    {
        // A rotation of one, and an override that names the same person again.
        var rotation = Rotating(HandOvers.Daily(), "2026-03-01T09:00", people: [Ann]);
        var schedule = Schedule(Layer(Ann, Office), new("Nights", rotation.Id, null));
        schedule.Override(Time("2026-03-04T00:00Z", "2026-03-05T00:00Z"), null, Ann, "x", Past);
        Assert.Equal(["a 03-02 00:00–03-08 00:00"], Shifts(schedule.Roster(rotation), "2026-03-02T00:00Z", "2026-03-08T00:00Z"));
    }

    [Fact]
    public void Stretches_cover_the_range_without_holes_and_are_empty_only_for_an_empty_range()
    {
        var roster = Schedule(Layer(Ann, Office)).Roster();
        var stretches = roster.Stretches(At("2026-03-02T12:00Z"), At("2026-03-04T12:00Z"));
        Assert.Equal(["03-02 12:00–03-02 17:00", "03-02 17:00–03-03 09:00", "03-03 09:00–03-03 17:00", "03-03 17:00–03-04 09:00", "03-04 09:00–03-04 12:00"], stretches.Select(s => Words(s.Time)));
        Assert.Equal([1, 0, 1, 0, 1], stretches.Select(s => s.People.Count));
        Assert.Empty(roster.Stretches(At("2026-03-02T12:00Z"), At("2026-03-02T12:00Z")));
        Assert.Equal(["03-02 00:00–03-03 00:00"], Schedule().Roster().Gaps(At("2026-03-02T00:00Z"), At("2026-03-03T00:00Z")).Select(Words));
    }

    [Fact]
    public void The_next_hand_over_is_when_other_people_come_on_call()
    {
        var rotation = Rotating(HandOvers.Daily(), "2026-03-01T09:00", people: [Ann, Ann, Ben]);
        var next = Schedule(new OnCallLayer("Days", rotation.Id, null)).Roster(rotation).NextHandOver(At("2026-03-01T09:00Z"))!;
        Assert.Equal((At("2026-03-03T09:00Z"), "a", "b"), (next.At, string.Concat(next.From.Select(p => Name(p))), string.Concat(next.To.Select(p => Name(p)))));
        var yearly = Rotating(HandOvers.Daily(366), "2026-03-01T09:00", people: [Ann, Ben]);
        Assert.Equal(At("2027-03-02T09:00Z"), Schedule(new OnCallLayer("Years", yearly.Id, null)).Roster(yearly).NextHandOver(At("2026-03-01T09:00Z"))!.At);
        Assert.Null(Schedule(Layer(Ann)).Roster().NextHandOver(At("2026-03-01T09:00Z")));
    }

    [Fact]
    public void Times_of_the_week_are_those_of_the_schedule_and_hand_overs_those_of_the_rotation()
    {
        var rotation = Rotating(HandOvers.Daily(), "2026-03-01T09:00", "America/New_York", Ann, Ben);
        var schedule = new OnCallSchedule("Follow the sun", "Asia/Kolkata", [new("Days", rotation.Id, null, WeeklyTimes.On([DayOfWeek.Tuesday], new(18, 0), new(21, 0)))], Past);
        // 18:00 in Kolkata is 12:30 UTC, 09:00 in New York 14:00 UTC.
        Assert.Equal(["b 03-03 12:30–03-03 14:00", "a 03-03 14:00–03-03 15:30"], Shifts(schedule.Roster(rotation), "2026-03-03T00:00Z", "2026-03-04T00:00Z"));
    }

    [Fact]
    public void Times_that_cannot_be_computed_are_refused_in_words()
    {
        var roster = Schedule(Layer(Ann)).Roster();
        Refusal(() => roster.OnCallAt(DateTimeOffset.MaxValue), "at");
        Refusal(() => roster.NextHandOver(DateTimeOffset.MaxValue), "at");
        Refusal(() => roster.Gaps(At("2026-01-01T00:00Z"), At("2027-06-01T00:00Z")), "to");
        Assert.Null(roster.NextHandOver(At("2199-12-30T00:00Z")));
    }
}
