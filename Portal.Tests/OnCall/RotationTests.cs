using System.Globalization;
using Portal.Domain.Access;
using Portal.Domain.OnCall;
using static Portal.Tests.OnCall.Crew;

namespace Portal.Tests.OnCall;

public class RotationTests
{
    /// <summary>Hand-overs after an instant, as clocks in the zone show them.</summary>
    static string[] HandOversOf(Rotation rotation, string after, int count)
    {
        var (zone, at, times) = (TimeZoneInfo.FindSystemTimeZoneById(rotation.Zone), At(after), new List<string>());
        for (var i = 0; i < count; i++) times.Add(TimeZoneInfo.ConvertTime(at = rotation.HandOverAfter(at), zone).ToString("MM-dd HH:mm", CultureInfo.InvariantCulture));
        return [.. times];
    }

    static string Who(Rotation rotation, params string[] times) => string.Concat(times.Select(t => Name(rotation.OnDutyAt(At(t)))));

    [Fact]
    public void People_follow_each_other_in_their_order_and_begin_again()
    {
        var rotation = Rotating(HandOvers.Daily(), "2026-03-02T09:00", people: [Ann, Ben, Cat]);
        Assert.Equal("abca", Who(rotation, "2026-03-02T09:00Z", "2026-03-03T09:00Z", "2026-03-04T09:00Z", "2026-03-05T09:00Z"));
        Assert.Equal(["a 03-02 09:00–03-03 09:00", "b 03-03 09:00–03-04 09:00", "c 03-04 09:00–03-04 12:00"], rotation.Shifts(At("2026-03-02T00:00Z"), At("2026-03-04T12:00Z")).Select(Words));
    }

    [Fact]
    public void A_turn_begins_at_its_hand_over_and_ends_before_the_next() =>
        Assert.Equal("aab", Who(Rotating(HandOvers.Daily(), "2026-03-02T09:00", people: [Ann, Ben]), "2026-03-02T09:00Z", "2026-03-03T08:59:59.999Z", "2026-03-03T09:00Z"));

    [Fact]
    public void Nobody_is_on_duty_before_the_start()
    {
        var rotation = Rotating(HandOvers.Weekly(), "2026-03-02T09:00", "Europe/Berlin", Ann, Ben);
        Assert.Equal("--a", Who(rotation, "2020-01-01T00:00Z", "2026-03-02T07:59:59Z", "2026-03-02T08:00Z"));
        Assert.Equal(At("2026-03-02T08:00Z"), rotation.HandOverAfter(At("2020-01-01T00:00Z")));
    }

    [Fact]
    public void A_rotation_with_nobody_in_it_has_nobody_on_duty()
    {
        var rotation = Rotating(HandOvers.Weekly(), "2026-03-02T09:00");
        Assert.Null(rotation.OnDutyAt(At("2026-03-03T00:00Z")));
        Assert.Empty(rotation.Shifts(At("2026-01-01T00:00Z"), At("2026-12-31T00:00Z")));
        rotation.Change("Rotation", "UTC", rotation.Start, rotation.HandOvers, [Ben], At("2026-03-10T00:00Z"));
        Assert.Equal("b", Who(rotation, "2026-03-10T00:00Z"));
        rotation.Change("Rotation", "UTC", rotation.Start, rotation.HandOvers, [], At("2026-03-11T00:00Z"));
        Assert.Null(rotation.OnDutyAt(At("2026-03-11T00:00Z")));
    }

    [Fact]
    public void A_hand_over_at_nine_stays_at_nine_when_the_clocks_change()
    {
        var rotation = Rotating(HandOvers.Daily(), "2026-03-27T09:00", "Europe/Berlin", Ann, Ben);
        Assert.Equal(["03-28 09:00", "03-29 09:00", "03-30 09:00"], HandOversOf(rotation, "2026-03-27T08:00Z", 3));
        Assert.Equal(TimeSpan.FromHours(23), rotation.Shifts(At("2026-03-28T08:00Z"), At("2026-03-29T20:00Z"))[0].Time.Length);
        Assert.Equal(["10-24 09:00", "10-25 09:00", "10-26 09:00"], HandOversOf(rotation, "2026-10-23T08:00Z", 3));
        Assert.Equal(TimeSpan.FromHours(25), rotation.Shifts(At("2026-10-24T07:00Z"), At("2026-10-25T20:00Z"))[0].Time.Length);
    }

