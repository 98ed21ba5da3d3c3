using Microsoft.EntityFrameworkCore;
using Portal.Domain.Incidents;
using Portal.Domain.Maintenance;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.Incidents;
using Portal.Features.Monitoring;
using Portal.Features.StatusPages;
using Portal.Infrastructure;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Persistence.DemoData;
using Portal.Tests.Support;

namespace Portal.Tests.Persistence;

/// <summary>Each on a database of its own: the data is filled in once.</summary>
public sealed class DemoDataTests : IAsyncLifetime
{
    readonly FakeClock clock = new();
    readonly TestDatabase database = new();

    public Task InitializeAsync() => database.InitializeAsync();

    public Task DisposeAsync() => database.DisposeAsync();

    [Fact]
    public async Task An_empty_database_gets_ninety_days_of_a_company_once()
    {
        var now = clock.GetUtcNow();
        var demo = new DemoData(database.Contexts, clock);
        Assert.True(await demo.Fill(default));
        Assert.False(await demo.Fill(default));

        await using var db = database.Open();
        Assert.Equal("true", (await db.Settings.SingleAsync(s => s.Key == DemoData.SettingKey)).Value);
        Assert.Equal(3, await db.ComponentGroups.CountAsync());
        Assert.Equal(10, await db.Components.CountAsync());
        var incidents = await db.Incidents.Include(i => i.Updates).Include(i => i.Effects).ToListAsync();
        Assert.Equal(12, incidents.Count(i => i.IsResolved));
        Assert.All(incidents, i => Assert.True(i.Updates.Count >= 2 && i.StartedAt > now.AddDays(-90) && i.Updates.All(u => u.CreatedAt <= now)));
        var active = Assert.Single(incidents, i => !i.IsResolved);
        Assert.Equal(Severity.P2, active.Severity);
        Assert.True(active.NextUpdateBy > now);
        Assert.Equal(ComponentStatus.DegradedPerformance, Assert.Single(active.Effects).Status);
        Assert.Equal(ComponentStatus.Operational, StatusRules.Worst(incidents.Where(i => i.IsResolved).SelectMany(i => i.Effects).Where(e => e.To is null).Select(e => e.Status)));
    }

    [Fact]
    public async Task Its_monitors_look_at_this_portal_only_and_its_outages_have_evidence()
    {
        await new DemoData(database.Contexts, clock).Fill(default);
        await using var db = database.Open();
        Assert.All(await db.Monitors.ToListAsync(), m => Assert.StartsWith("self:/health/", m.Target, StringComparison.Ordinal));
        Assert.All(await db.MonitorStates.ToListAsync(), s => Assert.Equal(MonitorHealth.Up, s.Health));
        var outages = await db.Outages.ToListAsync();
        Assert.True(outages.Count >= 10);
        Assert.All(outages, o => Assert.True(o.Evidence.Count > 0 && o.To > o.From && o.To <= clock.GetUtcNow()));
        Assert.NotEmpty(await db.ObservationGaps.ToListAsync());
        var results = await db.Checks.CountAsync();
        Assert.Equal(8 * DemoData.ResultDays * 24 * 60, results);
    }

    [Fact]
    public async Task The_charts_of_ninety_days_are_there_from_the_start()
    {
        await new DemoData(database.Contexts, clock).Fill(default);
        await using var db = database.Open();
        var monitor = await db.Monitors.OrderBy(m => m.Name).FirstAsync();
        var history = new ResponseTimeHistory(database.Contexts);
        foreach (var range in ChartRange.All.Where(r => r.Length <= TimeSpan.FromDays(DemoData.Days)))
        {
            var buckets = await history.Load(monitor.Id, range.Until(clock.GetUtcNow()), range.Step, Cast.Bob, default);
            Assert.InRange(buckets.Count, range.Length / range.Step * 0.98, range.Length / range.Step);
        }
        Assert.NotEqual(0, await db.Checks.CountAsync(c => c.Outcome == CheckOutcome.Down));
    }

