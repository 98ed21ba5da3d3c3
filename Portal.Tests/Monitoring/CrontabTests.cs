using System.Globalization;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;

namespace Portal.Tests.Monitoring;

public class CrontabTests
{
    static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).ToUniversalTime();

    static string[] Times(string cron, string zone, string after, int count)
    {
        var (crontab, times, at) = (Crontab.Parse(cron), new List<string>(), At(after));
        for (var i = 0; i < count; i++) times.Add((at = crontab.Next(at, TimeZoneInfo.FindSystemTimeZoneById(zone))!.Value).ToString("MM-dd HH:mm", CultureInfo.InvariantCulture));
        return [.. times];
    }

    [Theory]
    [InlineData("*/20 * * * *", "2026-03-01T00:00Z", "03-01 00:20", "03-01 00:40", "03-01 01:00")]
    [InlineData("30 3 * * 1-5", "2026-11-20T03:30Z", "11-23 03:30", "11-24 03:30", "11-25 03:30")]
    [InlineData("0 0 1,15 * *", "2026-01-31T00:00Z", "02-01 00:00", "02-15 00:00", "03-01 00:00")]
    [InlineData("0 12 13 * fri", "2026-11-01T00:00Z", "11-06 12:00", "11-13 12:00", "11-20 12:00")]
    [InlineData("0 12 * * 7", "2026-11-01T12:00Z", "11-08 12:00", "11-15 12:00", "11-22 12:00")]
    [InlineData("15 10-22/6 * dec *", "2026-11-01T12:00Z", "12-01 10:15", "12-01 16:15", "12-01 22:15")]
    [InlineData("@weekly", "2026-11-01T12:00Z", "11-08 00:00", "11-15 00:00", "11-22 00:00")]
    public void Times_come_as_cron_takes_them(string cron, string after, params string[] times) => Assert.Equal(times, Times(cron, "UTC", after, times.Length));

    [Fact]
    public void A_leap_day_is_waited_for() => Assert.Equal(At("2096-02-29T00:00Z"), Crontab.Parse("0 0 29 2 *").Next(At("2092-03-01T00:00Z"), TimeZoneInfo.Utc));

    [Fact]
    public void A_time_that_the_clocks_skip_comes_as_they_are_set_forward()
    {
        // Berlin, 29 March 2026: 02:00 becomes 03:00, which is 01:00 UTC.
        Assert.Equal(["03-28 01:30", "03-29 01:00", "03-30 00:30"], Times("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00Z", 3));
        Assert.Equal(["03-29 00:30", "03-29 01:30", "03-29 02:30"], Times("30 * * * *", "Europe/Berlin", "2026-03-29T00:00Z", 3));
    }

    [Fact]
    public void A_time_that_the_clocks_repeat_comes_once_unless_the_hour_is_open()
    {
        // Berlin, 25 October 2026: 03:00 becomes 02:00, which is 01:00 UTC.
        Assert.Equal(["10-24 00:30", "10-25 00:30", "10-26 01:30"], Times("30 2 * * *", "Europe/Berlin", "2026-10-24T00:00Z", 3));
        Assert.Equal(["10-25 00:30", "10-25 01:30", "10-25 02:30"], Times("30 * * * *", "Europe/Berlin", "2026-10-25T00:00Z", 3));
    }

    [Theory]
    [InlineData("* * * *", "4 fields")]
    [InlineData("* * * * * *", "6 fields")]
    [InlineData("60 * * * *", "0 to 59")]
    [InlineData("* * 0 * *", "1 to 31")]
    [InlineData("* * * * mon-blah", "0 to 7")]
    [InlineData("5-1 * * * *", "backwards")]
    [InlineData("*/0 * * * *", "cannot be read")]
    [InlineData("1/2/3 * * * *", "cannot be read")]
    [InlineData("-5 * * * *", "cannot be read")]
    [InlineData("0 0 31 4 *", "never comes")]
    public void What_is_no_crontab_is_refused(string cron, string why) => Assert.Contains(why, Assert.Throws<DomainException>(() => Crontab.Parse(cron)).Message, StringComparison.Ordinal);
}
