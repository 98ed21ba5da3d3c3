using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Notifications;
using Portal.Domain.Shared;
using Portal.Features.Backups;
using Portal.Features.Jobs;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Support;

namespace Portal.Tests.Backups;

public sealed class BackupNewsTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    readonly BackupNode node = new(database);
    BackupNews news = null!;

    public async Task InitializeAsync()
    {
        await node.Clear();
        await using var db = database.Open();
        await db.Notices.ExecuteDeleteAsync();
        await db.Mails.ExecuteDeleteAsync();
        await db.People.ExecuteDeleteAsync();
        db.People.Add(new Person("Alice", "alice@example.com", Role.Admin, TimeProvider.System.GetUtcNow()));
        await db.SaveChangesAsync();
        await node.Start();
        news = new(database.Database, new JobKinds([node.BackUp, node.Restores, new VerifyBackups(node.Work)]), TimeProvider.System);
    }

    public async Task DisposeAsync() => await node.DisposeAsync();

    async Task<(List<Notice> Open, List<QueuedMail> Mails)> Told()
    {
        await news.Tell(default);
        await news.Tell(default);
        await using var db = database.Open();
        return (await db.Notices.AsNoTracking().Where(n => n.ResolvedAt == null).ToListAsync(), await db.Mails.AsNoTracking().OrderBy(m => m.CreatedAt).ToListAsync());
    }

    [Fact]
    public async Task A_backup_that_fails_is_told_once_on_the_screen_and_by_mail_and_so_is_that_it_works_again()
    {
        Assert.Equal(RunState.Succeeded, (await node.Back("portal")).State);
        var (open, mails) = await Told();
        Assert.Empty(open);
        Assert.Empty(mails);

        await using (var db = database.Open())
        {
            var run = new JobRun(BackUp.Kind, "portal", "{}", new RunRules(), Actor.System, TimeProvider.System.GetUtcNow());
            db.JobRuns.Add(run);
            await db.SaveChangesAsync();
            await db.JobRuns.Where(r => r.Id == run.Id).ExecuteUpdateAsync(r => r.SetProperty(x => x.State, RunState.Missed).SetProperty(x => x.EndedAt, TimeProvider.System.GetUtcNow()).SetProperty(x => x.Error, "Nobody began it in time."));
        }
        (open, mails) = await Told();
        Assert.Equal((NoticeSeverity.Problem, "Backup of portal: missed"), (Assert.Single(open).Severity, open[0].Title));
        Assert.Equal(("alice@example.com", "Backup of portal: missed"), (Assert.Single(mails).Recipient, mails[0].Subject));

        Assert.Equal(RunState.Succeeded, (await node.Back("portal")).State);
        (open, mails) = await Told();
        Assert.Empty(open);
        Assert.Equal(["Backup of portal: missed", "Backup of portal works again"], mails.Select(m => m.Subject));
    }

    [Fact]
    public async Task Each_good_backup_is_told_by_mail_once_where_its_plan_asks_for_it_and_only_from_then_on()
    {
        Assert.Equal(RunState.Succeeded, (await node.Back("portal")).State);
        await Ask(mails: true);
        Assert.Empty((await Told()).Mails);

        var run = await node.Back("portal");
        var (open, mails) = await Told();
        Assert.Empty(open);
        var mail = Assert.Single(mails);
        Assert.Equal(("alice@example.com", "Backup of portal succeeded", $"/admin/jobs/{run.Id}"), (mail.Recipient, mail.Subject, mail.Link));
        Assert.Matches(@"^Backup \(portal\) succeeded on .* UTC after .+: [\d.]+ [kM]B to Configured, stored as [\d.]+ [kM]B\.$", mail.Body);

        // What went wrong since stays open, however often the good one before it is looked at.
        await using (var db = database.Open())
        {
            var late = new JobRun(BackUp.Kind, "portal", "{}", new RunRules(), Actor.System, TimeProvider.System.GetUtcNow());
            db.JobRuns.Add(late);
            await db.SaveChangesAsync();
            await db.JobRuns.Where(r => r.Id == late.Id).ExecuteUpdateAsync(r => r.SetProperty(x => x.State, RunState.Missed).SetProperty(x => x.EndedAt, TimeProvider.System.GetUtcNow()));
        }
        (open, mails) = await Told();
        Assert.Equal("Backup of portal: missed", Assert.Single(open).Title);
        Assert.Equal(2, mails.Count);

        // It works again: that is said, not the success beside it.
        await node.Back("portal");
        Assert.Empty((await Told()).Open);
        await node.Back("portal");
        (open, mails) = await Told();
        Assert.Empty(open);
        Assert.Equal(["Backup of portal succeeded", "Backup of portal: missed", "Backup of portal works again", "Backup of portal succeeded"], mails.Select(m => m.Subject));
        await Ask(mails: false);
        await node.Back("portal");
        Assert.Equal(4, (await Told()).Mails.Count);
    }

    async Task Ask(bool mails)
    {
        await using var db = database.Open();
        var (plan, schedule) = (await db.BackupPlans.AsNoTracking().SingleAsync(), await db.JobSchedules.AsNoTracking().SingleAsync());
        Assert.Equal(!mails, plan.TellsSuccess);
        await new ChangePlan(database.Database, TimeProvider.System).Execute(plan.Id, new(plan.Name, plan.TargetId, [.. plan.Stores], schedule.Cron, schedule.Zone, plan.GzipLevel, plan.VerifyTo, plan.Retention, plan.TargetLossMinutes, TellsSuccess: mails), plan.Version, Cast.Alice, default);
    }

    [Fact]
    public async Task A_backup_of_less_than_half_of_the_usual_size_is_told()
    {
        var shop = await node.Shop(20_000);
        await node.AddTarget.Execute(new("shop", node.Way(shop), null), Cast.Alice, default);
        for (var i = 0; i < 3; i++) Assert.Equal(RunState.Succeeded, (await node.Back("shop")).State);
        Assert.Empty((await Told()).Open);
        await OddDatabase.Execute(node.Way(shop), "delete from orders where id > 1000");
        Assert.Equal(RunState.Succeeded, (await node.Back("shop")).State);
        Assert.Equal("The backup of shop has shrunk", Assert.Single((await Told()).Open).Title);
    }

    [Fact]
    public async Task A_store_that_does_not_work_or_is_nearly_full_is_told_until_it_is_well_again()
    {
        async Task Probed(string? problem, long? free)
        {
            await using var db = database.Open();
            (await db.BackupStores.SingleAsync()).Probed(TimeProvider.System.GetUtcNow(), problem, free, 1_000);
            await db.SaveChangesAsync();
        }
        await Probed("It is gone.", null);
        Assert.Equal("It is gone.", Assert.Single((await Told()).Open).Text);
        await Probed(null, 20);
        Assert.Contains("nearly full", Assert.Single((await Told()).Open).Title, StringComparison.Ordinal);
        await Probed(null, 900);
        Assert.Empty((await Told()).Open);
    }

    [Fact]
    public async Task What_is_held_after_a_restore_is_sent_only_when_an_administrator_says_so()
    {
        await using var source = Database.Connect(database.ConnectionString);
        await using var connection = await source.OpenConnectionAsync();
        await RecoveryEpoch.Run(connection, default);
        async Task<(int Due, int Failed)> Mails()
        {
            await using var db = database.Open();
            return (await db.Mails.CountAsync(m => m.State == MailState.Waiting && m.DueAt <= TimeProvider.System.GetUtcNow()), await db.Mails.CountAsync(m => m.State == MailState.Failed));
        }
        async Task Restored(string key)
        {
            await using (var db = database.Open())
            {
                db.Mails.Add(new QueuedMail("alice@example.com", "Trouble", "…", null, key, TimeProvider.System.GetUtcNow()));
                await db.SaveChangesAsync();
            }
            await OddDatabase.Execute(database.ConnectionString, $"update settings set value = '1/2' where key = '{RecoveryEpoch.IdentitySetting}'");
            Assert.Equal(1, (await RecoveryEpoch.Run(connection, default))!.Held);
        }
        var (state, release) = (new RecoveryState(database.Database), new ReleaseRecovery(database.Database, TimeProvider.System));
        await Restored("one");
        Assert.Equal((0, 0), await Mails());
        Assert.Equal(1, (await state.Load(Cast.Alice, default))!.Held);
        await Assert.ThrowsAsync<ForbiddenException>(() => release.Execute(true, Cast.Bob, default));
        await release.Execute(true, Cast.Alice, default);
        Assert.Equal((1, 0), await Mails());
        Assert.Null(await state.Load(Cast.Alice, default));
        await Assert.ThrowsAsync<DomainException>(() => release.Execute(true, Cast.Alice, default));
        await OddDatabase.Execute(database.ConnectionString, "delete from mails");
        await Restored("two");
        await release.Execute(false, Cast.Alice, default);
        Assert.Equal((0, 1), await Mails());
    }
}
