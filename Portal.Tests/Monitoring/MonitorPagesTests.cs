using System.Security.Claims;
using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Domain.Access;
using Portal.Domain.Maintenance;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.Access;
using Portal.Features.Maintenance;
using Portal.Features.Monitoring;
using Portal.Features.Monitoring.Engine;
using Portal.Hosting;
using Portal.Infrastructure.Monitoring;
using Portal.Infrastructure.Persistence;
using Portal.Live;
using Portal.Tests.Support;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Tests.Monitoring;

public sealed partial class MonitorPagesTests : BunitContext, IClassFixture<TestDatabase>
{
    readonly TestDatabase database;
    readonly ChangeFeed feed = new(TimeProvider.System, NullLogger<ChangeFeed>.Instance);
    readonly ScriptedProbe probe = new();

    public MonitorPagesTests(TestDatabase database)
    {
        this.database = database;
        JSInterop.Mode = JSRuntimeMode.Loose;
        Services.AddSingleton(TimeProvider.System).AddSingleton<IDbContextFactory<PortalDbContext>>(database.Database).AddSingleton(feed);
        Services.AddSingleton(new GuardedConnector((_, _) => Task.FromResult<IReadOnlyList<System.Net.IPAddress>>([System.Net.IPAddress.Parse("93.184.216.34")]), NameResolver.Open));
        Services.AddSingleton<IProbe>(probe).AddSingleton(new PortalAddress(Configured.Shipped, null!)).AddSingleton(Sealing.Secrets).AddSingleton<CheckRunner>().AddSingleton<TryBrake>().AddTransient<TargetConsent>();
        Services.AddTransient<CreateMonitor>().AddTransient<ChangeMonitor>().AddTransient<DeleteMonitor>().AddTransient<ChangeMonitors>().AddTransient<DeleteMonitors>()
            .AddTransient<CheckMonitorNow>().AddTransient<TryMonitor>().AddTransient<RenewHeartbeatKey>().AddTransient<MonitorList>().AddTransient<Portal.Features.Monitoring.Places.PlaceList>().AddTransient<Portal.Features.Monitoring.Places.RemovePlace>().AddTransient<MonitorHistory>().AddTransient<ResponseTimeHistory>().AddTransient<ComponentChoices>().AddSingleton<MaintenanceCover>();
    }

    IRenderedComponent<T> Page<T>(Role role, params (string Name, object? Value)[] parameters) where T : IComponent
    {
        var claims = new ClaimsIdentity([new(ClaimTypes.NameIdentifier, Guid.Empty.ToString()), new(ClaimTypes.Name, role.ToString()), new(ClaimTypes.Role, role.ToString())], "test");
        return Render<T>(p =>
        {
            p.AddCascadingValue(Task.FromResult(new AuthenticationState(new ClaimsPrincipal(claims))));
            foreach (var (name, value) in parameters) p.TryAdd(name, value);
        });
    }

