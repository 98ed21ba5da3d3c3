using Microsoft.EntityFrameworkCore;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Features.Monitoring.Imports;
using Portal.Features.Monitoring.Places;
using Portal.Tests.Support;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Tests.Monitoring;

/// <summary>What an undone import puts back stands in a world that went on meanwhile.</summary>
public sealed class UndoImportTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    readonly ImportRig rig = new(database);

    async Task<Monitor> Stored(string name)
    {
        await using var db = database.Open();
        return await db.Monitors.AsNoTracking().SingleAsync(m => m.Name == name);
    }

    async Task Edit(string name, Action<Monitor> edit)
    {
        await using var db = database.Open();
        edit(await db.Monitors.SingleAsync(m => m.Name == name));
        await db.SaveChangesAsync();
    }

    [Theory]
    [InlineData("name,periodSeconds\nJob by {0},86400", "another period")]
    [InlineData("name,paused\nJob by {0},true", "a pause")]
    public async Task A_heartbeat_that_is_put_back_is_judged_from_then_on(string table, string by)
    {
        await rig.Apply($"name,kind,periodSeconds,graceSeconds\nJob by {by},heartbeat,3600,60", Cast.Bob);
        var monitor = await Stored($"Job by {by}");
        await using (var db = database.Open())
        {
            (await db.Heartbeats.SingleAsync(h => h.MonitorId == monitor.Id)).Hear(HeartbeatSignal.Ping, null, rig.Clock.GetUtcNow());
            await db.SaveChangesAsync();
        }
        var done = await rig.Apply(string.Format(System.Globalization.CultureInfo.InvariantCulture, table, by), Cast.Bob);
        rig.Clock.FastForward(TimeSpan.FromHours(5));
        Assert.Equal(1, (await rig.Undo.Execute(new(done.Import), Cast.Bob, default)).Restored);
        await using var after = database.Open();
        var heartbeat = await after.Heartbeats.SingleAsync(h => h.MonitorId == monitor.Id);
        var options = (await Stored($"Job by {by}")).Options;
        Assert.Equal(CheckOutcome.NotConfigured, heartbeat.Judge(options, rig.Clock.GetUtcNow()).Outcome);
        Assert.Equal(CheckOutcome.Down, heartbeat.Judge(options, rig.Clock.GetUtcNow().AddHours(2)).Outcome);
    }

    [Fact]
    public async Task A_consent_that_does_not_stand_any_more_is_brought_back_by_an_administrator_alone()
    {
        await rig.Apply("name,kind,target\nStays inner,tcp,inner.example:80\nLeft inner,tcp,inner.example:81\nWithdrawn inner,tcp,inner.example:82", Cast.Alice, allowPrivate: true);
        rig.Clock.FastForward(TimeSpan.FromMinutes(1));
        var done = await rig.Apply("name,target,intervalSeconds\nStays inner,inner.example:80,30\nLeft inner,outer.example:81,30\nWithdrawn inner,inner.example:82,30", Cast.Alice);
        await Edit("Withdrawn inner", m => m.Change(m.Settings with { AllowPrivate = false }, rig.Clock.GetUtcNow().AddMinutes(1)));
        MonitorId[] withdrawn = [(await Stored("Withdrawn inner")).Id];

        var undone = await rig.Undo.Execute(new(done.Import, withdrawn), Cast.Bob, default);
        Assert.Equal(1, undone.Restored);
        Assert.Equal(["Left inner", "Withdrawn inner"], undone.NeedAdministrator.Order());
        Assert.Equal((true, 60), ((await Stored("Stays inner")).AllowPrivate, (await Stored("Stays inner")).Interval.TotalSeconds));
        Assert.Equal((false, "tcp://outer.example:81"), ((await Stored("Left inner")).AllowPrivate, (await Stored("Left inner")).Target));
        Assert.False((await Stored("Withdrawn inner")).AllowPrivate);

        Assert.Equal(2, (await rig.Undo.Execute(new(done.Import, withdrawn), Cast.Alice, default)).Restored);
        Assert.Equal((true, "tcp://inner.example:81"), ((await Stored("Left inner")).AllowPrivate, (await Stored("Left inner")).Target));
        Assert.True((await Stored("Withdrawn inner")).AllowPrivate);
    }

    [Fact]
    public async Task Of_places_that_are_gone_nothing_comes_back_and_somebody_looks()
    {
        var (kept, gone) = (new ProbePlace("Kept place", rig.Clock.GetUtcNow()), new ProbePlace("Gone place", rig.Clock.GetUtcNow()));
        await using (var db = database.Open())
        {
            db.AddRange(kept, gone);
            await db.SaveChangesAsync();
        }
        await rig.Apply("name,kind,target\nFrom both,tcp,shop.example:80\nFrom the gone,tcp,shop.example:81", Cast.Bob);
        await Edit("From both", m => m.Change(m.Settings with { Places = [kept.Id, gone.Id], FromHere = false, PlacesBeforeDown = 2 }, rig.Clock.GetUtcNow()));
        await Edit("From the gone", m => m.Change(m.Settings with { Places = [gone.Id], FromHere = false }, rig.Clock.GetUtcNow()));
        rig.Clock.FastForward(TimeSpan.FromMinutes(1));
        var done = await rig.Apply("name,intervalSeconds\nFrom both,30\nFrom the gone,30", Cast.Bob);
        await new RemovePlace(database.Contexts, rig.Clock).Execute(gone.Id, Cast.Bob, default);
        MonitorId[] both = [(await Stored("From both")).Id, (await Stored("From the gone")).Id];

        Assert.Equal(2, (await rig.Undo.Execute(new(done.Import, both), Cast.Bob, default)).Restored);
        var (one, none) = (await Stored("From both"), await Stored("From the gone"));
        Assert.Equal([kept.Id], one.Places);
        Assert.Equal((false, 1, 60d), (one.FromHere, one.PlacesBeforeDown, one.Interval.TotalSeconds));
        Assert.Empty(none.Places);
        Assert.Equal((true, 1), (none.FromHere, none.PlacesBeforeDown));
    }

    [Fact]
    public async Task A_place_that_is_chosen_and_removed_at_the_same_moment_is_in_no_monitor()
    {
        var place = new ProbePlace("Contended place", rig.Clock.GetUtcNow());
        await using var db = database.Open();
        db.Add(place);
        await db.SaveChangesAsync();
        await rig.Apply("name,kind,target\nContended,tcp,shop.example:80", Cast.Bob);
        var monitor = await Stored("Contended");
        var consent = new Portal.Features.Monitoring.TargetConsent(new Infrastructure.Monitoring.GuardedConnector(
            (_, _) => Task.FromResult<IReadOnlyList<System.Net.IPAddress>>([System.Net.IPAddress.Parse("93.184.216.34")]), Infrastructure.Monitoring.NameResolver.Open), rig.Clock);
        Task<bool> Wait(int many) => db.Database.SqlQuery<bool>($"select count(*) >= {many} as \"Value\" from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'").SingleAsync();

        Task choosing, removing;
        await using (var held = database.Open())
        await using (var transaction = await held.Database.BeginTransactionAsync())
        {
            // Both get as far as they can before either commits.
            await held.Database.ExecuteSqlAsync($"lock table page_versions");
            choosing = new Portal.Features.Monitoring.ChangeMonitor(database.Contexts, consent, Sealing.Secrets, rig.Clock).Execute(new(monitor.Id, monitor.Settings with { Places = [place.Id] }), Cast.Bob, default);
            await Soon.Comes(() => Wait(1), "the choice waits to be committed");
            removing = new RemovePlace(database.Contexts, rig.Clock).Execute(place.Id, Cast.Bob, default);
            await Soon.Comes(async () => removing.IsCompleted || await Wait(2), "the removal got as far as it can");
            await transaction.RollbackAsync();
        }
        await Task.WhenAll(choosing, removing);
        Assert.Empty((await Stored("Contended")).Places);
        Assert.False(await db.ProbePlaces.AnyAsync(p => p.Id == place.Id));
    }
}
