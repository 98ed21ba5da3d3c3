using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portal.Domain.Access;
using Portal.Domain.Monitoring;
using Portal.Features.Access;
using Portal.Features.Monitoring;
using Portal.Features.Monitoring.Places;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Support;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Tests.Monitoring;

/// <summary>Screens that are opened or left in a bad moment, and what people read while others work.</summary>
public sealed partial class MonitorPagesTests
{
    [Theory]
    [InlineData(typeof(MonitorPage), "by itself")]
    [InlineData(typeof(MonitorPage), "by a hint")]
    [InlineData(typeof(MonitorEditor), "by itself")]
    public async Task A_screen_that_was_opened_while_the_database_was_away_comes_once_it_is_back(Type screen, string how)
    {
        var monitor = await Add("Opened in a bad moment");
        var (clock, isAway) = (new FakeClock(), true);
        Services.AddSingleton<TimeProvider>(clock);
        Services.AddSingleton<IDbContextFactory<PortalDbContext>>(new StagedContexts(_ => Volatile.Read(ref isAway) ? throw new DatabaseAwayException() : Task.FromResult(database.Open())));
        IRenderedComponent<IComponent> page = screen == typeof(MonitorPage) ? Page<MonitorPage>(Role.Staff, ("Key", monitor.Id.ToString())) : Page<MonitorEditor>(Role.Staff, ("Key", monitor.Id.ToString()));
        page.WaitForAssertion(() => Assert.Contains("The database cannot be reached", page.Markup, StringComparison.Ordinal), Soonest);
        Volatile.Write(ref isAway, false);
        await Soon.Comes(() =>
        {
            if (how == "by a hint") feed.Publish("monitors");
            else clock.FastForward(TimeSpan.FromSeconds(2));
            return page.Markup.Contains("Opened in a bad moment", StringComparison.Ordinal) && !page.Markup.Contains("cannot be reached", StringComparison.Ordinal);
        }, "the screen is there and the refusal is gone");
    }

