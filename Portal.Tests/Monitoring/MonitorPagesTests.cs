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
    public async Task The_editor_asks_what_the_kind_needs_and_a_kind_stays()
    {
        var page = Page<MonitorEditor>(Role.Staff);
        page.WaitForAssertion(() => Assert.Equal("200-399", page.Find("#expect").GetAttribute("value")));
        Assert.Equal(Enum.GetValues<MonitorKind>().Length, page.FindAll("#kind option").Count);
        page.Find("#kind").Change(nameof(MonitorKind.Tls));
        page.WaitForAssertion(() => Assert.Equal("14", page.Find("#days").GetAttribute("placeholder")));
        Assert.Empty(page.FindAll("#expect"));
        Assert.Equal("tls://shop.example.com", page.Find("#target").GetAttribute("placeholder"));
        page.Find("#name").Change("Certificate of the shop");
        page.Find("#target").Change("shop.example");
        page.Find("#days").Change("many");
        page.Find("form").Submit();
        page.WaitForAssertion(() => Assert.Contains("whole number", page.Find("#days-error").TextContent, StringComparison.Ordinal));
        page.Find("#days").Change("30");
        page.Find("form").Submit();
        page.WaitForAssertion(() => Assert.Matches("/ops/monitors/[0-9a-f]{32}$", Services.GetRequiredService<NavigationManager>().Uri));
        await using var db = database.Open();
        var saved = await db.Monitors.SingleAsync(m => m.Name == "Certificate of the shop");
        Assert.Equal((MonitorKind.Tls, "tls://shop.example:443", 30), (saved.Kind, saved.Target, saved.Options.ExpectCertificateDays));
        var edit = Page<MonitorEditor>(Role.Staff, ("Key", saved.Id.ToString()));
        edit.WaitForAssertion(() => Assert.True(edit.Find("#kind").HasAttribute("disabled")));
        var shown = Page<MonitorPage>(Role.Staff, ("Key", saved.Id.ToString()));
        shown.WaitForAssertion(() => Assert.Contains("Wants 30 days until the certificate expires.", shown.Markup, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_editor_says_live_within_which_time_it_detects_tries_and_keeps_what_was_typed_when_it_is_refused()
    {
        var page = Page<MonitorEditor>(Role.Staff);
        page.WaitForAssertion(() => Assert.Contains("2 min 10 s", page.Find("#detects").TextContent, StringComparison.Ordinal));
        page.Find("#failures").Input("5");
        page.WaitForAssertion(() => Assert.Contains("5 min 10 s", page.Find("#detects").TextContent, StringComparison.Ordinal));
        page.Find("#name").Change("New one");
        page.Find("#target").Change("ftp://shop.example/");
        page.Find("form").Submit();
        page.WaitForAssertion(() => Assert.Contains("http://", page.Find("#target-error").TextContent, StringComparison.Ordinal));
        Assert.Equal("ftp://shop.example/", page.Find("#target").GetAttribute("value"));
        page.Find("#target").Change("https://shop.example/new");
        page.FindAll("button").Single(b => b.TextContent == "Try it now").Click();
        page.WaitForAssertion(() => Assert.Contains("It answers: status 200.", page.Markup, StringComparison.Ordinal));
        var brake = Services.GetRequiredService<TryBrake>();
        for (var i = 1; i < TryBrake.PerMinute; i++) brake.Count(new Actor(ActorKind.Person, Guid.Empty, "", new HashSet<Permission>(), null));
        page.FindAll("button").Single(b => b.TextContent == "Try it now").Click();
        page.WaitForAssertion(() => Assert.Contains("The next try is possible in", page.Find("[role=alert]").TextContent, StringComparison.Ordinal));
        page.Find("form").Submit();
        page.WaitForAssertion(() => Assert.Contains("/ops/monitors/", Services.GetRequiredService<NavigationManager>().Uri, StringComparison.Ordinal));
        await using var db = database.Open();
        var saved = await db.Monitors.SingleAsync(m => m.Name == "New one");
        Assert.Equal((5, 5, "https://shop.example/new"), (saved.FailuresBeforeDown, saved.Window, saved.Target));
        Assert.DoesNotContain("if it is a private one", page.Markup, StringComparison.Ordinal);
        var admin = Page<MonitorEditor>(Role.Admin);
        admin.WaitForAssertion(() => Assert.Contains("if it is a private one", admin.Markup, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Private_addresses_are_allowed_only_by_whoever_ticks_that_and_a_no_is_remembered()
    {
        const string box = "input[type=checkbox]";
        var page = Page<MonitorEditor>(Role.Admin);
        page.WaitForAssertion(() => Assert.Contains("if it is a private one", page.Markup, StringComparison.Ordinal));
        Assert.False(page.Find(box).HasAttribute("checked"));
        var refused = await Add("No consent");
        var edited = Page<MonitorEditor>(Role.Admin, ("Key", refused.Id.ToString()));
        edited.WaitForAssertion(() => Assert.False(edited.Find(box).HasAttribute("checked")));
        edited.Find(box).Change(true);
        edited.Find("form").Submit();
        edited.WaitForAssertion(() => Assert.EndsWith($"/ops/monitors/{refused.Id}", Services.GetRequiredService<NavigationManager>().Uri, StringComparison.Ordinal));
        var again = Page<MonitorEditor>(Role.Admin, ("Key", refused.Id.ToString()));
        again.WaitForAssertion(() => Assert.True(again.Find(box).HasAttribute("checked")));
        again.Find(box).Change(false);
        await again.Find("form").SubmitAsync();
        await using var db = database.Open();
        Assert.False((await db.Monitors.SingleAsync(m => m.Id == refused.Id)).AllowPrivate);
    }

    [Fact]
    public async Task The_editor_asks_what_customers_read_above_the_chart_and_says_what_critical_means()
    {
        var monitor = await Add("Internal name");
        var page = Page<MonitorEditor>(Role.Staff, ("Key", monitor.Id.ToString()));
        page.WaitForAssertion(() => Assert.Equal("", page.Find("#chart").GetAttribute("value") ?? ""));
        Assert.Contains("Empty: no chart.", page.Find("#chart-hint").TextContent, StringComparison.Ordinal);
        Assert.Contains("stands first", page.Find("#critical-hint").TextContent, StringComparison.Ordinal);
        Assert.Contains(page.FindAll("input[type=checkbox]"), c => c.GetAttribute("aria-describedby") == "critical-hint");
        page.Find("#chart").Change("Two\nlines");
        page.Find("form").Submit();
        page.WaitForAssertion(() => Assert.Contains("one line", page.Find("#chart-error").TextContent, StringComparison.Ordinal));
        page.Find("#chart").Change("Paying");
        await page.Find("form").SubmitAsync();
        await using var db = database.Open();
        Assert.Equal("Paying", (await db.Monitors.SingleAsync(m => m.Id == monitor.Id)).PublicChart);
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

    [Theory]
    [InlineData("interval", "")]
    [InlineData("interval", "-5")]
    [InlineData("timeout", "9999999999")]
    [InlineData("timeout", "ten")]
    [InlineData("failures", "1.5")]
    [InlineData("window", "")]
    [InlineData("successes", "0")]
    public async Task A_number_that_no_rule_takes_stays_as_it_was_typed_and_is_refused_at_its_field(string field, string typed)
    {
        var page = Page<MonitorEditor>(Role.Staff);
        page.WaitForAssertion(() => Assert.NotEmpty(page.FindAll("form")));
        Assert.True(page.Find("form").HasAttribute("novalidate"));
        page.Find("#name").Change("Never saved");
        page.Find("#target").Change("https://shop.example/");
        if (field is "window" or "successes") page.Find($"#{field}").Change(typed);
        else
        {
            page.Find($"#{field}").Input(typed);
            page.WaitForAssertion(() => Assert.Contains("decide within which time", page.Find("#detects").TextContent, StringComparison.Ordinal));
        }
        page.Find("form").Submit();
        page.WaitForAssertion(() => Assert.Matches("10|60|20", page.Find($"#{field}-error").TextContent));
        page.WaitForAssertion(() => Assert.Equal(typed, page.Find($"#{field}").GetAttribute("value")));
        await using var db = database.Open();
        Assert.False(await db.Monitors.AnyAsync(m => m.Name == "Never saved"));
    }
}
