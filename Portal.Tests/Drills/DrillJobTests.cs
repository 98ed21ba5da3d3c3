using Microsoft.EntityFrameworkCore;
using Portal.Domain.Backups;
using Portal.Domain.Drills;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Features.Drills;
using Portal.Features.Jobs;
using Portal.Infrastructure.Backups;
using Portal.Infrastructure.Backups.Drills;
using Portal.Tests.Backups;
using Portal.Tests.Jobs;
using Portal.Tests.Support;

namespace Portal.Tests.Drills;

/// <summary>Drills of real databases on real scratch servers.</summary>
public sealed class DrillJobTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    readonly BackupNode node = new(database);
    string shop = "", name = "";
    BackupTargetId target;

    public async Task InitializeAsync()
    {
        await node.Clear();
        await node.Start();
        shop = await node.Shop(3_000);
        name = $"shop-{shop[^12..]}";
        target = await node.AddTarget.Execute(new(name, node.Way(shop), null), Cast.Alice, default);
    }

    public async Task DisposeAsync() => await node.DisposeAsync();

    DrillList List => new(database.Database);

    Task<JobRunId> Queue() => node.QueueDrill.Execute(new("database-lost", name), Cast.Alice, default);

    async Task<(JobRun Run, DrillList.Report Report)> Drilled()
    {
        var run = await node.Done(await Queue());
        return (run, await List.LoadOne(run.Id, Cast.Alice, default));
    }

    async Task<Backup> Backed()
    {
        var run = await node.Back(name);
        Assert.Equal((RunState.Succeeded, null), (run.State, run.Error));
        return (await node.All()).Single(b => b.RunId == run.Id);
    }

    Task Check(string title, string sql, DrillCheckRule rule = DrillCheckRule.IsTrue, string? value = null) =>
        new AddDrillCheck(database.Database, TimeProvider.System).Execute(new(name, title, sql, rule, value), Cast.Alice, default);

    Task LetCanary() => new LetCanary(database.Database, node.Ways, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<LetCanary>.Instance).Execute(target, true, Cast.Alice, default);

    async Task NothingIsLeft()
    {
        var clusters = await node.Scratch.Open(default);
        Assert.StartsWith(node["data"], clusters.Root, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(clusters.Root));
    }

    [Fact]
    public async Task A_lost_database_comes_back_beside_the_real_one_and_what_it_took_and_lost_is_measured_and_sealed()
    {
        await LetCanary();
        await Check("Every order has a note", "select not exists (select from orders where note = '')");
        await Check("Orders are there", "select count(*) from orders", DrillCheckRule.AtLeast, "3000");
        var backup = await Backed();
        await OddDatabase.Execute(node.Way(shop), "insert into orders values (999999, 'written after the backup')");

        var (run, report) = await Drilled();
        Assert.Equal((RunState.Succeeded, null), (run.State, run.Error));
        var (drill, record) = (report.Drill, report.Record!);
        Assert.Equal((DrillOutcome.Passed, backup.Id, true, true), (drill.Outcome, drill.BackupId!.Value, drill.IsLossByCanary, report.IsWhole));
        Assert.Equal(["Prepare a server", "Fetch and check", "Decrypt and unpack", "Restore", "Compare", "Check the data"], record.Phases.Select(p => p.Name));
        Assert.All(record.Phases, p => Assert.True(p.Seconds >= 0));
        Assert.InRange(drill.Recovery!.Value, TimeSpan.FromMilliseconds(100), drill.EndedAt!.Value - drill.StartedAt + TimeSpan.FromSeconds(1));
        Assert.InRange((record.FailedAt - record.Figures.Canary!.Value - drill.Loss!.Value).Duration(), TimeSpan.Zero, TimeSpan.FromMilliseconds(1));
        Assert.True(drill.MetAll);
        Assert.Equal([("Every order has a note", "t", true), ("Orders are there", "3000", true)], record.Checks.Select(c => (c.Name, c.Answer, c.Passed)));
        Assert.True(record is { Compared: > 2, Differences.Count: 0, Attempt: 1 } && record.Node == node.Name.Value);
        Assert.Contains(record.Tables, t => t.Subject.Contains("orders", StringComparison.Ordinal));
        Assert.InRange(record.Phases.Sum(p => p.Seconds) - drill.Recovery.Value.TotalSeconds, -0.01, 0.01);
        Assert.Contains(record.Log, l => l.Text.Contains("canary", StringComparison.Ordinal));
        Assert.Contains(record.Log, l => l.Text.StartsWith("The server ", StringComparison.Ordinal));
        Assert.Contains(record.Commands, c => c.Contains("pg_restore", StringComparison.Ordinal));
        Assert.Equal(VerificationLevel.Data, (await node.All()).Single(b => b.Id == backup.Id).Level);
        Assert.Contains("the data was back and checked after", JobWords.Sentence(run, "Drill", node.Drills.InWords(System.Text.Json.JsonSerializer.Deserialize<System.Text.Json.JsonElement>(run.Result!))), StringComparison.Ordinal);
        await NothingIsLeft();
        // The original was not touched.
        Assert.Equal(3_001L, await OddDatabase.Execute(node.Way(shop), "select count(*) from orders"));
    }

    [Fact]
    public async Task Without_a_canary_the_loss_is_reckoned_from_the_snapshot_and_without_questions_the_data_is_not_proven()
    {
        var backup = await Backed();
        var (_, report) = await Drilled();
        Assert.Equal((DrillOutcome.Passed, false), (report.Drill.Outcome, report.Drill.IsLossByCanary));
        Assert.InRange((report.Record!.FailedAt - backup.At - report.Drill.Loss!.Value).Duration(), TimeSpan.Zero, TimeSpan.FromMilliseconds(1));
        Assert.Equal(VerificationLevel.Restored, (await node.All()).Single(b => b.Id == backup.Id).Level);
    }

    [Fact]
    public async Task A_drill_that_fails_is_evidence_too_says_what_is_wrong_and_is_not_tried_again()
    {
        await Backed();
        await Check("Books balance", "select false");
        await Check("No such table", "select count(*) from invoices", DrillCheckRule.AtLeast, "1");
        var (run, report) = await Drilled();
        Assert.Equal((RunState.Failed, 1), (run.State, run.Attempt));
        Assert.Equal("2 of 2 checks of the data did not pass: Books balance, No such table.", run.Error);
        Assert.Equal((DrillOutcome.Failed, run.Error), (report.Drill.Outcome, report.Drill.Reason));
        Assert.Contains("invoices", report.Record!.Checks.Single(c => c.Name == "No such table").Problem, StringComparison.Ordinal);
        Assert.NotNull(report.Drill.Recovery);
        Assert.True(report.IsWhole);
        await NothingIsLeft();
    }

    [Theory]
    [InlineData("create table mine (n int)")]
    [InlineData("set default_transaction_read_only = off; create table public.mine (n int)")]
    [InlineData("copy (select 1) to program 'true'")]
    [InlineData("select pg_read_file('/etc/passwd')")]
    [InlineData("set role portal")]
    [InlineData("delete from orders")]
    public async Task A_question_can_change_nothing_and_reach_nothing_else(string sql)
    {
        await Backed();
        await Check("Hostile", sql);
        var (_, report) = await Drilled();
        Assert.Matches("read-only|permission denied|must be superuser|does not exist", report.Record!.Checks.Single().Problem);
    }

    [FactAsRoot]
    public async Task What_a_restored_database_runs_runs_as_nobody_and_without_a_network()
    {
        // The original is a superuser's too: what it runs there it runs as PostgreSQL's user.
        var mark = Path.Combine(Path.GetTempPath(), $"portal-ran-{shop}");
        await OddDatabase.Execute(node.Way(shop), $$"""
            create function hostile() returns int language plpgsql as $f$ begin copy (select 1) to program 'touch {{mark}}-$(id -un)-$(grep -c : /proc/net/dev)'; return 1; end $f$;
            create materialized view trap as select hostile();
            create role "portal $do$; select 1; --"; grant select on orders to "portal $do$; select 1; --";
            """);
        try
        {
            await Backed();
            foreach (var file in Marks()) File.Delete(file);
            var (run, report) = await Drilled();
            Assert.Equal((RunState.Succeeded, null), (run.State, run.Error));
            Assert.Contains(report.Record!.Log, l => l.Text == "The server has no network.");
            Assert.Equal([$"{mark}-nobody-1"], Marks());
        }
        finally
        {
            foreach (var file in Marks()) File.Delete(file);
            await OddDatabase.Execute(node.Way(shop), "drop owned by \"portal $do$; select 1; --\"; drop role \"portal $do$; select 1; --\"");
        }

        string[] Marks() => Directory.GetFiles(Path.GetTempPath(), $"portal-ran-{shop}-*");
    }

    [Fact]
    public async Task A_canary_that_nobody_wrote_for_long_is_not_believed()
    {
        await LetCanary();
        await OddDatabase.Execute(node.Way(shop), "update portal_canary.beats set at = at - interval '20 days'");
        var backup = await Backed();
        var (_, report) = await Drilled();
        Assert.Equal((DrillOutcome.Passed, false), (report.Drill.Outcome, report.Drill.IsLossByCanary));
        Assert.InRange((report.Record!.FailedAt - backup.At - report.Drill.Loss!.Value).Duration(), TimeSpan.Zero, TimeSpan.FromMilliseconds(1));
        Assert.Contains(report.Record.Log, l => l.Text.Contains("tells nothing of a snapshot", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_a_backup_or_with_a_damaged_one_nothing_comes_back_and_that_is_said()
    {
        var (run, report) = await Drilled();
        Assert.Equal((RunState.Failed, DrillOutcome.Failed, null), (run.State, report.Drill.Outcome, report.Drill.Recovery));
        Assert.Contains("There is no backup", run.Error, StringComparison.Ordinal);

        var backup = await Backed();
        var file = Path.Combine(node.Folder, ArtifactNames.Content(backup.Id, ContentKind.Database));
        var bytes = await File.ReadAllBytesAsync(file);
        bytes[bytes.Length / 2] ^= 1;
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await File.WriteAllBytesAsync(file, bytes);
        (run, report) = await Drilled();
        Assert.Equal((RunState.Failed, DrillOutcome.Failed, null), (run.State, report.Drill.Outcome, report.Drill.Loss));
        Assert.Contains("must not be used", run.Error, StringComparison.Ordinal);
        Assert.Equal(run.Error, (await node.All()).Single(b => b.Id == backup.Id).Damage);
        Assert.Equal(backup.Id.ToString(), report.Record!.Backup!.Id);
        await NothingIsLeft();
        // Damaged is not good enough for the next one.
        (run, _) = await Drilled();
        Assert.Contains("There is no backup", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Roles_that_only_the_original_has_are_made_so_that_owners_and_grants_are_proven_as_well()
    {
        await using var odd = new OddHost();
        await odd.Database.InitializeAsync();
        var other = $"odd-{shop[^12..]}";
        await node.AddTarget.Execute(new(other, odd.Database.ConnectionString, null), Cast.Alice, default);
        Assert.Equal(RunState.Succeeded, (await node.Back(other)).State);
        var run = await node.Done(await node.QueueDrill.Execute(new("database-lost", other), Cast.Alice, default));
        Assert.Equal((RunState.Succeeded, null), (run.State, run.Error));
        var report = await List.LoadOne(run.Id, Cast.Alice, default);
        Assert.DoesNotContain(report.Record!.Log, l => l.Text.StartsWith("Not granted", StringComparison.Ordinal));
        Assert.Contains(report.Record.Tables, t => t.Subject.Contains("weird", StringComparison.Ordinal));
    }

    sealed class OddHost : IAsyncDisposable
    {
        public OddDatabase Database { get; } = new();
        public async ValueTask DisposeAsync() => await Database.DisposeAsync();
    }

    [Fact]
    public async Task While_it_runs_its_backup_is_not_deleted_and_a_drill_that_was_cancelled_is_broken_off_with_its_evidence()
    {
        await Backed();
        await Backed();
        await Check("Takes long", "select pg_sleep(300)");
        var id = await Queue();
        Assert.Equal("target", (await Assert.ThrowsAsync<DomainException>(Queue)).Field);
        var working = node.Rig.Work(id);
        var held = await Soon.Reads(async () =>
        {
            await using var db = database.Open();
            var run = await JobRig.Find(database, id);
            return run.Phase == "Checking the data" ? (await db.Drills.AsNoTracking().SingleAsync(d => d.Id == id)).BackupId : null;
        }, b => b is not null, "the check runs");
        await using (var db = database.Open()) Assert.True(await Features.Backups.ApplyRetention.IsHeld(db, held!.Value, default));
        await new CancelRun(database.Database, TimeProvider.System).Execute(id, Cast.Alice, default);
        node.Rig.Feed.Publish($"job:{id}");
        await working;
        Assert.Equal(RunState.Cancelled, (await JobRig.Find(database, id)).State);
        await NothingIsLeft();
        await node.Records.BreakOff(id, await JobRig.Find(database, id), default);
        await node.Records.BreakOff(id, await JobRig.Find(database, id), default);
        var report = await List.LoadOne(id, Cast.Alice, default);
        Assert.Equal((DrillOutcome.BrokenOff, "It was cancelled by Alice.", true), (report.Drill.Outcome, report.Drill.Reason, report.IsWhole));
        await using (var db = database.Open()) Assert.False(await Features.Backups.ApplyRetention.IsHeld(db, held!.Value, default));
    }

    [Fact]
    public async Task What_a_node_found_that_was_taken_for_dead_counts_for_nothing()
    {
        await Backed();
        var id = await Queue();
        var claimed = (await node.Rig.Ledger.Claim(id, default))!;
        await using (var db = database.Open())
        {
            db.Drills.Add(new Drill(id, DrillScenario.DatabaseLost, await db.BackupTargets.SingleAsync(t => t.Id == target), DrillObjectives.Standard, "Alice", null, TimeProvider.System.GetUtcNow()));
            await db.SaveChangesAsync();
            await db.Database.ExecuteSqlAsync($"update job_runs set node = 'another', epoch = epoch + 1, attempt = attempt + 1 where id = {id.Value}");
        }
        var notes = new DrillNotes(new RunContext(claimed, TimeProvider.System), TimeProvider.System);
        Assert.Contains("was taken", (await Assert.ThrowsAsync<DomainException>(() => node.Records.Close(id, claimed.Epoch, claimed.Attempt, notes, null, default))).Message, StringComparison.Ordinal);
        var report = await List.LoadOne(id, Cast.Alice, default);
        Assert.Equal((DrillOutcome.Running, null), (report.Drill.Outcome, report.Record));
    }

    [Theory]
    [InlineData("database-lost", "nowhere", "target")]
    [InlineData("ransomware", null, "scenario")]
    public async Task What_cannot_be_drilled_is_refused_by_its_field(string scenario, string? of, string field)
    {
        Assert.Equal(field, (await Assert.ThrowsAsync<DomainException>(() => node.QueueDrill.Execute(new(scenario, of), Cast.Alice, default))).Field);
        await Assert.ThrowsAsync<ForbiddenException>(() => node.QueueDrill.Execute(new("database-lost"), Cast.Bob, default));
    }

    [Fact]
    public async Task A_directory_cannot_be_drilled_yet_and_that_is_said()
    {
        Directory.CreateDirectory(node["files"]);
        await node.AddTarget.Execute(new($"files-{shop[^12..]}", null, node["files"]), Cast.Alice, default);
        Assert.Contains("directory", (await Assert.ThrowsAsync<DomainException>(() => node.QueueDrill.Execute(new("database-lost", $"files-{shop[^12..]}"), Cast.Alice, default))).Message, StringComparison.Ordinal);
    }
}
