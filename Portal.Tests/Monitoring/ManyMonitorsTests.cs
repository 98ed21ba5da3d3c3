using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.Monitoring;
using Portal.Infrastructure.Monitoring;
using Portal.Tests.Support;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Tests.Monitoring;

public sealed class ManyMonitorsTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    readonly FakeClock clock = new();

    ChangeMonitors Change => new(database.Contexts, clock);

    ChangeMonitor ChangeOne => new(database.Contexts, new TargetConsent(new GuardedConnector((_, _) => Task.FromResult<IReadOnlyList<System.Net.IPAddress>>([System.Net.IPAddress.Parse("93.184.216.34")]), NameResolver.Open), clock), Sealing.Secrets, clock);

    async Task<List<MonitorId>> Add(int count, int seconds = 60, MonitorKind kind = MonitorKind.Tcp)
    {
        await using var db = database.Open();
        var now = clock.GetUtcNow();
        List<Monitor> monitors = [.. Enumerable.Range(0, count).Select(i => new Monitor(new($"Port {i:0000}", kind, $"host{i}.example.com:443", TimeSpan.FromSeconds(seconds), TimeSpan.FromSeconds(10), null, Tags: MonitorTags.Of(["old"]),
            Options: kind == MonitorKind.Heartbeat ? new() { PeriodSeconds = 60 } : null), now.AddMilliseconds(i)))];
        db.AddRange(monitors);
        db.AddRange(monitors.Select(m => new MonitorState(m.Id, now)));
        if (kind == MonitorKind.Heartbeat) db.AddRange(monitors.Select(m => new Heartbeat(m.Id, m.Id.Value.ToByteArray(), now)));
        await db.SaveChangesAsync();
        clock.FastForward(TimeSpan.FromMinutes(1));
        return [.. monitors.Select(m => m.Id)];
    }

    async Task<List<Monitor>> Read(List<MonitorId> ids)
    {
        await using var db = database.Open();
        return await db.Monitors.AsNoTracking().Where(m => ids.Contains(m.Id)).OrderBy(m => m.Id).ToListAsync();
    }

    async Task<List<string>> Audit(MonitorId id)
    {
        await using var db = database.Open();
        return await db.Audit.Where(a => a.Subject == id.ToString()).OrderBy(a => a.Id).Select(a => a.Action).ToListAsync();
    }

    async Task<long> PageVersion()
    {
        await using var db = database.Open();
        return (await db.PageVersions.SingleAsync()).Version;
    }

    [Fact]
    public async Task A_thousand_monitors_are_changed_at_once_told_of_once_and_audited_each()
    {
        var ids = await Add(1_000);
        var component = new Component("Shop", null, null, null, 0, clock.GetUtcNow());
        await using (var db = database.Open())
        {
            db.Add(component);
            await db.SaveChangesAsync();
        }
        var (before, began) = (await PageVersion(), Stopwatch.GetTimestamp());
        var outcome = await Change.Execute(new(ids, Paused: true, AddTags: MonitorTags.Of(["shop"]), RemoveTags: MonitorTags.Of(["old"]), Interval: TimeSpan.FromSeconds(30), Timeout: TimeSpan.FromSeconds(5), FailuresBeforeDown: 3, MovesComponent: true, Component: component.Id), Cast.Bob, default);
        Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(30), $"{Stopwatch.GetElapsedTime(began)}");
        Assert.Equal((1_000, 0), (outcome.Changed, outcome.Refused.Count));
        Assert.Equal(before + 1, await PageVersion());
        Assert.All(await Read(ids), m => Assert.Equal(("shop", 30d, 5d, 3, 3, component.Id, clock.GetUtcNow()),
            (string.Join(' ', m.Tags), m.Interval.TotalSeconds, m.Timeout.TotalSeconds, m.FailuresBeforeDown, m.Window, m.ComponentId!.Value, m.PausedAt!.Value)));
        Assert.Equal("Port 0007", (await Read([ids[7]]))[0].Name);
        Assert.Equal(["monitor.changed", "monitor.paused"], (await Audit(ids[999])).Order());

        // What stands so already is no change, and nobody is told of it.
        outcome = await Change.Execute(new(ids, Paused: true, AddTags: MonitorTags.Of(["shop"])), Cast.Bob, default);
        Assert.Equal((0, before + 1), (outcome.Changed, await PageVersion()));
        await Change.Execute(new(ids, Paused: false, MovesComponent: true), Cast.Bob, default);
        Assert.All(await Read(ids), m => Assert.Equal((true, true), (m.PausedAt is null, m.ComponentId is null)));
    }

    [Fact]
    public async Task Nothing_is_half_done_and_each_that_cannot_says_why()
    {
        var (slow, quick) = (await Add(2), await Add(1, seconds: 10));
        List<MonitorId> all = [.. slow, .. quick, Id.New<MonitorId>(clock.GetUtcNow())];
        var before = await PageVersion();
        var outcome = await Change.Execute(new(all, Paused: true, Timeout: TimeSpan.FromSeconds(20)), Cast.Bob, default);
        Assert.Equal([all[3], quick[0]], outcome.Refused.Select(r => r.Monitor));
        Assert.Contains("deleted", outcome.Refused[0].Why, StringComparison.Ordinal);
        Assert.Contains("not exceed the interval", outcome.Refused[1].Why, StringComparison.Ordinal);
        Assert.Equal("Port 0000", outcome.Refused[1].Name);
        Assert.Equal(before, await PageVersion());
        Assert.All(await Read(all), m => Assert.Equal((true, 10d), (m.PausedAt is null, m.Timeout.TotalSeconds)));
        Assert.Equal(2, (await Change.Execute(new(slow, Paused: true, Timeout: TimeSpan.FromSeconds(20)), Cast.Bob, default)).Changed);

        var full = MonitorTags.Of(Enumerable.Range(0, 20).Select(i => $"t{i}"));
        Assert.Contains("at most 20 tags", (await Change.Execute(new(quick, AddTags: full), Cast.Bob, default)).Refused.Single().Why, StringComparison.Ordinal);
        await Assert.ThrowsAsync<DomainException>(() => Change.Execute(new(slow), Cast.Bob, default));
        await Assert.ThrowsAsync<DomainException>(() => Change.Execute(new([], Paused: true), Cast.Bob, default));
        Assert.Equal("component", (await Assert.ThrowsAsync<DomainException>(() => Change.Execute(new(slow, MovesComponent: true, Component: Id.New<ComponentId>(clock.GetUtcNow())), Cast.Bob, default))).Field);
        await Assert.ThrowsAsync<ForbiddenException>(() => Change.Execute(new(slow, Paused: false), Cast.Charlie, default));
        await Assert.ThrowsAsync<ForbiddenException>(() => new DeleteMonitors(database.Contexts, clock).Execute(slow, Cast.Charlie, default));
    }

    [Fact]
    public async Task What_somebody_else_edits_at_the_same_moment_is_kept_and_an_older_edit_is_told()
    {
        var ids = await Add(3);
        var opened = (await Read(ids))[0];
        Task<ChangeMonitors.Outcome> bulk;
        await using (var other = database.Open())
        {
            await using var transaction = await other.Database.BeginTransactionAsync();
            await other.Database.ExecuteSqlAsync($"update monitors set name = 'Renamed meanwhile' where id = {ids[1].Value}");
            bulk = Change.Execute(new(ids, AddTags: MonitorTags.Of(["shop"])), Cast.Bob, default);
            await Soon.Comes(async () =>
            {
                await using var db = database.Open();
                return await db.Database.SqlQueryRaw<int>("select count(*)::int as \"Value\" from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'").SingleAsync() > 0;
            }, "the change waits for the edit");
            Assert.False(bulk.IsCompleted);
            await transaction.CommitAsync();
        }
        Assert.Equal(3, (await bulk).Changed);
        Assert.Equal(("Renamed meanwhile", "old shop"), ((await Read(ids))[1].Name, string.Join(' ', (await Read(ids))[1].Tags)));
        // The editor that was open before would put everything back as it was.
        await Assert.ThrowsAsync<ConflictException>(() => ChangeOne.Execute(new(ids[0], opened.Settings with { Name = "Late" }, Version: opened.Version), Cast.Alice, default));
    }

    [Fact]
    public async Task A_resumed_heartbeat_is_judged_from_then_on()
    {
        var ids = await Add(2, kind: MonitorKind.Heartbeat);
        await Change.Execute(new([ids[0]], Paused: true), Cast.Bob, default);
        clock.FastForward(TimeSpan.FromHours(1));
        await Change.Execute(new(ids, Paused: false), Cast.Bob, default);
        await using var db = database.Open();
        Assert.Equal(clock.GetUtcNow(), (await db.Heartbeats.SingleAsync(h => h.MonitorId == ids[0])).JudgedFrom);
        Assert.NotEqual(clock.GetUtcNow(), (await db.Heartbeats.SingleAsync(h => h.MonitorId == ids[1])).JudgedFrom);
    }

    [Fact]
    public async Task Many_are_deleted_with_what_was_open_ended_and_those_that_are_gone_are_no_obstacle()
    {
        var ids = await Add(3);
        await using var db = database.Open();
        var monitor = await db.Monitors.AsNoTracking().SingleAsync(m => m.Id == ids[0]);
        db.Add(new Outage(monitor, clock.GetUtcNow().AddMinutes(-5), null, []));
        await db.SaveChangesAsync();
        Assert.Equal(2, await new DeleteMonitors(database.Contexts, clock).Execute([ids[0], ids[1], Id.New<MonitorId>(clock.GetUtcNow())], Cast.Bob, default));
        Assert.Equal([ids[2]], (await Read(ids)).Select(m => m.Id));
        Assert.Equal(clock.GetUtcNow(), (await db.Outages.AsNoTracking().SingleAsync(o => o.MonitorId == ids[0])).To);
        Assert.Equal(["monitor.deleted"], await Audit(ids[1]));
        Assert.Equal(0, await new DeleteMonitors(database.Contexts, clock).Execute([ids[0]], Cast.Bob, default));
    }
}
