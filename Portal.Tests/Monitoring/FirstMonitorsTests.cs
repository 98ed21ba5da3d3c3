using Microsoft.EntityFrameworkCore;
using Portal.Features.Monitoring;
using Portal.Tests.Support;

namespace Portal.Tests.Monitoring;

public sealed class FirstMonitorsTests(TestDatabase empty) : IClassFixture<TestDatabase>
{
    [Fact]
    public async Task The_first_start_makes_ten_monitors_and_no_later_one_does()
    {
        var clock = new FakeClock();
        var step = new FirstMonitors(empty.Contexts, clock);
        await Task.WhenAll(step.Run(default), step.Run(default), new FirstMonitors(empty.Contexts, clock).Run(default));
        await using var db = empty.Open();
        var monitors = await db.Monitors.AsNoTracking().ToListAsync();
        Assert.Equal(10, monitors.Count);
        Assert.All(monitors, m => Assert.True(m is { BuiltIn: true, IsBuiltInTarget: true }));
        Assert.Equal(TimeSpan.FromSeconds(120), monitors.Single(m => m.Name == "Admin").Interval);
        Assert.Equal("Database", Assert.Single(monitors, m => m.Critical).Name);
        // What a company shows its customers is for the company to say: the page begins empty and says so.
        Assert.Empty(await db.Components.ToListAsync());
        Assert.All(monitors, m => Assert.Null(m.ComponentId));
        Assert.Equal(10, await db.MonitorStates.CountAsync());
        db.RemoveRange(await db.Monitors.ToListAsync());
        await db.SaveChangesAsync();
        await step.Run(default);
        Assert.Equal(0, await db.Monitors.CountAsync());
    }
}