    [Theory]
    [InlineData("Europe/Berlin", "02:30", "2026-03-27T12:00Z", "03-28 02:30", "03-29 03:30", "03-30 02:30")]
    [InlineData("America/New_York", "02:15", "2026-03-06T12:00Z", "03-07 02:15", "03-08 03:15", "03-09 02:15")]
    [InlineData("Australia/Lord_Howe", "02:10", "2026-10-02T12:00Z", "10-03 02:10", "10-04 02:40", "10-05 02:10")]
    public void A_time_that_the_clocks_skip_moves_forward_by_what_they_skip(string zone, string time, string after, params string[] expected) =>
        Assert.Equal(expected, HandOversOf(Rotating(HandOvers.Daily(), $"2026-01-01T{time}", zone, Ann, Ben), after, 3));

    [Fact]
    public void A_time_that_the_clocks_show_twice_is_meant_the_first_time()
    {
        var rotation = Rotating(HandOvers.Daily(), "2026-10-24T02:30", "Europe/Berlin", Ann, Ben, Cat);
        Assert.Equal(At("2026-10-25T00:30Z"), rotation.HandOverAfter(At("2026-10-24T12:00Z")));
        // 02:00 is shown a second time from 01:00 UTC on: the turn goes on although the wall shows less than its beginning.
        Assert.Equal("abbbbc", Who(rotation, "2026-10-25T00:29Z", "2026-10-25T00:30Z", "2026-10-25T01:00Z", "2026-10-25T01:29Z", "2026-10-25T01:30Z", "2026-10-26T01:30Z"));
    }

    [Fact]
    public void Hours_count_on_the_wall_so_that_the_times_of_a_day_stay()
    {
        var rotation = Rotating(HandOvers.Hourly(8), "2026-03-28T00:00", "Europe/Berlin", Ann, Ben, Cat);
        Assert.Equal(["03-29 00:00", "03-29 08:00", "03-29 16:00", "03-30 00:00"], HandOversOf(rotation, "2026-03-28T15:00Z", 4));
        Assert.Equal([7, 8, 8], rotation.Shifts(At("2026-03-28T23:00Z"), At("2026-03-29T22:00Z")).Select(s => s.Time.Length.TotalHours));
        Assert.Equal([9, 8, 8], rotation.Shifts(At("2026-10-24T22:00Z"), At("2026-10-25T23:00Z")).Select(s => s.Time.Length.TotalHours));
    }

    [Fact]
    public void An_hourly_turn_in_the_skipped_hour_is_passed_over_and_one_in_the_repeated_hour_is_longer()
    {
        var rotation = Rotating(HandOvers.Hourly(), "2026-03-29T00:00", "Europe/Berlin", Ann, Ben, Cat, Dan);
        Assert.Equal(["a 03-28 23:00–03-29 00:00", "b 03-29 00:00–03-29 01:00", "d 03-29 01:00–03-29 02:00"], rotation.Shifts(At("2026-03-28T23:00Z"), At("2026-03-29T02:00Z")).Select(Words));
        var autumn = Rotating(HandOvers.Hourly(), "2026-10-25T00:00", "Europe/Berlin", Ann, Ben, Cat, Dan);
        Assert.Equal(["b 10-24 23:00–10-25 00:00", "c 10-25 00:00–10-25 02:00", "d 10-25 02:00–10-25 03:00"], autumn.Shifts(At("2026-10-24T23:00Z"), At("2026-10-25T03:00Z")).Select(Words));
    }

    [Fact]
    public void Hours_are_elapsed_hours_in_the_zone_utc() =>
        Assert.All(Rotating(HandOvers.Hourly(8), "2026-03-28T00:00", "UTC", Ann, Ben).Shifts(At("2026-03-28T00:00Z"), At("2026-11-01T00:00Z")), s => Assert.Equal(8, s.Time.Length.TotalHours));

    [Fact]
    public void A_hand_over_that_is_pushed_behind_its_successor_passes_its_person_over()
    {
        // 02:30 comes at 03:30, when 03:00 has come already.
        var rotation = Rotating(HandOvers.AtTimes(On(DayOfWeek.Sunday, "02:30"), On(DayOfWeek.Sunday, "03:00")), "2026-03-28T00:00", "Europe/Berlin", Ann, Ben, Cat);
        Assert.Equal(["a 03-28 12:00–03-29 01:00", "c 03-29 01:00–03-30 00:00"], rotation.Shifts(At("2026-03-28T12:00Z"), At("2026-03-30T00:00Z")).Select(Words));
        Assert.Equal("acc", Who(rotation, "2026-03-29T00:59Z", "2026-03-29T01:00Z", "2026-03-29T01:30Z"));
    }

