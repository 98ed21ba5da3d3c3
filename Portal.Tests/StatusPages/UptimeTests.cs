using Portal.Domain.Shared;
using Portal.Domain.StatusPages;

namespace Portal.Tests.StatusPages;

public class UptimeTests
{
    static readonly ComponentId Payments = new(Guid.Empty);
    static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
    static readonly DateOnly Day = new(2026, 3, 2);
    static readonly DateTimeOffset Midnight = new(2026, 3, 2, 0, 0, 0, TimeSpan.Zero);
    static readonly DateTimeOffset Next = Midnight.AddDays(1);

    static StatusSpan Span(ComponentStatus status, double from, double? to, StatusCause cause = StatusCause.Monitor) =>
        new(Payments, status, cause, Midnight.AddMinutes(from), to is { } end ? Midnight.AddMinutes(end) : null, null, "");

    static DayRecord Record(IReadOnlyCollection<StatusSpan> spans, IReadOnlyCollection<Interval>? gaps = null, DateTimeOffset? observedFrom = null, DateTimeOffset? now = null) =>
        UptimeRules.Day(spans, gaps ?? [], observedFrom ?? Midnight.AddDays(-10), TimeZoneInfo.Utc, Day, now ?? Next);

    [Fact]
    public void Major_outages_count_whole_partial_ones_three_tenths_and_degraded_time_not_at_all()
    {
        var day = Record([Span(ComponentStatus.MajorOutage, 0, 72), Span(ComponentStatus.PartialOutage, 100, 340), Span(ComponentStatus.DegradedPerformance, 400, 900)]);
        Assert.Equal((72, 240, 500), (day.Major.TotalMinutes, day.Partial.TotalMinutes, day.Degraded.TotalMinutes));
        Assert.Equal(1 - (72 + 0.3 * 240) / 1440, day.Uptime!.Value, 10);
        Assert.Equal(ComponentStatus.MajorOutage, day.Worst);
    }

    [Fact]
    public void Announced_maintenance_leaves_the_denominator()
    {
        var day = Record([Span(ComponentStatus.UnderMaintenance, 0, 720), Span(ComponentStatus.MajorOutage, 720, 792)]);
        Assert.Equal(1 - 72.0 / 720, day.Uptime!.Value, 10);
    }

    [Fact]
    public void Overlapping_outages_count_once_and_the_worst_of_them_counts()
    {
        var day = Record([Span(ComponentStatus.PartialOutage, 0, 100), Span(ComponentStatus.MajorOutage, 50, 80, StatusCause.Incident), Span(ComponentStatus.MajorOutage, 60, 90)]);
        Assert.Equal((40, 60), (day.Major.TotalMinutes, day.Partial.TotalMinutes));
    }

    [Fact]
    public void An_override_counts_alone_while_it_lasts()
    {
        var outage = Span(ComponentStatus.MajorOutage, 0, 120);
        Assert.Equal(120, Record([outage]).Major.TotalMinutes);
        var day = Record([outage, Span(ComponentStatus.Operational, 60, 100, StatusCause.Override)]);
        Assert.Equal(80, day.Major.TotalMinutes);
        Assert.Equal(30, Record([outage, Span(ComponentStatus.DegradedPerformance, 90, 150, StatusCause.Override)]).Uptime is { } ratio ? Math.Round((ratio - 1 + 120.0 / 1440) * 1440) : 0);
    }

    [Fact]
    public void Time_without_data_is_never_counted_as_up()
    {
        var outage = Span(ComponentStatus.MajorOutage, 0, 60);
        var half = new Interval(Midnight.AddHours(12), Next);
        Assert.Equal(1 - 60.0 / 1440, Record([outage]).Uptime!.Value, 10);
        var day = Record([outage], [half, half]);
        Assert.Equal((720, 720), (day.Observed.TotalMinutes, day.Unobserved.TotalMinutes));
        Assert.Equal(1 - 60.0 / 720, day.Uptime!.Value, 10);
        Assert.Null(Record([], [new Interval(Midnight.AddDays(-1), Next)]).Uptime);
        Assert.Null(Record([], observedFrom: Next).Uptime);
    }

    [Fact]
    public void A_gap_beside_a_stated_outage_is_neither_up_nor_down()
    {
        var record = Record([new StatusSpan(Payments, ComponentStatus.MajorOutage, StatusCause.Incident, Midnight, Midnight.AddHours(6), null, "")], [new Interval(Midnight, Midnight.AddHours(12))]);
        Assert.Equal(TimeSpan.FromHours(18), record.Observed);
        Assert.Equal(1 - 6.0 / 18, record.Uptime!.Value, 6);
    }

    [Fact]
    public void A_monitor_that_was_down_before_a_gap_says_nothing_about_the_gap()
    {
        var down = new StatusSpan(Payments, ComponentStatus.MajorOutage, StatusCause.Monitor, Midnight.AddHours(1), Midnight.AddHours(13), null, "");
        var record = Record([down], [new Interval(Midnight.AddHours(2), Midnight.AddHours(13))]);
        Assert.Equal(TimeSpan.FromHours(1), record.Major);
        Assert.Equal(TimeSpan.FromHours(13), record.Observed);
        Assert.Equal(TimeSpan.FromHours(11), record.Unobserved);
    }

    [Fact]
    public void What_is_stated_in_a_gap_is_still_counted()
    {
        var day = Record([Span(ComponentStatus.MajorOutage, 600, 660, StatusCause.Incident)], [new Interval(Midnight, Next)]);
        Assert.Equal((60, 60), (day.Major.TotalMinutes, day.Observed.TotalMinutes));
        Assert.Equal(0, day.Uptime);
    }

    [Fact]
    public void A_running_outage_lasts_until_now_and_the_rest_of_today_is_not_there_yet()
    {
        var day = Record([Span(ComponentStatus.MajorOutage, 60, null)], now: Midnight.AddMinutes(90));
        Assert.Equal((30, 90, 0), (day.Major.TotalMinutes, day.Observed.TotalMinutes, day.Unobserved.TotalMinutes));
    }

    [Theory]
    [InlineData("2026-03-29", 23)]
    [InlineData("2026-10-25", 25)]
    [InlineData("2026-06-01", 24)]
    public void A_day_is_as_long_as_the_zones_clock_makes_it(string text, int hours)
    {
        var day = DateOnly.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
        var period = UptimeRules.DayIn(Berlin, day);
        Assert.Equal(TimeSpan.FromHours(hours), period.Length);
        var outage = new StatusSpan(Payments, ComponentStatus.MajorOutage, StatusCause.Monitor, period.From, period.From.AddHours(1), null, "");
        var record = UptimeRules.Day([outage], [], period.From, Berlin, day, period.To);
        Assert.Equal(1 - 1.0 / hours, record.Uptime!.Value, 10);
    }

    [Fact]
    public void An_outage_over_midnight_belongs_to_both_days()
    {
        var days = UptimeRules.Days([Span(ComponentStatus.MajorOutage, -30, 45)], [], Midnight.AddDays(-10), TimeZoneInfo.Utc, 3, Midnight.AddHours(2));
        Assert.Equal([0, 30, 45], days.Select(d => d.Major.TotalMinutes));
        Assert.Equal(1 - 75.0 / (1440 + 1440 + 120), UptimeRules.Ratio(days)!.Value, 10);
    }
}
