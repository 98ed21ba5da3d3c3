using Microsoft.EntityFrameworkCore;
using Portal.Domain.Incidents;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Infrastructure;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Persistence.DemoData;
using Portal.Tests.Support;

namespace Portal.Tests.Persistence;

public sealed class DemoDataTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    readonly FakeClock clock = new();

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
        Assert.NotEqual(0, await db.Checks.CountAsync(c => c.Outcome == CheckOutcome.Down));
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