    [Fact]
    public void A_month_that_is_too_short_hands_over_on_its_last_day()
    {
        var rotation = Rotating(HandOvers.Monthly(), "2026-01-31T09:00", "Europe/Berlin", Ann, Ben);
        Assert.Equal(["02-28 09:00", "03-31 09:00", "04-30 09:00", "05-31 09:00"], HandOversOf(rotation, "2026-02-01T00:00Z", 4));
        Assert.Equal(["02-29 09:00", "03-31 09:00"], HandOversOf(rotation, "2028-02-01T00:00Z", 2));
        Assert.Equal(["04-30 09:00", "07-31 09:00"], HandOversOf(Rotating(HandOvers.Monthly(3), "2026-01-31T09:00", people: [Ann]), "2026-02-01T00:00Z", 2));
        Assert.Equal("abba", Who(rotation, "2026-02-28T07:59Z", "2026-02-28T08:00Z", "2026-03-31T06:59Z", "2026-03-31T07:00Z"));
    }

    [Fact]
    public void Weeks_are_counted_from_the_start() =>
        Assert.Equal(["03-16 09:00", "03-30 09:00", "04-13 09:00"], HandOversOf(Rotating(HandOvers.Weekly(2), "2026-03-02T09:00", "Europe/Berlin", Ann, Ben), "2026-03-02T08:00Z", 3));

    [Fact]
    public void Own_times_of_the_week_make_turns_of_different_lengths()
    {
        var rotation = Rotating(HandOvers.AtTimes(On(DayOfWeek.Friday, "17:00"), On(DayOfWeek.Monday, "09:00")), "2026-03-04T12:00", people: [Ann, Ben, Cat]);
        Assert.Equal(["a 03-04 12:00–03-06 17:00", "b 03-06 17:00–03-09 09:00", "c 03-09 09:00–03-13 17:00", "a 03-13 17:00–03-14 00:00"], rotation.Shifts(At("2026-03-01T00:00Z"), At("2026-03-14T00:00Z")).Select(Words));
    }

    [Fact]
    public void An_own_length_is_counted_from_the_start() =>
        Assert.Equal(["03-02 10:30", "03-02 12:00"], HandOversOf(Rotating(HandOvers.EachMinutes(90), "2026-03-02T09:00", people: [Ann, Ben]), "2026-03-02T09:00Z", 2));

    [Fact]
    public void A_day_that_a_zone_leaves_out_gives_its_person_no_turn()
    {
        // Samoa had no 30 December 2011.
        var rotation = Rotating(HandOvers.Daily(), "2011-12-28T09:00", "Pacific/Apia", Ann, Ben, Cat, Dan);
        Assert.Equal(["12-29 09:00", "12-31 09:00", "01-01 09:00"], HandOversOf(rotation, "2011-12-28T20:00Z", 3));
        Assert.Equal("abd", Who(rotation, "2011-12-28T20:00Z", "2011-12-29T20:00Z", "2011-12-30T20:00Z"));
    }

    [Fact]
    public void A_change_of_the_list_takes_nobody_off_duty()
    {
        var rotation = Rotating(HandOvers.Daily(), "2026-03-02T09:00", people: [Ann, Ben, Cat]);
        var now = At("2026-03-03T12:00Z");
        rotation.Change("Rotation", "UTC", rotation.Start, rotation.HandOvers, [Dan, Ann, Eve, Ben], now);
        Assert.Equal("bdaeb", Who(rotation, "2026-03-03T12:00Z", "2026-03-04T12:00Z", "2026-03-05T12:00Z", "2026-03-06T12:00Z", "2026-03-07T12:00Z"));
        rotation.Change("Rotation", "Europe/Berlin", Local("2026-03-01T18:00"), HandOvers.Weekly(), [Ann, Ben], now);
        Assert.Equal("ba", Who(rotation, "2026-03-03T12:00Z", "2026-03-08T17:00Z"));
    }