    [Fact]
    public async Task What_changes_meanwhile_does_not_take_away_the_refusal_that_a_person_reads()
    {
        var place = new ProbePlace("Lisbon", TimeProvider.System.GetUtcNow());
        await using var db = database.Open();
        db.Add(place);
        await db.SaveChangesAsync();
        var page = Page<PlacesPage>(Role.Staff);
        page.WaitForElement("button[aria-label='Remove Lisbon']", Soonest).Click();
        page.WaitForElement("dialog", Soonest);
        db.Remove(place);
        await db.SaveChangesAsync();
        await page.Find("dialog form").SubmitAsync();
        page.WaitForAssertion(() => Assert.Contains("place", page.Find("dialog [role=alert]").TextContent, StringComparison.Ordinal), Soonest);
        feed.Publish("checks");
        page.WaitForAssertion(() => Assert.Empty(page.FindAll("tbody tr")), Soonest);
        Assert.Contains("place", page.Find("dialog [role=alert]").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_screen_that_is_left_while_it_loads_looks_at_nothing_any_more()
    {
        var (asked, answer, after) = (0, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        Services.AddSingleton<IDbContextFactory<PortalDbContext>>(new StagedContexts(async n =>
        {
            Volatile.Write(ref asked, n);
            if (n == 1) await answer.Task;
            return database.Open();
        }));
        var page = Page<PlacesPage>(Role.Staff);
        await Soon.Comes(() => Volatile.Read(ref asked) == 1, "it loads");
        feed.Publish("checks");
        await Soon.Comes(() => Volatile.Read(ref asked) == 2, "it looks again when something changes");
        await DisposeComponentsAsync();
        answer.SetResult();
        await Renderer.Dispatcher.InvokeAsync(() => { });
        using var last = feed.Subscribe("checks", () =>
        {
            after.TrySetResult();
            return Task.CompletedTask;
        });
        feed.Publish("checks");
        await after.Task.WaitAsync(Soonest);
        Assert.Equal(2, Volatile.Read(ref asked));
    }

    [Fact]
    public async Task A_new_address_of_a_heartbeat_is_made_after_asking_and_what_was_typed_stays()
    {
        var now = TimeProvider.System.GetUtcNow();
        var monitor = new Monitor(new MonitorSettings("Nightly", MonitorKind.Heartbeat, "", TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10), null, 1, 1, Options: new() { PeriodSeconds = 3600 }), now);
        var key = Secret.HashOf("before");
        await using (var db = database.Open())
        {
            db.AddRange(monitor, new MonitorState(monitor.Id, now), new Heartbeat(monitor.Id, key, now));
            await db.SaveChangesAsync();
        }
        async Task<byte[]> Key()
        {
            await using var db = database.Open();
            return (await db.Heartbeats.AsNoTracking().SingleAsync(h => h.MonitorId == monitor.Id)).KeyHash;
        }
        var page = Page<MonitorEditor>(Role.Staff, ("Key", monitor.Id.ToString()));
        page.WaitForElement("#name", Soonest).Change("Nightly, typed");
        await page.FindAll("button").Single(b => b.TextContent == "New address…").ClickAsync(new());
        page.WaitForAssertion(() => Assert.Contains("cannot be undone", page.Find("dialog").TextContent, StringComparison.Ordinal), Soonest);
        Assert.Equal(key, await Key());
        await page.FindAll("dialog button").Single(b => b.TextContent == "Cancel").ClickAsync(new());
        page.WaitForAssertion(() => Assert.Empty(page.FindAll("dialog")), Soonest);
        Assert.Equal(key, await Key());

        await page.FindAll("button").Single(b => b.TextContent == "New address…").ClickAsync(new());
        page.WaitForElement("dialog form", Soonest).Submit();
        page.WaitForAssertion(() => Assert.Contains("/api/v1/heartbeats/", page.Find("#heartbeat-url").TextContent, StringComparison.Ordinal), Soonest);
        Assert.NotEqual(key, await Key());
        Assert.Equal("Nightly, typed", page.Find("#name").GetAttribute("value"));
        await page.FindAll("form").Single(f => f.QuerySelector("#name") is not null).SubmitAsync();
        page.WaitForAssertion(() => Assert.EndsWith($"/ops/monitors/{monitor.Id}", Services.GetRequiredService<NavigationManager>().Uri, StringComparison.Ordinal), Soonest);
        await using var after = database.Open();
        Assert.Equal("Nightly, typed", (await after.Monitors.SingleAsync(m => m.Id == monitor.Id)).Name);
    }

    [Fact]
    public async Task What_only_places_look_at_cannot_be_checked_from_here_and_the_screen_says_why()
    {
        var (monitor, place) = (await Add("Seen from elsewhere"), new ProbePlace("Porto", TimeProvider.System.GetUtcNow()));
        await using var db = database.Open();
        db.Add(place);
        await db.SaveChangesAsync();
        var page = Page<MonitorPage>(Role.Staff, ("Key", monitor.Id.ToString()));
        page.WaitForAssertion(() => Assert.False(page.FindAll("button").Single(b => b.TextContent == "Check now").HasAttribute("disabled")), Soonest);
        (await db.Monitors.SingleAsync(m => m.Id == monitor.Id)).Change(monitor.Settings with { Places = [place.Id], FromHere = false }, TimeProvider.System.GetUtcNow());
        await db.SaveChangesAsync();
        feed.Publish("monitors");
        page.WaitForAssertion(() =>
        {
            var button = page.FindAll("button").Single(b => b.TextContent == "Check now");
            Assert.True(button.HasAttribute("disabled"));
            Assert.Contains("cannot be checked from here", page.Find("#" + button.GetAttribute("aria-describedby")).TextContent, StringComparison.Ordinal);
        }, Soonest);
        var refused = await Assert.ThrowsAsync<Domain.Shared.DomainException>(() => Services.GetRequiredService<CheckMonitorNow>().Execute(monitor.Id, Cast.Bob, default));
        Assert.Contains("Only other places look", refused.Message, StringComparison.Ordinal);
        db.Remove(place);
        await db.SaveChangesAsync();
    }
}
