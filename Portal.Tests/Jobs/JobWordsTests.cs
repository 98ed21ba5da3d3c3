using Microsoft.Extensions.Logging.Abstractions;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Features.Jobs;
using Portal.Infrastructure.Jobs;
using Portal.Tests.Support;

namespace Portal.Tests.Jobs;

public sealed class JobWordsTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Theory]
    [InlineData("30 3 * * 0", "every Sunday at 03:30 Europe/Berlin")]
    [InlineData("30 3 * * 7", "every Sunday at 03:30 Europe/Berlin")]
    [InlineData("@daily", "every day at 00:00 Europe/Berlin")]
    [InlineData("0 3,15 * * *", "every day at 03:00 and 15:00 Europe/Berlin")]
    [InlineData("0 */6 * * *", "every day at 00:00, 06:00, 12:00 and 18:00 Europe/Berlin")]
    [InlineData("0 8 * * 1-5", "Monday to Friday at 08:00 Europe/Berlin")]
    [InlineData("0 8 * * mon,wed,sun", "every Monday, Wednesday and Sunday at 08:00 Europe/Berlin")]
    [InlineData("15 4 1 * *", "every month on the 1st at 04:15 Europe/Berlin")]
    [InlineData("15 4 2,3,11,22 * *", "every month on the 2nd, 3rd, 11th and 22nd at 04:15 Europe/Berlin")]
    [InlineData("@yearly", "every year on 1 January at 00:00 Europe/Berlin")]
    [InlineData("@hourly", "every hour")]
    [InlineData("17 * * * *", "every hour at 17 minutes past")]
    [InlineData("0 */2 * * *", "every 2 hours")]
    [InlineData("* * * * *", "every minute")]
    [InlineData("*/15 * * * *", "every 15 minutes")]
    [InlineData("0,30 * * * *", "every 30 minutes")]
    // What would mislead or take longer than the crontab itself.
    [InlineData("*/7 * * * *", "*/7 * * * * (Europe/Berlin)")]
    [InlineData("0 8 1 * 1", "0 8 1 * 1 (Europe/Berlin)")]
    [InlineData("0 8 1-31 * 1", "0 8 1-31 * 1 (Europe/Berlin)")]
    [InlineData("0 8 * 6 *", "0 8 * 6 * (Europe/Berlin)")]
    [InlineData("*/15 * * * 1", "*/15 * * * 1 (Europe/Berlin)")]
    [InlineData("0 */5 * * *", "0 */5 * * * (Europe/Berlin)")]
    public void A_schedule_says_its_times_as_a_person_does(string cron, string words) =>
        Assert.Equal(words, new JobSchedule("check", "Something", "{}", cron, "Europe/Berlin", DateTimeOffset.UnixEpoch).InWords());

    [Fact]
    public void A_crontab_or_a_zone_that_is_none_is_refused_with_the_field()
    {
        static string? Field(string cron, string zone) => Assert.Throws<DomainException>(() => new JobSchedule("check", "Something", "{}", cron, zone, DateTimeOffset.UnixEpoch)).Field;
        Assert.Equal(("cron", "cron", "zone"), (Field("every day", "UTC"), Field($"{string.Join(',', Enumerable.Range(0, 60))},{string.Join(',', Enumerable.Range(0, 60))} * * * *", "UTC"), Field("@daily", "Berlin")));
    }

    RunLedger Ledger => new(database.Database, "node-a", TimeSpan.FromMinutes(1));

    async Task<string?> Told(RunState state, string? result, string? error, int attempts = 1)
    {
        var run = await JobRig.Queue(database, CheckDatabase.Kind, new RunRules(attempts));
        for (var attempt = 1; attempt < attempts; attempt++) await Ledger.PutBack((await Ledger.Claim(run.Id, default))!, TimeSpan.Zero, "Not yet.", counts: true, default);
        await Ledger.End((await Ledger.Claim(run.Id, default))!, state, result, error, default);
        var kinds = new JobKinds([new CheckDatabase(database.Database)]);
        var end = await JobRig.Find(database, run.Id);
        return JobWords.Sentence(end, kinds.TitleOf(end.Kind), kinds.ResultOf(end));
    }

    [Fact]
    public async Task The_end_of_a_run_is_one_sentence_that_can_be_handed_on()
    {
        const string when = @"on \d+ \w+ \d{4} at \d\d:\d\d UTC after (less than 0\.1 s|[\d.]+ s)";
        Assert.Matches($@"^Check of the database \(Something\) succeeded {when}: 1,234 rows of 41 tables were read to their end, and no checksum was wrong\.$", await Told(RunState.Succeeded, """{"tables":41,"rows":1234,"checksums":true}""", null));
        Assert.Matches($@"^Check of the database \(Something\) succeeded {when} at attempt 2: .*checksums are off, so damage may go unnoticed\.$", await Told(RunState.Succeeded, """{"tables":41,"rows":1234,"checksums":false}""", null, attempts: 2));
        // Of another version: the fields stand on the page, the sentence is whole without them.
        Assert.Matches($@"^Check of the database \(Something\) succeeded {when}\.$", await Told(RunState.Succeeded, """[1]""", null));
        Assert.Matches($@"^Check of the database \(Something\) failed {when}: A page is damaged\.$", await Told(RunState.Failed, null, "A page is damaged."));
        Assert.Matches($@"interrupted {when}: Node x ended\. It does not begin again by itself\.$", await Told(RunState.Interrupted, null, "Node x ended."));
        var waiting = await JobRig.Queue(database, CheckDatabase.Kind);
        Assert.Null(JobWords.Sentence(waiting, "Check", null));
        waiting.Cancel(Cast.Alice, waiting.QueuedAt);
        Assert.EndsWith("UTC, before it began.", JobWords.Sentence(waiting, "Check", null), StringComparison.Ordinal);
        Assert.Contains("was cancelled by Alice on", JobWords.Sentence(waiting, "Check", null), StringComparison.Ordinal);
        Assert.Equal([("Tables read", "1,234"), ("Checksums", "yes")], JobWords.Fields("""{"tablesRead":1234,"checksums":true,"nothing":null}"""));
    }

    [Fact]
    public async Task Nobody_is_named_before_the_delivery_has_begun()
    {
        await using var delivery = new QuartzDelivery(database.Database, "here", new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)), NullLoggerFactory.Instance, (_, _) => Task.CompletedTask);
        Assert.Empty(await delivery.Nodes(default));
        await delivery.Start(default);
        var node = Assert.Single(await delivery.Nodes(default));
        Assert.Equal(("here", true, true), (node.Name, node.IsThisOne, node.IsAlive));
    }
}
