using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portal.Domain.Access;
using Portal.Domain.Monitoring;
using Portal.Features.Monitoring;
using Portal.Infrastructure.Persistence;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Tests.Monitoring;

/// <summary>The list of monitors when many of them are meant.</summary>
public sealed partial class MonitorPagesTests
{
    [Fact]
    public async Task Monitors_are_selected_changed_together_refused_together_and_deleted_by_typing_how_many()
    {
        var (first, second) = (await Add("Bulk one"), await Add("Bulk two"));
        Services.GetRequiredService<NavigationManager>().NavigateTo("/ops/monitors?q=bulk");
        var page = Page<MonitorsPage>(Role.Staff);
        page.WaitForAssertion(() => Assert.Equal(2, page.FindAll("td.pick").Count), TimeSpan.FromSeconds(20));
        Assert.Empty(page.FindAll(".bulk"));
        await page.InvokeAsync(() => page.Find("input[aria-label='Select Bulk one']").Change(true));
        Assert.Equal("1 monitor", page.Find(".bulk strong").TextContent);
        await page.InvokeAsync(() => page.Find("th.pick input").Change(true));
        Assert.Equal("2 monitors", page.Find(".bulk strong").TextContent);

        await page.InvokeAsync(() => page.FindAll(".bulk button").Single(b => b.TextContent == "Change…").Click());
        await page.InvokeAsync(() => page.Find("#bulk-timeout").Change("50"));
        await page.InvokeAsync(() => page.Find("#bulk-interval").Change("20"));
        await page.InvokeAsync(() => page.Find("dialog form").Submit());
        page.WaitForAssertion(() => Assert.Contains("2 of 2 cannot be changed so", page.Markup, StringComparison.Ordinal), TimeSpan.FromSeconds(20));
        Assert.Contains("Bulk two", page.Find("dialog .notice").TextContent, StringComparison.Ordinal);
        await page.InvokeAsync(() => page.Find("#bulk-timeout").Change("5"));
        await page.InvokeAsync(() => page.Find("#bulk-add").Change("shop, env:prod"));
        await page.InvokeAsync(() => page.Find("dialog form").Submit());
        page.WaitForAssertion(() => Assert.Multiple(() => Assert.Contains("2 monitors changed.", page.Markup, StringComparison.Ordinal), () => Assert.Equal(4, page.FindAll("td .tag").Count)), TimeSpan.FromSeconds(20));
        Assert.Empty(page.FindAll(".bulk"));

        await page.InvokeAsync(() => page.Find("input[aria-label='Select Bulk two']").Change(true));
        await page.InvokeAsync(() => page.FindAll(".bulk button").Single(b => b.TextContent == "Pause").Click());
        page.WaitForAssertion(() => Assert.Contains("1 monitor changed.", page.Markup, StringComparison.Ordinal), TimeSpan.FromSeconds(20));
        await using (var db = database.Open())
            Assert.Equal([(true, 20d), (false, 20d)], (await db.Monitors.Where(m => m.Id == first.Id || m.Id == second.Id).OrderBy(m => m.Id).ToListAsync()).Select(m => (m.PausedAt is null, m.Interval.TotalSeconds)));

        await page.InvokeAsync(() => page.Find("th.pick input").Change(true));
        await page.InvokeAsync(() => page.FindAll(".bulk button").Single(b => b.TextContent == "Delete…").Click());
        Assert.Equal(["Bulk one", "Bulk two"], page.FindAll(".names li").Select(l => l.TextContent).Order());
        Assert.True(page.Find("dialog button[type=submit]").HasAttribute("disabled"));
        await page.InvokeAsync(() => page.Find("#confirm-typed").Input("2 monitors"));
        await page.InvokeAsync(() => page.Find("dialog form").Submit());
        page.WaitForAssertion(() => Assert.Contains("2 monitors deleted.", page.Markup, StringComparison.Ordinal), TimeSpan.FromSeconds(20));
        await using var after = database.Open();
        Assert.False(await after.Monitors.AnyAsync(m => m.Id == first.Id || m.Id == second.Id));
    }

    [Fact]
    public async Task All_that_match_are_selected_beyond_those_that_are_shown_and_another_filter_selects_none()
    {
        await using (var db = database.Open())
        {
            var now = TimeProvider.System.GetUtcNow();
            db.AddRange(Enumerable.Range(0, 60).Select(i => new Monitor(new MonitorSettings($"Crowd {i}", MonitorKind.Dns, "shop.example", TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10), null, Tags: MonitorTags.Of(["crowd"])), now.AddMilliseconds(i))));
            await db.SaveChangesAsync();
        }
        Services.GetRequiredService<NavigationManager>().NavigateTo("/ops/monitors?tag=crowd&kind=dns");
        var page = Page<MonitorsPage>(Role.Staff);
        page.WaitForAssertion(() => Assert.Equal(50, page.FindAll("td.pick").Count), TimeSpan.FromSeconds(20));
        await page.InvokeAsync(() => page.Find("th.pick input").Change(true));
        await page.InvokeAsync(() => page.FindAll(".bulk button").Single(b => b.TextContent == "Select all that match").Click());
        page.WaitForAssertion(() => Assert.Equal("60 monitors", page.Find(".bulk strong").TextContent), TimeSpan.FromSeconds(20));
        Services.GetRequiredService<NavigationManager>().NavigateTo("/ops/monitors?tag=crowd&kind=dns&q=crowd%201");
        page.WaitForAssertion(() => Assert.Equal((11, 0), (page.FindAll("td.pick").Count, page.FindAll(".bulk").Count)), TimeSpan.FromSeconds(20));
        Services.GetRequiredService<NavigationManager>().NavigateTo("/ops/monitors?tag=nowhere");
        page.WaitForAssertion(() => Assert.Contains("No monitor matches.", page.Markup, StringComparison.Ordinal), TimeSpan.FromSeconds(20));
        // The other tests' monitors are within the first part of the list.
        await using var after = database.Open();
        await after.Monitors.Where(m => m.Kind == MonitorKind.Dns).ExecuteDeleteAsync();
    }
}
