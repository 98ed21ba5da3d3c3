using System.Globalization;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Features.Backups;

namespace Portal.Tests.Backups;

public sealed class PlanLintTests
{
    static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    static JobSchedule Schedule(string cron, string zone = "UTC") => new(BackUp.Kind, "shop", "{}", cron, zone, Now);

    static BackupStore Store(string? problem = null, bool sheet = true)
    {
        var store = new BackupStore("Second", new(null, new BucketPlace("https://s3.example.com", "backups", "eu", "key")), new BackupKeyId(Guid.Empty), Now);
        store.Probed(Now, problem, null, null);
        if (sheet) store.ConfirmSheet(Actor.System, Now);
        return store;
    }

    [Fact]
    public void An_hourly_dump_of_four_minutes_can_lose_one_hour_and_four_minutes()
    {
        var loss = PlanLint.MostLoss(Schedule("17 * * * *"), Now, TimeSpan.FromMinutes(4));
        var warning = Assert.Single(PlanLint.Of(loss, TimeSpan.FromMinutes(4), 15, [Store()], false, Now, Now));
        Assert.Equal((true, "This plan can lose up to 1 h 04 min; the target is 15 min."), (warning.IsGrave, warning.Text));
    }

    [Theory]
    [InlineData("*/10 * * * *", "UTC", 10)]
    [InlineData("0 2 * * *", "UTC", 24 * 60)]
    [InlineData("0 2 * * 1-5", "UTC", 72 * 60)]
    [InlineData("0,20 8-17 * * *", "UTC", 14 * 60 + 40)]
    [InlineData("0 0 1 1 *", "UTC", 366 * 24 * 60)]
    // The day on which the clocks are set back has 25 hours.
    [InlineData("30 4 * * *", "Europe/Berlin", 25 * 60)]
    public void The_longest_time_between_two_slots_is_what_counts(string cron, string zone, int minutes)
    {
        var from = zone == "UTC" ? Now : new DateTimeOffset(2026, 10, 20, 0, 0, 0, TimeSpan.Zero);
        var loss = PlanLint.MostLoss(Schedule(cron, zone), cron.StartsWith("0 0 1", StringComparison.Ordinal) ? new(2027, 1, 2, 0, 0, 0, TimeSpan.Zero) : from, null);
        Assert.Equal(TimeSpan.FromMinutes(minutes), loss);
    }

    [Theory]
    // Berlin, 29 March 2026: 02:00 becomes 03:00, which is 01:00 UTC.
    [InlineData("30 2 * * *", "2026-03-28T12:00Z", "03-29 01:00", "03-30 00:30", "03-31 00:30")]
    [InlineData("17 * * * *", "2026-03-28T23:30Z", "03-29 00:17", "03-29 01:17", "03-29 02:17")]
    // Berlin, 25 October 2026: 03:00 becomes 02:00, which is 01:00 UTC.
    [InlineData("30 2 * * *", "2026-10-24T12:00Z", "10-25 00:30", "10-26 01:30", "10-27 01:30")]
    [InlineData("17 * * * *", "2026-10-24T23:30Z", "10-25 00:17", "10-25 01:17", "10-25 02:17")]
    public void A_plan_expects_each_slot_once_and_none_too_few_when_the_clocks_change(string cron, string from, params string[] slots)
    {
        var start = DateTimeOffset.Parse(from, CultureInfo.InvariantCulture);
        var schedule = new JobSchedule(BackUp.Kind, "shop", "{}", cron, "Europe/Berlin", start);
        var expected = new List<(DateTimeOffset Slot, DateTimeOffset StartBy)>();
        // As nodes look: again and again, and long after a slot as well.
        for (var now = start; expected.Count < slots.Length; now += TimeSpan.FromMinutes(50)) expected.AddRange(schedule.Settle(now, 50));
        Assert.Equal(slots, expected.Take(slots.Length).Select(s => s.Slot.UtcDateTime.ToString("MM-dd HH:mm", CultureInfo.InvariantCulture)));
        Assert.All(expected, s => Assert.InRange(s.StartBy - s.Slot, TimeSpan.FromMinutes(30), JobSchedule.LatestStart));
    }

    [Fact]
    public void A_plan_that_keeps_its_promise_is_left_alone_and_each_danger_is_said()
    {
        Assert.Empty(PlanLint.Of(TimeSpan.FromMinutes(14), TimeSpan.FromMinutes(4), 15, [Store()], false, Now, Now));
        Assert.Contains("paused", Assert.Single(PlanLint.Of(TimeSpan.FromMinutes(14), null, 15, [Store()], true, Now, Now)).Text, StringComparison.Ordinal);
        Assert.Contains("did not work", Assert.Single(PlanLint.Of(TimeSpan.FromMinutes(14), null, 15, [Store("No.")], false, Now, Now)).Text, StringComparison.Ordinal);
        Assert.Contains("recovery sheet", Assert.Single(PlanLint.Of(TimeSpan.FromMinutes(14), null, 15, [Store(sheet: false)], false, Now, Now)).Text, StringComparison.Ordinal);
        var folder = new BackupStore("Here", new("/srv/backups", null), new BackupKeyId(Guid.Empty), Now);
        folder.ConfirmSheet(Actor.System, Now);
        Assert.Contains("folders of this machine", Assert.Single(PlanLint.Of(TimeSpan.FromMinutes(14), null, 15, [folder], false, Now, Now)).Text, StringComparison.Ordinal);
        Assert.Empty(PlanLint.Of(TimeSpan.FromMinutes(14), null, 15, [folder, Store()], false, Now, Now));
        Assert.Contains("ever restored", Assert.Single(PlanLint.Of(TimeSpan.FromMinutes(14), null, 15, [Store()], false, null, Now)).Text, StringComparison.Ordinal);
        Assert.Contains("more than 30 days", Assert.Single(PlanLint.Of(TimeSpan.FromMinutes(14), null, 15, [Store()], false, Now.AddDays(-31), Now)).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1_000, "1 kB")]
    [InlineData(1_234, "1.23 kB")]
    [InlineData(12_345_678, "12.3 MB")]
    [InlineData(999_999, "1 MB")]
    [InlineData(2_000_000_000, "2 GB")]
    public void Sizes_are_said_as_people_say_them(long bytes, string words) => Assert.Equal(words, ByteWords.Of(bytes));
}