    [Fact]
    public void Whoever_leaves_the_list_while_on_duty_is_followed_by_the_next_who_stays()
    {
        var rotation = Rotating(HandOvers.Daily(), "2026-03-02T09:00", people: [Ann, Ben, Cat]);
        rotation.Change("Rotation", "UTC", rotation.Start, rotation.HandOvers, [Ann, Cat], At("2026-03-03T12:00Z"));
        Assert.Equal("cac", Who(rotation, "2026-03-03T12:00Z", "2026-03-04T12:00Z", "2026-03-05T12:00Z"));
        rotation.Change("Rotation", "UTC", rotation.Start, rotation.HandOvers, [Dan, Eve], At("2026-03-03T12:00Z"));
        Assert.Equal("d", Who(rotation, "2026-03-03T12:00Z"));
    }

    [Fact]
    public void Somebody_who_is_named_twice_keeps_their_place_when_only_the_name_changes()
    {
        var rotation = Rotating(HandOvers.Daily(), "2026-03-02T09:00", people: [Ann, Ben, Ann, Cat]);
        rotation.Change("Other", "UTC", rotation.Start, rotation.HandOvers, rotation.Participants, At("2026-03-04T12:00Z"));
        Assert.Equal("aca", Who(rotation, "2026-03-04T12:00Z", "2026-03-05T12:00Z", "2026-03-06T12:00Z"));
    }

    [Fact]
    public void Somebody_of_the_list_can_be_put_on_duty()
    {
        var rotation = Rotating(HandOvers.Daily(), "2026-03-02T09:00", people: [Ann, Ben, Cat]);
        rotation.PutOnDuty(Cat, At("2026-03-02T12:00Z"));
        Assert.Equal("cab", Who(rotation, "2026-03-02T12:00Z", "2026-03-03T12:00Z", "2026-03-04T12:00Z"));
        Assert.Contains("Add them first", Refusal(() => rotation.PutOnDuty(Dan, At("2026-03-02T12:00Z")), "person"), StringComparison.Ordinal);
        Assert.Contains("not begun", Refusal(() => rotation.PutOnDuty(Ann, At("2026-03-01T12:00Z")), "person"), StringComparison.Ordinal);
    }

    [Fact]
    public void What_makes_no_rotation_is_refused()
    {
        Refusal(() => HandOvers.Hourly(0), "every");
        Refusal(() => HandOvers.Monthly(13), "every");
        Refusal(() => HandOvers.EachMinutes(4), "every");
        Refusal(() => HandOvers.AtTimes(), "times");
        Refusal(() => HandOvers.AtTimes(On(DayOfWeek.Monday, "09:00"), On(DayOfWeek.Monday, "09:00")), "times");
        Refusal(() => HandOvers.AtTimes(On(DayOfWeek.Monday, "09:00:01")), "times");
        Refusal(() => HandOvers.AtTimes(On((DayOfWeek)7, "09:00")), "times");
        Refusal(() => HandOvers.Of((HandOverRhythm)9, 1), "rhythm");
        Refusal(() => Rotating(HandOvers.Daily(), "2026-03-02T09:00", "Europe/Nowhere"), "zone");
        Refusal(() => Rotating(HandOvers.Daily(), "2026-03-02T09:00:30"), "start");
        Refusal(() => Rotating(HandOvers.Daily(), "1999-03-02T09:00"), "start");
        Refusal(() => Rotating(HandOvers.Daily(), "2026-03-02T09:00", people: [.. Enumerable.Repeat(Ann, 101)]), "participants");
    }

    [Fact]
    public void Times_that_cannot_be_computed_are_refused_in_words()
    {
        var rotation = Rotating(HandOvers.EachMinutes(5), "2026-03-02T09:00", "Europe/Berlin", Ann, Ben);
        Refusal(() => rotation.OnDutyAt(DateTimeOffset.MaxValue), "at");
        Refusal(() => rotation.OnDutyAt(DateTimeOffset.MinValue), "at");
        Refusal(() => rotation.Shifts(At("2026-01-01T00:00Z"), At("2027-02-06T00:00Z")), "to");
        Refusal(() => rotation.Shifts(At("2026-01-02T00:00Z"), At("2026-01-01T00:00Z")), "to");
        Assert.Empty(rotation.Shifts(At("2026-04-01T00:00Z"), At("2026-04-01T00:00Z")));
        Assert.NotNull(rotation.OnDutyAt(At("2199-12-31T23:59Z")));
    }
}
