using Portal.Domain.Backups;
using Portal.Domain.Shared;

namespace Portal.Tests.Backups;

public sealed class RetentionTests
{
    static readonly DateTimeOffset Start = new(2026, 3, 2, 0, 17, 0, TimeSpan.Zero);
    static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
    static int made;

    static RetainedBackup At(DateTimeOffset at, VerificationLevel level = VerificationLevel.Archive, bool held = false, bool damaged = false) =>
        new(new BackupId(new Guid(++made, 0, 0, new byte[8])), at, level, held, damaged);

    static List<RetainedBackup> Hourly(int count) => [.. Enumerable.Range(0, count).Select(i => At(Start.AddHours(i)))];

    static List<DateTimeOffset> Kept(Retention retention, IEnumerable<RetainedBackup> backups, TimeZoneInfo? zone = null) =>
        [.. retention.Judge(backups, zone ?? TimeZoneInfo.Utc).Where(v => v.IsKept).Select(v => v.Backup.At)];

    [Fact]
    public void Each_tier_keeps_the_newest_of_its_newest_hours_days_weeks_and_months_and_the_union_stays()
    {
        var year = Hourly(24 * 400);
        var kept = Kept(new(3, 24, 7, 4, 12, 0), year);
        var last = year[^1].At;
        // 24 hours; 7 days of which the newest is among the hours; 4 weeks; 12 months.
        Assert.Equal(Enumerable.Range(0, 24).Select(i => last.AddHours(-i)), kept.Take(24));
        var days = Enumerable.Range(1, 6).Select(i => new DateTimeOffset(last.Date.AddDays(-i).AddHours(23).AddMinutes(17), TimeSpan.Zero));
        Assert.All(days, d => Assert.Contains(d, kept));
        Assert.Equal(12, kept.Select(k => (k.Year, k.Month)).Distinct().Count());
        Assert.Equal(kept.Distinct().Order().Reverse(), kept);
        Assert.InRange(kept.Count, 24 + 6 + 2 + 10, 24 + 6 + 4 + 12);
    }

    [Fact]
    public void When_backups_stop_nothing_grows_old()
    {
        var backups = Hourly(100);
        var retention = new Retention(1, 0, 0, 0, 0, 2);
        var kept = Kept(retention, backups);
        Assert.Equal(48, kept.Count);
        // Judged years later, with nothing new but failures, it is the same: there is no "now" that could be given.
        Assert.Equal(kept, Kept(retention, backups.Where(b => kept.Contains(b.At))));
    }

    [Fact]
    public void Never_fewer_than_the_floor_never_the_newest_that_is_verified_never_one_that_is_held()
    {
        var backups = new List<RetainedBackup>
        {
            At(Start, VerificationLevel.Restored), At(Start.AddDays(1), VerificationLevel.Archive), At(Start.AddDays(2), VerificationLevel.Stored, held: true),
            At(Start.AddDays(3), VerificationLevel.Stored), At(Start.AddDays(4), VerificationLevel.Stored), At(Start.AddDays(5), VerificationLevel.Stored),
        };
        var verdicts = new Retention(2, 0, 0, 0, 0, 0).Judge(backups, TimeZoneInfo.Utc);
        Assert.Equal([("newest", 5), ("one of the newest 2", 4), (null, 3), ("held", 2), ("newest that is verified so far", 1), ("newest that is verified so far", 0)],
            verdicts.Select(v => (v.KeptAs, (int)(v.Backup.At - Start).TotalDays)));
    }

    [Fact]
    public void A_damaged_one_counts_for_nothing_and_waits_for_a_person()
    {
        var backups = new List<RetainedBackup> { At(Start), At(Start.AddDays(1)), At(Start.AddDays(2), damaged: true) };
        var verdicts = new Retention(1, 0, 1, 0, 0, 0).Judge(backups, TimeZoneInfo.Utc);
        Assert.StartsWith("damaged", verdicts[0].KeptAs, StringComparison.Ordinal);
        Assert.Equal("newest", verdicts[1].KeptAs);
        Assert.Null(verdicts[2].KeptAs);
    }

