using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using static Portal.Tests.OnCall.Crew;

namespace Portal.Tests.OnCall;

public class OnCallScheduleTests
{
    static readonly DateTimeOffset Now = At("2026-03-02T12:00Z");
    readonly OnCallSchedule schedule;
    readonly Rotation rotation = Rotating(HandOvers.Daily(), "2026-03-01T09:00", people: [Ann, Ben, Cat]);

    public OnCallScheduleTests() => schedule = Schedule(new OnCallLayer("Days", rotation.Id, null));

    Shift Of(Portal.Domain.Access.PersonId person, string from, string to) => new(person, Time(from, to));

    string[] Shifts(string from, string to) => [.. schedule.Roster(rotation).Shifts(At(from), At(to)).Select(Words)];

    SwapId Swap(Shift mine, Shift theirs) => schedule.Swap(mine, theirs, schedule.Roster(rotation), "Ann", Now);

    [Fact]
    public void Two_people_exchange_two_shifts()
    {
        // Ann has the 4th, Ben the 5th.
        Swap(Of(Ann, "2026-03-04T09:00Z", "2026-03-05T09:00Z"), Of(Ben, "2026-03-05T09:00Z", "2026-03-06T09:00Z"));
        Assert.Equal(["b 03-04 09:00–03-05 09:00", "a 03-05 09:00–03-06 09:00", "c 03-06 09:00–03-07 09:00"], Shifts("2026-03-04T09:00Z", "2026-03-07T09:00Z"));
        Assert.Single(schedule.Overrides.Select(o => o.SwapId).Distinct());
    }

    [Fact]
    public void A_part_of_a_shift_can_be_exchanged()
    {
        Swap(Of(Ann, "2026-03-04T20:00Z", "2026-03-04T22:00Z"), Of(Ben, "2026-03-05T10:00Z", "2026-03-05T16:00Z"));
        Assert.Equal(["a 03-04 09:00–03-04 20:00", "b 03-04 20:00–03-04 22:00", "a 03-04 22:00–03-05 09:00", "b 03-05 09:00–03-05 10:00", "a 03-05 10:00–03-05 16:00", "b 03-05 16:00–03-06 09:00"],
            Shifts("2026-03-04T09:00Z", "2026-03-06T09:00Z"));
    }

    [Fact]
    public void What_cannot_be_exchanged_is_refused_and_changes_nothing()
    {
        var (anns, bens) = (Of(Ann, "2026-03-04T09:00Z", "2026-03-05T09:00Z"), Of(Ben, "2026-03-05T09:00Z", "2026-03-06T09:00Z"));
        Assert.Contains("Two different people", Refusal(() => Swap(anns, Of(Ann, "2026-03-07T09:00Z", "2026-03-08T09:00Z")), "theirs"), StringComparison.Ordinal);
        Assert.Contains("throughout", Refusal(() => Swap(anns, Of(Ben, "2026-03-06T08:00Z", "2026-03-06T10:00Z")), "theirs"), StringComparison.Ordinal);
        Assert.Contains("throughout", Refusal(() => Swap(Of(Ann, "2026-03-04T09:00Z", "2026-03-04T09:00Z"), bens), "mine"), StringComparison.Ordinal);
        Assert.Contains("has begun", Refusal(() => Swap(Of(Ben, "2026-03-02T09:00Z", "2026-03-03T09:00Z"), anns), "mine"), StringComparison.Ordinal);
        Assert.Contains("same time", Refusal(() => Swap(anns, Of(Ben, "2026-03-05T08:00Z", "2026-03-05T10:00Z")), "theirs"), StringComparison.Ordinal);
        schedule.Override(Time("2026-03-05T12:00Z", "2026-03-05T13:00Z"), null, Ann, "x", Now);
        Assert.Contains("on call then already", Refusal(() => Swap(anns, bens), "theirs"), StringComparison.Ordinal);
        schedule.Plan(Time("2026-03-10T00:00Z", "2026-03-11T00:00Z"), [Of(Ann, "2026-03-10T00:00Z", "2026-03-11T00:00Z")], "x", Now);
        Assert.Contains("temporary schedule", Refusal(() => Swap(Of(Ann, "2026-03-10T00:00Z", "2026-03-11T00:00Z"), Of(Ben, "2026-03-11T09:00Z", "2026-03-11T12:00Z")), "mine"), StringComparison.Ordinal);
        Assert.DoesNotContain(schedule.Overrides, o => o.SwapId is not null);
    }

    [Fact]
    public void A_swap_is_taken_back_as_a_whole_and_only_before_it_begins()
    {
        Swap(Of(Ann, "2026-03-04T09:00Z", "2026-03-05T09:00Z"), Of(Ben, "2026-03-05T09:00Z", "2026-03-06T09:00Z"));
        var half = schedule.Overrides[1].Id;
        Assert.Contains("is owed", Refusal(() => schedule.Withdraw(half, At("2026-03-04T10:00Z"))), StringComparison.Ordinal);
        schedule.Withdraw(half, At("2026-03-04T08:00Z"));
        Assert.Empty(schedule.Overrides);
    }

