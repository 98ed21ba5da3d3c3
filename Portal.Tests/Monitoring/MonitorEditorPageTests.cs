using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portal.Domain.Access;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Features.Monitoring;
using Portal.Tests.Support;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Tests.Monitoring;

/// <summary>The editor of a monitor.</summary>
public sealed partial class MonitorPagesTests
{
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