    [Fact]
    public async Task What_its_people_did_is_on_record_in_the_order_of_time()
    {
        await new DemoData(database.Contexts, clock).Fill(default);
        await using var db = database.Open();
        var rows = await db.Audit.OrderBy(a => a.Sequence).ToListAsync();
        Assert.Equal(rows.OrderBy(r => r.At).Select(r => r.Sequence), rows.Select(r => r.Sequence));
        Assert.Equal("demo.filled", rows[^1].Action);
        Assert.All(rows, r => Assert.True(r.At <= clock.GetUtcNow() && r.Summary.Length > 0));
        var incidents = await db.Incidents.Include(i => i.Updates).ToListAsync();
        foreach (var incident in incidents)
        {
            var own = rows.Where(r => r.Subject == incident.Id.ToString()).ToList();
            Assert.Equal(incident.Updates.OrderBy(u => u.CreatedAt).Select(u => (u.CreatedAt, u.Author)), own.Select(r => (r.At, r.ActorName)));
            Assert.Equal($"{incident.Severity} {incident.Title}", own[0].Summary);
            Assert.Equal(incident.IsResolved ? 1 : 0, own.Count(r => r.Action == "incident.resolved"));
        }
        Assert.Equal((3, 10, 8), (rows.Count(r => r.Action == "component_group.added"), rows.Count(r => r.Action == "component.added"), rows.Count(r => r.Action == "monitor.created")));
        Assert.Equal(10, (await new SituationNow(database.Contexts, new ComponentStatuses(database.Contexts, TimeProvider.System), TimeProvider.System).Load(default)).Changes.Count);
    }

    [Fact]
    public async Task One_maintenance_is_under_way_one_is_to_come_three_are_over_and_the_record_says_who_announced_them()
    {
        await new DemoData(database.Contexts, clock).Fill(default);
        await using var db = database.Open();
        var windows = await db.MaintenanceWindows.Include(w => w.Scope).Include(w => w.Updates).ToListAsync();
        int In(MaintenanceStatus status) => windows.Count(w => w.StatusAt(clock.GetUtcNow()) == status);
        Assert.Equal((1, 1, 3), (In(MaintenanceStatus.Scheduled), In(MaintenanceStatus.InProgress), In(MaintenanceStatus.Completed)));
        Assert.All(windows, w => Assert.True(w.CreatedAt < w.StartsAt && w.CreatedAt > clock.GetUtcNow().AddDays(-DemoData.Days)));
        Assert.Equal(windows.Select(w => w.Id.ToString()).Order(), (await db.Audit.Where(a => a.Action == "maintenance.scheduled").Select(a => a.Subject).ToListAsync()).Order());
        var statuses = (await new ComponentStatuses(database.Contexts, clock).Load(default)).Components;
        Assert.Equal("file-storage", Assert.Single(statuses, c => c.Effective == ComponentStatus.UnderMaintenance).Slug);
        Assert.Empty(await db.StatusOverrides.ToListAsync());
    }

    [Fact]
    public async Task The_first_monitors_of_every_portal_stand_beside_those_of_the_company_and_customers_see_none_of_them()
    {
        await new DemoData(database.Contexts, clock).Fill(default);
        var first = new FirstMonitors(database.Contexts, clock);
        await first.Run(default);
        await first.Run(default);
        await using var db = database.Open();
        Assert.Equal((10, 8), (await db.Monitors.CountAsync(m => m.BuiltIn), await db.Monitors.CountAsync(m => !m.BuiltIn)));
        Assert.All(await db.Monitors.Where(m => m.BuiltIn).ToListAsync(), m => Assert.True(m is { ComponentId: null, PublicChart: null }));
        Assert.Equal(["Public API", "Search", "Sign-in", "Web app"], await db.Monitors.Where(m => m.PublicChart != null).Select(m => m.PublicChart!).OrderBy(t => t).ToListAsync());
    }

    [Fact]
    public async Task The_past_answer_times_lie_where_those_of_the_same_targets_really_lie()
    {
        await new DemoData(database.Contexts, clock).Fill(default);
        await using var db = database.Open();
        var usual = await (from c in db.Checks where c.Outcome == CheckOutcome.Up join m in db.Monitors on c.MonitorId equals m.Id group c.Milliseconds by m.Target into g select new { g.Key, Average = g.Average() }).ToListAsync();
        // A part of this very process answers in some milliseconds; its past must not have been another magnitude.
        Assert.All(usual, u => Assert.InRange(u.Average, 1, 20));
        Assert.Equal(usual.Count, usual.Select(u => Math.Round(u.Average, 1)).Distinct().Count());
        Assert.DoesNotContain(usual, u => u.Key == "self:/health/live");
    }

    [Fact]
    public async Task A_database_that_holds_something_is_refused()
    {
        var connection = await PostgresServer.Clone();
        await using var own = new Database();
        own.Open(Database.Connect(connection));
        await using (var db = own.CreateDbContext())
        {
            db.Add(new Component("Ours", null, null, null, 0, clock.GetUtcNow()));
            await db.SaveChangesAsync();
        }
        var refused = await Assert.ThrowsAsync<CannotStartException>(() => new DemoData(own, clock).Fill(default));
        Assert.Contains("empty database only", refused.Message, StringComparison.Ordinal);
        await using var after = own.CreateDbContext();
        Assert.Equal(1, await after.Components.CountAsync());
    }
}