    [Fact]
    public void An_override_that_has_begun_ends_when_it_is_taken_back()
    {
        var replaced = schedule.Override(Time("2026-03-04T09:00Z", "2026-03-05T09:00Z"), Ann, Dan, "x", Now);
        schedule.Withdraw(replaced.Id, At("2026-03-04T12:00Z"));
        Assert.Equal(["d 03-04 09:00–03-04 12:00", "a 03-04 12:00–03-05 09:00"], Shifts("2026-03-04T09:00Z", "2026-03-05T09:00Z"));
        Assert.Contains("history", Refusal(() => schedule.Withdraw(replaced.Id, At("2026-03-04T12:00Z"))), StringComparison.Ordinal);
        var later = schedule.Override(Time("2026-03-06T09:00Z", "2026-03-07T09:00Z"), null, Dan, "x", Now);
        schedule.Withdraw(later.Id, At("2026-03-06T09:00Z"));
        Assert.Equal(replaced, Assert.Single(schedule.Overrides));
        Assert.Throws<NotFoundException>(() => schedule.Withdraw(later.Id, Now));
    }

    [Fact]
    public void An_override_that_says_nothing_or_lies_behind_is_refused()
    {
        var time = Time("2026-03-04T09:00Z", "2026-03-05T09:00Z");
        Refusal(() => schedule.Override(time, null, null, "x", Now), "add");
        Refusal(() => schedule.Override(time, Ann, Ann, "x", Now), "add");
        Refusal(() => schedule.Override(Time("2026-03-04T09:00Z", "2026-03-04T09:00Z"), Ann, Ben, "x", Now), "to");
        Refusal(() => schedule.Override(Time("2026-03-01T09:00Z", "2026-03-02T12:00Z"), Ann, Ben, "x", Now), "to");
        Refusal(() => schedule.Override(Time("2026-03-04T09:00Z", "2027-03-06T09:00Z"), Ann, Ben, "x", Now), "to");
        Refusal(() => schedule.Override(new(DateTimeOffset.MaxValue.AddDays(-1), DateTimeOffset.MaxValue), Ann, Ben, "x", Now), "from");
        Assert.Empty(schedule.Overrides);
    }

    [Fact]
    public void Overrides_are_bounded_and_those_that_are_over_do_not_count()
    {
        for (var i = 0; i < OnCallSchedule.MostOverrides; i++) schedule.Override(Time("2026-03-04T09:00Z", "2026-03-05T09:00Z"), null, Dan, "x", Now);
        Assert.Contains("at most", Refusal(() => schedule.Override(Time("2026-03-06T09:00Z", "2026-03-07T09:00Z"), null, Dan, "x", Now)), StringComparison.Ordinal);
        schedule.Override(Time("2026-03-06T09:00Z", "2026-03-07T09:00Z"), null, Dan, "x", At("2026-03-05T09:00Z"));
    }

    [Fact]
    public void Temporary_schedules_do_not_overlap_and_hold_their_shifts()
    {
        var time = Time("2026-03-04T00:00Z", "2026-03-06T00:00Z");
        Refusal(() => schedule.Plan(time, [], "x", Now), "shifts");
        Refusal(() => schedule.Plan(time, [Of(Ann, "2026-03-05T00:00Z", "2026-03-06T00:01Z")], "x", Now), "shifts");
        Refusal(() => schedule.Plan(time, [Of(Ann, "2026-03-05T00:00Z", "2026-03-05T00:00Z")], "x", Now), "shifts");
        Refusal(() => schedule.Plan(Time("2026-03-04T00:00Z", "2026-06-05T00:00Z"), [Of(Ann, "2026-03-05T00:00Z", "2026-03-06T00:00Z")], "x", Now), "to");
        Refusal(() => schedule.Plan(Time("2026-03-01T00:00Z", "2026-03-02T00:00Z"), [Of(Ann, "2026-03-01T00:00Z", "2026-03-02T00:00Z")], "x", Now), "to");
        Refusal(() => schedule.Plan(Time("2026-03-05T00:00Z", "2026-03-04T00:00Z"), [Of(Ann, "2026-03-04T00:00Z", "2026-03-05T00:00Z")], "x", Now), "to");
        var planned = schedule.Plan(time, [Of(Dan, "2026-03-04T00:00Z", "2026-03-06T00:00Z")], "x", Now);
        Refusal(() => schedule.Plan(Time("2026-03-05T23:59Z", "2026-03-07T00:00Z"), [Of(Eve, "2026-03-06T00:00Z", "2026-03-07T00:00Z")], "x", Now), "from");
        var next = schedule.Plan(Time("2026-03-06T00:00Z", "2026-03-07T00:00Z"), [Of(Eve, "2026-03-06T00:00Z", "2026-03-07T00:00Z")], "x", Now);
        schedule.Withdraw(next.Id, Now);
        schedule.Withdraw(planned.Id, At("2026-03-05T00:00Z"));
        Assert.Equal(["d 03-04 00:00–03-05 00:00", "a 03-05 00:00–03-05 09:00", "b 03-05 09:00–03-06 09:00", "c 03-06 09:00–03-07 00:00"], Shifts("2026-03-04T00:00Z", "2026-03-07T00:00Z"));
        Assert.Contains("history", Refusal(() => schedule.Withdraw(planned.Id, At("2026-03-05T00:00Z"))), StringComparison.Ordinal);
        Assert.Throws<NotFoundException>(() => schedule.Withdraw(next.Id, Now));
    }

    [Fact]
    public void A_layer_is_a_rotation_or_a_person()
    {
        Refusal(() => Schedule(new OnCallLayer("Both", rotation.Id, Ann)), "layers");
        Refusal(() => Schedule(new OnCallLayer("Neither", null, null)), "layers");
        Refusal(() => Schedule(new OnCallLayer(" ", null, Ann)), "layers");
        Refusal(() => Schedule([.. Enumerable.Repeat(Layer(Ann), 21)]), "layers");
        Refusal(() => schedule.Change("Schedule", "nowhere", []), "zone");
    }
}
