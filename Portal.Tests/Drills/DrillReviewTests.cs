using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Backups;
using Portal.Domain.Drills;
using Portal.Domain.Jobs;
using Portal.Domain.Notifications;
using Portal.Domain.Shared;
using Portal.Features.Drills;
using Portal.Features.Jobs;
using Portal.Infrastructure;
using Portal.Infrastructure.Persistence.Drills;
using Portal.Tests.Backups;
using Portal.Tests.Jobs;
using Portal.Tests.Support;

namespace Portal.Tests.Drills;

/// <summary>What people add to a drill, its chain of evidence, and the news of it. The drills here found nothing: they only ended.</summary>
public sealed class DrillReviewTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    static readonly Actor Dora = Cast.Alice with { Id = Guid.CreateVersion7(), Name = "Dora" };
    readonly BackupNode node = new(database);

    public async Task InitializeAsync()
    {
        await node.Clear();
        await node.Start();
        await using var db = database.Open();
        await db.Database.ExecuteSqlRawAsync("alter table audit disable trigger user; delete from audit; alter table audit enable trigger user; delete from notices; delete from mails");
    }

    public async Task DisposeAsync() => await node.DisposeAsync();

    ReviewDrill Review => new(database.Database, TimeProvider.System);
    DrillList List => new(database.Database);

    /// <param name="recovery">Minutes; null where nothing came back.</param>
    async Task<JobRunId> Ended(double? recovery = 4, double loss = 1)
    {
        var (id, clock) = (await node.QueueDrill.Execute(new("database-lost"), Cast.Alice, default), new FakeClock());
        var claimed = (await node.Rig.Ledger.Claim(id, default))!;
        var notes = new DrillNotes(new RunContext(claimed, TimeProvider.System), clock);
        await using (var db = database.Open())
        {
            notes.Lost(TimeProvider.System.GetUtcNow());
            var target = await db.BackupTargets.SingleAsync(t => t.Kind == BackupTargetKind.Portal);
            db.Drills.Add(new Drill(id, DrillScenario.DatabaseLost, target, DrillObjectives.Standard, "Alice", Cast.Alice.Id, notes.FailedAt));
            await db.SaveChangesAsync();
        }
        if (recovery is { } minutes)
        {
            notes.Lost(notes.FailedAt);
            clock.FastForward(TimeSpan.FromMinutes(minutes));
            notes.Recovered();
            notes.Loss = TimeSpan.FromMinutes(loss);
        }
        var reason = recovery is null ? "The store is gone." : null;
        await node.Records.Close(id, claimed.Epoch, claimed.Attempt, notes, reason, default);
        await node.Rig.Ledger.End(claimed, reason is null ? RunState.Succeeded : RunState.Failed, null, reason, default);
        return id;
    }

    async Task<uint> Version(JobRunId id) => (await List.LoadOne(id, Cast.Alice, default)).Drill.Version;

    async Task<DrillVerdict> Verify()
    {
        await using var db = database.Open();
        return await DrillChain.Verify(db, default);
    }

    Task Sql(string sql) => OddDatabase.Execute(database.ConnectionString, sql);

    [Fact]
    public async Task Lessons_actions_and_the_signature_of_a_second_person_are_sealed_and_stay()
    {
        var id = await Ended();
        var seen = await Version(id);
        await Review.Learn(id, "The disk is slow.", seen, Dora, default);
        var stale = await Assert.ThrowsAsync<ConflictException>(() => Review.Learn(id, "Mine instead.", seen, Cast.Alice, default));
        Assert.Equal("The disk is slow.", stale.Current);
        var action = await Review.Add(id, "Buy a disk", "Bob", Dora, default);
        var erin = Dora with { Id = Guid.CreateVersion7(), Name = "Erin" };
        // Nobody signs what they have not read.
        await Assert.ThrowsAsync<ConflictException>(() => Review.SignOff(id, seen, erin, default));
        await Assert.ThrowsAsync<DomainException>(async () => await Review.SignOff(id, await Version(id), Dora, default));
        await Assert.ThrowsAsync<ForbiddenException>(async () => await Review.SignOff(id, await Version(id), Cast.Bob, default));
        await Review.SignOff(id, await Version(id), erin, default);
        var report = await List.LoadOne(id, Cast.Alice, default);
        Assert.True(report.IsWhole);
        Assert.Equal(("The disk is slow.", "Dora", "Erin", report.RecordSeal), (report.Review!.Lessons, report.Review.LessonsBy, report.Review.SignedOffBy, report.Review.RecordSeal));
        Assert.Equal(new ReviewedAction("Buy a disk", "Bob", null), Assert.Single(report.Review.Actions));
        await Assert.ThrowsAsync<DomainException>(async () => await Review.Learn(id, "Later.", await Version(id), Dora, default));
        await Assert.ThrowsAsync<DomainException>(() => Review.Add(id, "Later", "Bob", Dora, default));
        // Work goes on after the signature, and the next drill that passes ends it.
        await Review.Settle(action, true, Cast.Alice, default);
        var next = await Ended();
        Assert.Equal(action, Assert.Single((await List.LoadOne(next, Cast.Alice, default)).Tests).Id);
        await Assert.ThrowsAsync<DomainException>(() => Review.Settle(action, false, Cast.Alice, default));
        Assert.Equal((3, null), ((await Verify()).Links, (await Verify()).Problem));
    }

    [Fact]
    public async Task Evidence_cannot_be_changed_and_what_an_owner_of_the_database_changes_shows()
    {
        var (first, second) = (await Ended(), await Ended());
        await Ended();
        foreach (var sql in new[] { "update drill_evidence set content = '{}'", "delete from drill_evidence", "truncate drill_evidence" })
            Assert.Contains("only added to", (await Assert.ThrowsAsync<Npgsql.PostgresException>(() => Sql(sql))).MessageText, StringComparison.Ordinal);
        Assert.Equal((3, null), ((await Verify()).Links, (await Verify()).Problem));

        async Task Tampered(string sql, string expected)
        {
            await Sql($"create table kept as select * from drill_evidence; alter table drill_evidence disable trigger user; {sql}");
            Assert.Contains(expected, (await Verify()).Problem, StringComparison.Ordinal);
            await Sql("delete from drill_evidence; insert into drill_evidence select * from kept; drop table kept; alter table drill_evidence enable trigger user");
            Assert.Null((await Verify()).Problem);
        }

        await Tampered($"update drill_evidence set content = replace(content, '240', '60') where drill_id = '{first.Value}'", "no. 1");
        await Tampered($"delete from drill_evidence where drill_id = '{second.Value}'", "no. 2 is missing");
        await Tampered("delete from drill_evidence where position = 3", "the newest are missing");
        await Tampered("delete from drill_evidence", "the newest are missing");
        // The whole made anew, each link with a right seal: only the audit log tells.
        await Tampered("""
            update drill_evidence set content = '{}', previous = decode(repeat('00', 32), 'hex') where position = 1;
            update drill_evidence e set seal = sha256(previous || convert_to((select string_agg(octet_length(f) || ':' || f || ',', '' order by n) from unnest(array[position::text, replace(drill_id::text, '-', ''), kind, to_char(at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), content]) with ordinality as u(f, n)), 'UTF8')) where position = 1
            """, "does not stand in the audit log");
        // Nor may the rows that screens show say anything else than what was sealed.
        foreach (var (change, back) in new[] { ("recovery = interval '1 min'", "recovery = interval '4 min'"), ("outcome = 'Failed', reason = 'No'", "outcome = 'Passed', reason = null"), ("signed_off_at = now(), signed_off_by = 'Erin'", "signed_off_at = null, signed_off_by = null") })
        {
            await Sql($"update drills set {change} where id = '{first.Value}'");
            Assert.False((await List.LoadOne(first, Cast.Alice, default)).IsWhole, change);
            await Sql($"update drills set {back} where id = '{first.Value}'");
            Assert.True((await List.LoadOne(first, Cast.Alice, default)).IsWhole, back);
        }
        await Sql($"insert into audit (id, at, actor_kind, actor_name, action, subject, summary) select gen_random_uuid(), now(), 'System', 'Portal', action, subject, 'Seal 00: forged' from audit where action = 'drill.recorded' and subject = '{second}'");
        Assert.False((await List.LoadOne(second, Cast.Alice, default)).IsWhole);
        await Sql("alter table drill_evidence disable trigger user; update drill_evidence set content = replace(content, '240', '60') where position = 1; alter table drill_evidence enable trigger user");
        Assert.False((await List.LoadOne(first, Cast.Alice, default)).IsWhole);
        Assert.True((await List.LoadOne((await Ended()), Cast.Alice, default)).IsWhole);
    }

    [Fact]
    public async Task Administrators_are_told_of_drills_that_failed_or_missed_their_objective_once_and_a_good_one_ends_it()
    {
        await using (var db = database.Open())
        {
            await db.Database.ExecuteSqlRawAsync("delete from people");
            db.People.Add(new Person("Alice", "alice@example.com", Role.Admin, TimeProvider.System.GetUtcNow()));
            await db.SaveChangesAsync();
        }
        var news = new DrillNews(database.Database, new JobKinds([node.Drills]), TimeProvider.System);
        async Task<List<Notice>> Open()
        {
            await using var db = database.Open();
            return await db.Notices.AsNoTracking().Where(n => n.ResolvedAt == null).ToListAsync();
        }

        var failed = await Ended(null);
        await news.Tell(default);
        await news.Tell(default);
        var notice = Assert.Single(await Open());
        Assert.Equal((NoticeSeverity.Problem, "Drill of portal: failed", $"/admin/drills/{failed}"), (notice.Severity, notice.Title, notice.Link));
        Assert.Contains("nothing came back: The store is gone.", notice.Text, StringComparison.Ordinal);

        await Ended(loss: 40);
        await news.Tell(default);
        notice = Assert.Single(await Open());
        Assert.Equal((NoticeSeverity.Warning, "portal would come back, but not as was promised"), (notice.Severity, notice.Title));
        Assert.Contains("40 min would have been lost (missed: 15 min is the objective)", notice.Text, StringComparison.Ordinal);

        await Ended();
        await news.Tell(default);
        Assert.Empty(await Open());
        // What was looked at is looked at again, and a good one of before takes away no bad one of later.
        await Ended(null);
        await news.Tell(default);
        await news.Tell(default);
        Assert.Single(await Open());
        await using var mails = database.Open();
        Assert.Equal(3, await mails.Mails.CountAsync());
    }

    [Fact]
    public async Task A_target_is_drilled_by_one_schedule_and_by_none_once_it_is_removed()
    {
        var shop = await node.Shop(10);
        var name = $"shop-{shop[^12..]}";
        var target = await node.AddTarget.Execute(new(name, node.Way(shop), null), Cast.Alice, default);
        var schedule = new ScheduleDrill(database.Database, TimeProvider.System);
        var both = await Task.WhenAll(Enumerable.Range(0, 2).Select(async _ =>
        {
            try
            {
                await schedule.Execute(new(target, ScheduleDrill.Weekly, "Europe/Berlin"), Cast.Alice, default);
                return true;
            }
            catch (ConflictException) { return false; }
        }));
        Assert.Single(both, made => made);
        Assert.Equal("cron", (await Assert.ThrowsAsync<DomainException>(() => schedule.Execute(new(node.PortalTarget, "often", "Europe/Berlin"), Cast.Alice, default))).Field);
        await using var db = database.Open();
        var made = await db.JobSchedules.AsNoTracking().SingleAsync(s => s.Kind == RunDrill.Kind);
        Assert.Equal("every Sunday at 04:47 Europe/Berlin", made.InWords());
        await schedule.Execute(new(target, "0 5 1 * *", "UTC", Paused: true, made.Version), Cast.Alice, default);
        var changed = await db.JobSchedules.AsNoTracking().SingleAsync(s => s.Kind == RunDrill.Kind);
        Assert.Equal(("0 5 1 * *", "UTC", true), (changed.Cron, changed.Zone, changed.PausedAt is not null));
        await new Features.Backups.RemoveTarget(database.Database, TimeProvider.System).Execute(target, Cast.Alice, default);
        Assert.False(await db.JobSchedules.AnyAsync(s => s.Kind == RunDrill.Kind));
    }
}