    [Fact]
    public async Task What_was_found_while_announced_work_covered_the_component_is_shown_with_a_mark()
    {
        var now = TimeProvider.System.GetUtcNow();
        var component = new Component("Covered by work", null, null, null, 0, now);
        var monitor = new Monitor(new MonitorSettings("Watched meanwhile", MonitorKind.Http, "https://shop.example/", TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10), component.Id), now);
        var window = new MaintenanceWindow(new("Work", "Some requests fail.", now.AddHours(-2), now.AddHours(-1), "UTC", TimeSpan.Zero, [component.Id]), Cast.Bob, now.AddHours(-3));
        await using (var db = database.Open())
        {
            db.AddRange(component, monitor, new MonitorState(monitor.Id, now), window);
            await db.SaveChangesAsync();
            foreach (var minutes in new[] { 150, 90, 30 })
                await db.Database.ExecuteSqlAsync($"insert into check_results (monitor_id, at, milliseconds, outcome, status_code, node, epoch) values ({monitor.Id.Value}, {now.AddMinutes(-minutes).UtcDateTime}, 80, 1, 503, 'node-a', 1)");
        }
        var page = Page<MonitorPage>(Role.Staff, ("Key", monitor.Id.ToString()));
        page.WaitForAssertion(() => Assert.Equal([false, true, false], page.FindAll("tbody tr").TakeLast(3).Select(r => r.QuerySelector($"a[href='/ops/maintenance/{window.Id}']") is not null)), TimeSpan.FromSeconds(20));
    }

    async Task<Monitor> Add(string name)
    {
        await using var db = database.Open();
        var now = TimeProvider.System.GetUtcNow();
        var monitor = new Monitor(new MonitorSettings(name, MonitorKind.Http, "https://shop.example/<b>", TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10), null), now);
        db.AddRange(monitor, new MonitorState(monitor.Id, now));
        await db.SaveChangesAsync();
        return monitor;
    }

    [Fact]
    public async Task The_list_says_what_each_is_and_within_which_time_it_detects_and_follows_changes()
    {
        var monitor = await Add("<script>alert(1)</script>");
        var page = Page<MonitorsPage>(Role.Staff);
        page.WaitForAssertion(() => Assert.Contains("2 min 10 s", page.Markup, StringComparison.Ordinal));
        Assert.Empty(page.FindAll("script"));
        Assert.Contains(page.FindAll("td a"), a => a.TextContent == "<script>alert(1)</script>");
        await Services.GetRequiredService<ChangeMonitor>().Execute(new(monitor.Id, Paused: true), Cast.Bob, default);
        feed.Publish("monitors");
        page.WaitForAssertion(() => Assert.Contains(page.FindAll(".badge"), b => b.TextContent.Contains("Paused", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task The_chart_follows_the_range_in_the_address_and_the_figures_below_it()
    {
        var monitor = await Add("Charted");
        await using (var db = database.Open())
            foreach (var (hours, ms, outcome) in new[] { (1, 100f, 0), (2, 100f, 0), (3, 5000f, 1), (50, 900f, 0) })
                await db.Database.ExecuteSqlAsync($"insert into check_results (monitor_id, at, milliseconds, outcome, node, epoch) values ({monitor.Id.Value}, {TimeProvider.System.GetUtcNow().AddHours(-hours).UtcDateTime}, {ms}, {(short)outcome}, 'a', 1)");
        var page = Page<MonitorPage>(Role.Staff, ("Key", monitor.Id.ToString()));
        page.WaitForAssertion(() => Assert.Contains("3 checks in 24 hours, 1 failed.", page.Markup, StringComparison.Ordinal));
        Assert.Equal("24 hours", page.Find(".tabs [aria-current]").TextContent);
        Services.GetRequiredService<NavigationManager>().NavigateTo($"/ops/monitors/{monitor.Id}?range=7d");
        page.WaitForAssertion(() => Assert.Matches("4 checks in 7 days, 1 failed. Half of the answers took at most 100 ms, 95 % at most (88|89|90)[0-9] ms, the slowest 900 ms.", page.Markup));
        Assert.Equal("7 days", page.Find(".tabs [aria-current]").TextContent);
        Assert.Equal(["Time (UTC)", "Median (ms)", "95th percentile (ms)"], page.FindAll(".chart-table th").Select(h => h.TextContent));
    }

    [Fact]
    public async Task A_monitor_shows_its_checks_outages_with_evidence_and_doubt_and_can_be_deleted_by_typing_its_name()
    {
        var monitor = await Add("Checkout");
        var now = TimeProvider.System.GetUtcNow();
        await using (var db = database.Open())
        {
            for (var i = 30; i > 0; i--)
                await db.Database.ExecuteSqlAsync($"insert into check_results values ({monitor.Id.Value}, {now.AddMinutes(-i)}, {40f + i}, 0, 200, null, 'node', 1)");
            var outage = new Outage(monitor, now.AddHours(-2), now.AddHours(-2).AddMinutes(-1), [new(now.AddHours(-2), 500, "Answered 500.", 12)]);
            outage.Close(now.AddHours(-1), now.AddHours(-1).AddMinutes(-1));
            db.Add(outage);
            await db.SaveChangesAsync();
        }
        var page = Page<MonitorPage>(Role.Staff, ("Key", monitor.Id.ToString()));
        page.WaitForAssertion(() => Assert.NotEmpty(page.FindAll("svg.chart-plot path")));
        Assert.Contains("Answered 500.", page.Markup, StringComparison.Ordinal);
        Assert.Contains("or up to 1 min earlier", page.Markup, StringComparison.Ordinal);
        Assert.Contains("1 failing check as evidence", page.Markup, StringComparison.Ordinal);
        page.Find(".pager button").Click();
        page.WaitForAssertion(() => Assert.Empty(page.FindAll(".pager button")));
        page.FindAll("button").Single(b => b.TextContent == "Delete…").Click();
        page.WaitForAssertion(() => Assert.True(page.Find("dialog button[type=submit]").HasAttribute("disabled")));
        page.Find("#confirm-typed").Input("Checkout");
        page.WaitForAssertion(() => Assert.False(page.Find("dialog button[type=submit]").HasAttribute("disabled")));
        page.Find("dialog form").Submit();
        page.WaitForAssertion(() => Assert.EndsWith("/ops/monitors", Services.GetRequiredService<NavigationManager>().Uri, StringComparison.Ordinal));
        await using var after = database.Open();
        Assert.False(await after.Monitors.AnyAsync(m => m.Id == monitor.Id));
        Assert.True(await after.Outages.AnyAsync(o => o.MonitorId == monitor.Id));
    }

    [Fact]
    public async Task What_a_monitor_depends_on_is_found_by_name_and_the_outage_that_comes_of_it_says_so()
    {
        var (cause, effect) = (await Add("The one database"), await Add("A shop on it"));
        var page = Page<MonitorEditor>(Role.Staff, ("Key", effect.Id.ToString()));
        page.WaitForElement("#needs").Input("shop on it");
        page.WaitForAssertion(() => Assert.Contains("No other monitor matches", page.Markup, StringComparison.Ordinal));
        page.Find("#needs").Input("one data");
        page.WaitForElement("button[aria-label='Depend on The one database']").Click();
        page.WaitForElement("button[aria-label='No longer depend on The one database']");
        Assert.Empty(page.FindAll("button[aria-label^='Depend on']"));
        await page.Find("form").SubmitAsync();
        await using (var db = database.Open())
        {
            Assert.Equal([cause.Id], (await db.Monitors.SingleAsync(m => m.Id == effect.Id)).DependsOn);
            var now = TimeProvider.System.GetUtcNow();
            var root = new Outage(cause, now.AddMinutes(-9), null, []);
            var outage = new Outage(effect, now.AddMinutes(-8), null, []);
            outage.Blame(root);
            db.AddRange(root, outage);
            await db.SaveChangesAsync();
        }
        var shown = Page<MonitorPage>(Role.Staff, ("Key", effect.Id.ToString()));
        shown.WaitForAssertion(() => Assert.Contains("Because of The one database, down since", shown.Find("tbody").TextContent, StringComparison.Ordinal));
        Assert.Equal(2, shown.FindAll($"a[href='/ops/monitors/{cause.Id}']").Count);
        var again = Page<MonitorEditor>(Role.Staff, ("Key", effect.Id.ToString()));
        again.WaitForElement("button[aria-label='No longer depend on The one database']");
    }

    [Fact]
    public async Task Places_are_shown_with_what_they_are_asked_to_do_chosen_in_the_editor_and_removed_after_asking()
    {
        var empty = Page<Portal.Features.Monitoring.Places.PlacesPage>(Role.Staff);
        empty.WaitForAssertion(() => Assert.Contains("portal probe --server", empty.Markup, StringComparison.Ordinal));
        var (place, monitor) = (new ProbePlace("Frankfurt", TimeProvider.System.GetUtcNow().AddMinutes(-2)), await Add("Seen from two places"));
        await using (var db = database.Open())
        {
            db.Add(place);
            await db.SaveChangesAsync();
        }
        var editor = Page<MonitorEditor>(Role.Staff, ("Key", monitor.Id.ToString()));
        editor.WaitForAssertion(() => Assert.Contains(editor.FindAll("label.check"), l => l.TextContent.Contains("Frankfurt · lost", StringComparison.Ordinal)));
        await editor.InvokeAsync(() => editor.FindAll("label.check").Single(l => l.TextContent.Contains("Frankfurt", StringComparison.Ordinal)).QuerySelector("input")!.Change(true));
        editor.WaitForElement("#places-down").Change("3");
        editor.Find("form").Submit();
        editor.WaitForAssertion(() => Assert.Contains("Between 1 and 2", editor.Find("#places-down-error").TextContent, StringComparison.Ordinal));
        editor.Find("#places-down").Change("2");
        await editor.Find("form").SubmitAsync();
        await using (var db = database.Open()) Assert.Equal([place.Id], (await db.Monitors.SingleAsync(m => m.Id == monitor.Id)).Places);

        var list = Page<Portal.Features.Monitoring.Places.PlacesPage>(Role.Staff);
        list.WaitForAssertion(() => Assert.Contains("Lost", list.Find("tbody").TextContent, StringComparison.Ordinal));
        list.Find("button[aria-label='Remove Frankfurt']").Click();
        list.WaitForAssertion(() => Assert.Contains("1 monitor goes on without it", list.Find("dialog").TextContent, StringComparison.Ordinal));
        list.Find("dialog form").Submit();
        list.WaitForAssertion(() => Assert.Empty(list.FindAll("tbody tr")));
        await using var after = database.Open();
        Assert.Equal((true, 1, 0), await after.Monitors.Where(m => m.Id == monitor.Id).Select(m => new ValueTuple<bool, int, int>(m.FromHere, m.PlacesBeforeDown, after.ProbePlaces.Count())).SingleAsync());
    }
}