    [Fact]
    public void Days_are_those_of_the_zone_and_the_hour_that_the_clocks_repeat_is_two_hours()
    {
        // 23:30 UTC is the next day in Berlin.
        var evening = new[] { At(new(2026, 6, 1, 21, 30, 0, TimeSpan.Zero)), At(new(2026, 6, 1, 22, 30, 0, TimeSpan.Zero)) };
        Assert.Equal(2, Kept(new(1, 0, 2, 0, 0, 0), evening, Berlin).Count);
        Assert.Single(Kept(new(1, 0, 2, 0, 0, 0), evening));
        var night = Enumerable.Range(0, 4).Select(i => At(new DateTimeOffset(2026, 10, 24, 23, 17, 0, TimeSpan.Zero).AddHours(i))).ToList();
        Assert.Equal(4, Kept(new(1, 4, 0, 0, 0, 0), night, Berlin).Count);
    }

    [Theory]
    [InlineData(0, 0, 0, "atLeast")]
    [InlineData(1, -1, 0, "hourly")]
    [InlineData(1, 10_001, 0, "hourly")]
    [InlineData(1, 0, 3_651, "days")]
    public void A_rule_out_of_bounds_is_refused_by_its_field(int atLeast, int hourly, int days, string field) =>
        Assert.Equal(field, Assert.Throws<DomainException>(() => new Retention(atLeast, hourly, 0, 0, 0, days).Checked()).Field);

    [Fact]
    public void The_forecast_names_the_day_on_which_each_one_goes_and_agrees_with_what_is_then_judged()
    {
        var retention = new Retention(1, 3, 2, 0, 0, 0);
        var there = Hourly(20);
        there.RemoveAll(b => !retention.Judge(there, TimeZoneInfo.Utc).First(v => v.Backup == b).IsKept);
        var slots = Enumerable.Range(20, 24 * 5).Select(i => Start.AddHours(i)).ToList();
        var forecast = retention.Forecast(there, slots, TimeZoneInfo.Utc);

        // Played for real, slot by slot.
        var (played, gone) = (there.ToList(), new Dictionary<BackupId, DateOnly>());
        foreach (var slot in slots)
        {
            played.Add(At(slot));
            foreach (var verdict in retention.Judge(played, TimeZoneInfo.Utc).Where(v => !v.IsKept))
            {
                played.Remove(verdict.Backup);
                gone.TryAdd(verdict.Backup.Id, DateOnly.FromDateTime(slot.UtcDateTime));
            }
        }
        var expected = there.Where(b => gone.ContainsKey(b.Id)).GroupBy(b => gone[b.Id]).OrderBy(g => g.Key).Select(g => (g.Key, g.Count())).ToList();
        Assert.NotEmpty(expected);
        Assert.Equal(expected, forecast.Select(f => (f.Day, f.Goes.Count)));
    }

    [Fact]
    public void Whatever_is_made_and_judged_the_newest_good_one_and_the_floor_stay()
    {
        var random = new Random(20260302);
        for (var round = 0; round < 300; round++)
        {
            var retention = new Retention(random.Next(1, 5), random.Next(0, 5), random.Next(0, 4), random.Next(0, 4), random.Next(0, 4), random.Next(0, 3));
            var backups = Enumerable.Range(0, random.Next(1, 60)).Select(_ => At(Start.AddMinutes(random.Next(0, 60 * 24 * 90)), (VerificationLevel)random.Next(0, 5), random.Next(10) == 0, random.Next(6) == 0)).ToList();
            var verdicts = retention.Judge(backups, Berlin);
            var good = verdicts.Where(v => !v.Backup.IsDamaged).ToList();
            Assert.Equal(backups.Count, verdicts.Count);
            Assert.All(good.Take(retention.AtLeast), v => Assert.True(v.IsKept));
            Assert.All(verdicts.Where(v => v.Backup.IsHeld || v.Backup.IsDamaged), v => Assert.True(v.IsKept));
            if (good.Find(v => v.Backup.Level > VerificationLevel.Stored) is { } proven) Assert.True(proven.IsKept);
            // What was judged once stays as it is when it is judged again.
            var once = verdicts.Where(v => v.IsKept).Select(v => v.Backup).ToList();
            Assert.All(retention.Judge(once, Berlin), v => Assert.True(v.IsKept));
        }
    }
}
