using Portal.Domain.Shared;
using Portal.Domain.StatusPages;

namespace Portal.Tests.Maintenance;

/// <summary>What announced work does to strips and uptime.</summary>
public class AnnouncedTimeTests
{
    static readonly DateOnly Day = new(2026, 3, 2);
    static readonly DateTimeOffset Midnight = new(2026, 3, 2, 0, 0, 0, TimeSpan.Zero);
    static readonly ComponentId Component = new(Guid.NewGuid());

    static StatusSpan Span(double from, double? to, StatusCause cause = StatusCause.Monitor, ComponentStatus status = ComponentStatus.MajorOutage) => new(
        Component, status, cause, Midnight.AddHours(from), to is { } end ? Midnight.AddHours(end) : null, null, "", TimeSpan.FromMinutes(1), to is null ? default : TimeSpan.FromMinutes(1));

    static StatusSpan Work(double from, double? to) => Span(from, to, StatusCause.Maintenance, ComponentStatus.UnderMaintenance) with { DoubtBefore = default, DoubtAfter = default };

    static DayRecord Of(IReadOnlyCollection<StatusSpan> spans, params Interval[] gaps) =>
        UptimeRules.Day(spans, gaps, Midnight.AddDays(-9), TimeZoneInfo.Utc, Day, Midnight.AddDays(1));

    [Theory]
    [InlineData(10, 12, 0, "within")]
    [InlineData(8, 12, 2, "began before: counts until its start")]
    [InlineData(12, 16, 3, "lasts beyond: counts from its end on")]
    [InlineData(8, 16, 5, "both")]
    [InlineData(13, 15, 2, "begins when it ends: the edge is half-open")]
    [InlineData(7, 9, 2, "ends before")]
    public void What_lies_in_a_window_is_no_outage(double from, double to, double hours, string what)
    {
        // From 10 to 13 o'clock.
        var day = Of(StatusTimeline.Announce([Span(from, to)], [Work(10, 13)]));
        Assert.True(TimeSpan.FromHours(hours) == day.Major, what);
        Assert.Equal((TimeSpan.FromHours(3), TimeSpan.FromHours(24)), (day.Maintenance, day.Observed));
        Assert.Equal(1 - hours / 21, day.Uptime!.Value, 9);
    }

    [Fact]
    public void A_window_beats_what_was_set_by_hand_and_what_an_incident_says()
    {
        var day = Of(StatusTimeline.Announce([Span(9, 12, StatusCause.Override, ComponentStatus.PartialOutage), Span(10, 14, StatusCause.Incident)], [Work(10, 13)]));
        Assert.Equal((TimeSpan.FromHours(1), TimeSpan.FromHours(1), TimeSpan.FromHours(3)), (day.Partial, day.Major, day.Maintenance));
        // The rule itself, without the spans being cut before.
        var uncut = Of([Span(9, 12, StatusCause.Override, ComponentStatus.PartialOutage), Span(10, 14, StatusCause.Incident), Work(10, 13)]);
        Assert.Equal((day.Partial, day.Major, day.Maintenance), (uncut.Partial, uncut.Major, uncut.Maintenance));
    }

    [Fact]
    public void Two_windows_that_overlap_count_once()
    {
        var day = Of(StatusTimeline.Announce([Span(9, 15)], [Work(10, 12), Work(11, 13)]));
        Assert.Equal((TimeSpan.FromHours(3), TimeSpan.FromHours(3)), (day.Maintenance, day.Major));
    }

    [Fact]
    public void Work_in_time_without_data_costs_nothing_either()
    {
        var gap = new Interval(Midnight.AddHours(9), Midnight.AddHours(14));
        var day = Of(StatusTimeline.Announce([], [Work(10, 13)]), gap);
        Assert.Equal((TimeSpan.FromHours(22), TimeSpan.FromHours(3), 1), (day.Observed, day.Maintenance, day.Uptime!.Value));
        Assert.Null(Of(StatusTimeline.Announce([], [Work(0, 24)])).Uptime);
    }

    [Fact]
    public void Edges_that_a_window_cut_are_certain_and_the_others_keep_their_doubt()
    {
        var pieces = StatusTimeline.Announce([Span(8, 16)], [Work(10, 13)]).Where(s => s.Cause == StatusCause.Monitor).ToList();
        Assert.Equal([(1.0, 0.0), (0.0, 1.0)], pieces.Select(p => (p.DoubtBefore.TotalMinutes, p.DoubtAfter.TotalMinutes)));
        Assert.Null(StatusTimeline.Announce([Span(8, null)], [Work(10, 13)])[^1].To);
        Assert.DoesNotContain(StatusTimeline.Announce([Span(11, null)], [Work(10, null)]), s => s.Cause == StatusCause.Monitor);
    }

    [Fact]
    public void The_status_holds_since_the_work_began_and_afterwards_since_it_ended()
    {
        DateTimeOffset? Since(double at, StatusSpan outage, StatusSpan work) => StatusTimeline.Since(StatusTimeline.Announce([outage], [work]), Midnight.AddHours(at));
        Assert.Equal(Midnight.AddHours(10), Since(11, Span(8, null), Work(10, null)));
        Assert.Equal(Midnight.AddHours(13), Since(14, Span(8, null), Work(10, 13)));
        Assert.Equal(Midnight.AddHours(13), Since(14, Span(8, 9), Work(10, 13)));
    }
}
