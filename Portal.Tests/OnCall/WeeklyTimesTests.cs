using Portal.Domain.Incidents;
using Portal.Domain.OnCall;
using static Portal.Tests.OnCall.Crew;

namespace Portal.Tests.OnCall;

public class WeeklyTimesTests
{
    static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
    static readonly WeeklyTimes Office = WeeklyTimes.Weekdays(new(9, 0), new(17, 0));

    static string[] Within(WeeklyTimes times, string from, string to) => [.. times.Within(Time(from, to), Berlin).Select(Words)];

    [Fact]
    public void Weekdays_hold_from_the_first_minute_to_before_the_last()
    {
        Assert.False(Office.Holds(At("2026-03-02T07:59:59.999Z"), Berlin));
        Assert.True(Office.Holds(At("2026-03-02T08:00Z"), Berlin));
        Assert.True(Office.Holds(At("2026-03-02T15:59:59.999Z"), Berlin));
        Assert.False(Office.Holds(At("2026-03-02T16:00Z"), Berlin));
        Assert.False(Office.Holds(At("2026-03-01T12:00Z"), Berlin));
    }

    [Fact]
    public void They_follow_the_clocks_of_the_zone() =>
        Assert.Equal(["03-27 08:00–03-27 16:00", "03-30 07:00–03-30 15:00"], Within(Office, "2026-03-27T00:00Z", "2026-03-31T00:00Z"));

    [Fact]
    public void A_span_may_run_over_midnight_and_over_the_end_of_the_week()
    {
        Assert.Equal(["03-01 21:00–03-02 05:00"], Within(WeeklyTimes.On([DayOfWeek.Sunday], new(22, 0), new(6, 0)), "2026-03-01T00:00Z", "2026-03-03T00:00Z"));
        var weekend = new WeeklyTimes([new(On(DayOfWeek.Friday, "17:00"), On(DayOfWeek.Monday, "09:00"))]);
        Assert.Equal(["03-06 16:00–03-09 08:00"], Within(weekend, "2026-03-04T00:00Z", "2026-03-12T00:00Z"));
        Assert.Equal(["03-08 00:00–03-08 12:00"], Within(weekend, "2026-03-08T00:00Z", "2026-03-08T12:00Z"));
    }

    [Fact]
    public void Spans_that_touch_or_overlap_are_one()
    {
        var times = new WeeklyTimes([new(On(DayOfWeek.Monday, "09:00"), On(DayOfWeek.Monday, "12:00")), new(On(DayOfWeek.Monday, "12:00"), On(DayOfWeek.Monday, "15:00")), new(On(DayOfWeek.Monday, "10:00"), On(DayOfWeek.Monday, "11:00"))]);
        Assert.Equal(["03-02 08:00–03-02 14:00"], Within(times, "2026-03-01T00:00Z", "2026-03-04T00:00Z"));
        var whole = WeeklyTimes.On(Enum.GetValues<DayOfWeek>(), new(0, 0), new(0, 0));
        Assert.Equal(["03-01 00:00–04-01 00:00"], Within(whole, "2026-03-01T00:00Z", "2026-04-01T00:00Z"));
    }

    [Fact]
    public void A_span_is_not_entered_again_where_the_clocks_repeat_an_hour()
    {
        // 25 October: 03:00 becomes 02:00 at 01:00 UTC.
        Assert.Equal(["10-24 23:00–10-25 00:30"], Within(WeeklyTimes.On([DayOfWeek.Sunday], new(1, 0), new(2, 30)), "2026-10-24T00:00Z", "2026-10-26T00:00Z"));
        Assert.Equal(["10-25 00:30–10-25 02:30"], Within(WeeklyTimes.On([DayOfWeek.Sunday], new(2, 30), new(3, 30)), "2026-10-24T00:00Z", "2026-10-26T00:00Z"));
    }

    [Fact]
    public void Edges_that_the_clocks_skip_move_forward()
    {
        Assert.Equal(["03-29 01:30–03-29 02:00"], Within(WeeklyTimes.On([DayOfWeek.Sunday], new(2, 30), new(4, 0)), "2026-03-28T00:00Z", "2026-03-30T00:00Z"));
        // 02:30 comes at 03:30, after the span has ended.
        var lost = WeeklyTimes.On([DayOfWeek.Sunday], new(2, 30), new(3, 15));
        Assert.Empty(Within(lost, "2026-03-28T00:00Z", "2026-03-30T00:00Z"));
        Assert.Equal(At("2026-04-05T00:30Z"), lost.Next(At("2026-03-28T00:00Z"), Berlin));
    }

    [Fact]
    public void What_are_no_weekly_times_is_refused()
    {
        Refusal(() => new WeeklyTimes([]), "times");
        Refusal(() => new WeeklyTimes([.. Enumerable.Repeat(new WeekSpan(On(DayOfWeek.Monday, "09:00"), On(DayOfWeek.Monday, "10:00")), 51)]), "times");
        Refusal(() => new WeeklyTimes([new(On(DayOfWeek.Monday, "09:00"), On(DayOfWeek.Monday, "09:00"))]), "times");
        Refusal(() => new WeeklyTimes([new(On(DayOfWeek.Monday, "09:00:30"), On(DayOfWeek.Monday, "10:00"))]), "times");
        Refusal(() => new SupportHours(Office, "Mars/Olympus"), "zone");
    }

    [Theory]
    [InlineData(Severity.P0, "2026-03-28T01:00Z")]
    [InlineData(Severity.P1, "2026-03-28T01:00Z")]
    [InlineData(Severity.P2, "2026-03-30T07:00Z")]
    [InlineData(Severity.P3, "2026-03-30T07:00Z")]
    public void What_is_not_urgent_waits_for_support_hours(Severity severity, string first) =>
        Assert.Equal(At(first), SupportHours.FirstAt(new(Office, "Europe/Berlin"), severity, At("2026-03-28T01:00Z")));

    [Fact]
    public void Nothing_waits_while_support_hours_are_open_or_where_there_are_none()
    {
        var hours = new SupportHours(Office, "Europe/Berlin");
        Assert.True(hours.IsOpen(At("2026-03-30T14:59Z")));
        Assert.Equal(At("2026-03-30T14:59Z"), hours.NextOpen(At("2026-03-30T14:59Z")));
        Assert.Equal(At("2026-03-31T07:00Z"), hours.NextOpen(At("2026-03-30T15:00Z")));
        Assert.Equal(At("2026-03-28T01:00Z"), SupportHours.FirstAt(null, Severity.P3, At("2026-03-28T01:00Z")));
    }
}
