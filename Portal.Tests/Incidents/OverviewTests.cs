using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using Bunit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.JSInterop;
using Portal.Api;
using Portal.Domain.Incidents;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.Incidents;
using Portal.Features.Metrics;
using Portal.Features.StatusPages;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Support;

namespace Portal.Tests.Incidents;

public sealed class OverviewTests : IAsyncLifetime
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    readonly TestDatabase database = new();
    readonly FakeClock clock = new();

    public Task InitializeAsync() => database.InitializeAsync();

    public Task DisposeAsync() => database.DisposeAsync();

    async Task<Component> AComponent(string name, ComponentStatus? status = null)
    {
        await using var db = database.Open();
        var component = new Component(name, null, null, null, 0, clock.GetUtcNow());
        db.Add(component);
        await db.SaveChangesAsync();
        if (status is not null) await new ChangeComponent(database.Contexts, clock).Execute(new(component.Id, Status: new Given<ComponentStatus?>(true, status)), Cast.Alice, default);
        return component;
    }

    Task<IncidentId> Declared(Severity severity) =>
        new DeclareIncident(database.Contexts, clock).Execute(new("Card payments fail", severity, "We are investigating.", []), Cast.Bob, default);

    static IRenderedComponent<OverviewPage> Overview(StaffScreen screen)
    {
        var page = screen.Render<OverviewPage>();
        page.WaitForElement(".situation", Patience);
        return page;
    }

    [Fact]
    public async Task Announced_work_is_told_beside_and_nothing_is_wrong()
    {
        await AComponent("Webhooks", ComponentStatus.UnderMaintenance);
        await using var screen = new StaffScreen(database, clock, Cast.Bob);
        var page = Overview(screen);
        Assert.Contains("status-operational", page.Find(".situation").ClassList);
        Assert.Contains("Nothing is wrong", page.Find(".situation-line").TextContent, StringComparison.Ordinal);
        Assert.Equal("1 component is under maintenance: Webhooks", page.Find(".maintained.status-maintenance").TextContent.Trim());
    }

    [Theory]
    [InlineData(ComponentStatus.DegradedPerformance, null, "status-degraded")]
    [InlineData(ComponentStatus.MajorOutage, null, "status-major")]
    [InlineData(ComponentStatus.DegradedPerformance, Severity.P1, "status-partial")]
    [InlineData(null, Severity.P3, "status-degraded")]
    [InlineData(null, null, "status-operational")]
    public async Task The_situation_has_the_colour_of_what_is_worst(ComponentStatus? component, Severity? incident, string expected)
    {
        if (component is not null) await AComponent("Card payments", component);
        if (incident is { } severity) await Declared(severity);
        await using var screen = new StaffScreen(database, clock, Cast.Bob);
        Assert.Equal(["situation", expected], Overview(screen).Find(".situation").ClassList);
    }

    [Fact]
    public async Task That_nobody_looks_any_more_is_told_although_nobody_tells_of_it()
    {
        var place = new ProbePlace("Frankfurt", clock.GetUtcNow());
        var monitor = new Portal.Domain.Monitoring.Monitor(new("Shop", MonitorKind.Http, "https://shop.example/", TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(10), null, Places: [place.Id], FromHere: false), clock.GetUtcNow());
        var state = new MonitorState(monitor.Id, clock.GetUtcNow());
        state.Apply(new CheckResult(monitor.Id, clock.GetUtcNow(), TimeSpan.FromMilliseconds(80), CheckOutcome.Up, 200, null, place.Id), monitor);
        await using (var db = database.Open())
        {
            db.AddRange(place, monitor, state);
            await db.SaveChangesAsync();
        }
        await using var screen = new StaffScreen(database, clock, Cast.Bob);
        var page = Overview(screen);
        Assert.Contains("Nothing is wrong", page.Find(".situation-line").TextContent, StringComparison.Ordinal);
        await Soon.Comes(() =>
        {
            clock.FastForward(TimeSpan.FromSeconds(20));
            return page.FindAll("[data-lost]").Count == 1 && page.Find(".situation-line").TextContent.Contains("Nobody looks at 1 monitor.", StringComparison.Ordinal);
        }, "the silence");
        page.WaitForAssertion(() =>
        {
            Assert.Contains("1 place that monitors use: Frankfurt (1 monitor).", page.Find("[data-lost]").TextContent, StringComparison.Ordinal);
            Assert.Contains("no check since", page.Find($".lines a[href='/ops/monitors/{monitor.Id}'] + small").TextContent, StringComparison.Ordinal);
            Assert.Equal(["situation", "status-degraded"], page.Find(".situation").ClassList);
        }, Patience);
    }

    [Fact]
    public async Task A_change_is_told_with_verb_and_noun_and_leads_to_its_subject_for_whoever_may_see_it()
    {
        var id = await Declared(Severity.P1);
        await AComponent("Webhooks", ComponentStatus.MajorOutage);
        await using var ofStaff = new StaffScreen(database, clock, Cast.Bob);
        var page = Overview(ofStaff);
        var declared = page.FindAll(".lines .grow").Single(l => l.TextContent.Contains("declared an incident", StringComparison.Ordinal));
        Assert.Equal($"/ops/incidents/{id}", declared.QuerySelector("a")!.GetAttribute("href"));
        var set = page.FindAll(".lines .grow").Single(l => l.TextContent.Contains("Alice set the status of a component: Webhooks", StringComparison.Ordinal));
        Assert.Null(set.QuerySelector("a"));
        await using var ofAdmin = new StaffScreen(database, clock, Cast.Alice);
        Assert.NotEmpty(Overview(ofAdmin).FindAll(".lines a[href='/admin/components']"));
    }

    [Fact]
    public async Task Figures_are_drawn_in_words_and_in_a_table_as_they_move()
    {
        await using var screen = new StaffScreen(database, clock, Cast.Bob);
        var telemetry = screen.Services.GetRequiredService<Telemetry>();
        await telemetry.StartAsync(default);
        var requests = screen.Services.GetRequiredService<IMeterFactory>().Create("Microsoft.AspNetCore.Hosting").CreateHistogram<double>("http.server.request.duration", "s");
        var page = Overview(screen);
        // Answered again before each look: however long a drawing takes, there was one within the last minute.
        async Task Shows(int status, string figure, string words) => await Soon.Comes(() =>
        {
            requests.Record(0.2, new KeyValuePair<string, object?>("http.response.status_code", status));
            clock.FastForward(TimeSpan.FromSeconds(1));
            return page.Find($"[data-figure={figure}]").TextContent.Contains(words, StringComparison.Ordinal);
        }, words);
        await Shows(200, "p95", "requests in the last minute");
        Assert.Contains("no fault in the last minute", page.Find("[data-figure=errors]").TextContent, StringComparison.Ordinal);
        Assert.DoesNotContain("status-major", page.Find("[data-figure=errors]").ClassList);
        await Shows(503, "errors", "failed (5xx)");
        page.WaitForAssertion(() =>
        {
            Assert.EndsWith(" %", page.Find("[data-figure=errors] b").TextContent, StringComparison.Ordinal);
            Assert.Contains("status-major", page.Find("[data-figure=errors]").ClassList);
            Assert.NotEmpty(page.FindAll(".live-card tbody tr"));
        }, Patience);
    }

    [Fact]
    public async Task What_the_browser_did_not_get_while_the_connection_was_away_is_sent_anew_and_all_goes_on()
    {
        await using var screen = new StaffScreen(database, clock, Cast.Bob);
        var browser = new LosingBrowser();
        screen.Services.AddSingleton<IJSRuntime>(browser);
        var telemetry = screen.Services.GetRequiredService<Telemetry>();
        await telemetry.StartAsync(default);
        var requests = screen.Services.GetRequiredService<IMeterFactory>().Create("Microsoft.AspNetCore.Hosting").CreateHistogram<double>("http.server.request.duration", "s");
        var page = Overview(screen);
        async Task Moves(Func<bool> until, string what) => await Soon.Comes(() =>
        {
            requests.Record(0.2, new KeyValuePair<string, object?>("http.response.status_code", 200));
            clock.FastForward(TimeSpan.FromSeconds(1));
            return until();
        }, what);
        await Moves(() => browser.Appended.Count > 1, "points are sent as they come");
        Assert.True(browser.Appended[1][0] > browser.Appended[0][^1]);
        browser.IsAway = true;
        await Moves(() => browser.Lost > 0, "points are lost");

        browser.IsAway = false;
        var (before, figure) = (browser.Appended, page.Find("[data-figure=p95]").TextContent);
        await Moves(() => browser.Appended.Count > before.Count, "points are sent again");
        Assert.True(browser.Appended[before.Count][0] < before[^1][^1], "What may have been lost is among them.");
        await Moves(() => page.Find("[data-figure=p95]").TextContent != figure, "the figures go on");
    }

    /// <summary>What is asked of it while it is away never reaches it, and nobody answers.</summary>
    sealed class LosingBrowser : IJSRuntime, IJSObjectReference
    {
        int lost;
        volatile ImmutableList<double[]> appended = [];

        public volatile bool IsAway;

        public int Lost => Volatile.Read(ref lost);

        /// <summary>The times of what came each time.</summary>
        public ImmutableList<double[]> Appended => appended;

        public ValueTask<T> InvokeAsync<T>(string identifier, object?[]? args) => InvokeAsync<T>(identifier, default, args);

        public async ValueTask<T> InvokeAsync<T>(string identifier, CancellationToken cancellationToken, object?[]? args)
        {
            if (IsAway)
            {
                Interlocked.Increment(ref lost);
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            }
            if (identifier == "append") appended = appended.Add((double[])((object[])args![0]!)[0]);
            return identifier is "import" or "open" ? (T)(object)this : default!;
        }

        public ValueTask DisposeAsync() => default;
    }

    [Fact]
    public async Task The_latest_checks_of_whichever_node_come_by_themselves()
    {
        var monitor = new Portal.Domain.Monitoring.Monitor(new("Card payments", MonitorKind.Http, "https://pay.example/", TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(5), null), clock.GetUtcNow());
        var state = new MonitorState(monitor.Id, clock.GetUtcNow());
        await using var db = database.Open();
        db.AddRange(monitor, state);
        await db.SaveChangesAsync();
        await using var screen = new StaffScreen(database, clock, Cast.Bob);
        var page = Overview(screen);
        page.WaitForElement(".latest-checks", Patience);
        async Task Checked(CheckOutcome outcome, double ms, string? detail)
        {
            clock.FastForward(TimeSpan.FromSeconds(30));
            state.Apply(new CheckResult(monitor.Id, clock.GetUtcNow(), TimeSpan.FromMilliseconds(ms), outcome, 200, detail), monitor);
            await db.SaveChangesAsync();
            screen.Feed.Hear(Announcement.Of([$"monitor:{monitor.Id}", "checks"]));
        }
        await Checked(CheckOutcome.Up, 123, null);
        page.WaitForAssertion(() => Assert.Contains("Card payments", Assert.Single(page.FindAll(".latest-checks li")).TextContent, StringComparison.Ordinal), Patience);
        await Checked(CheckOutcome.Down, 5000, "No answer within 5 s.");
        page.WaitForAssertion(() =>
        {
            var lines = page.FindAll(".latest-checks li");
            Assert.Equal(2, lines.Count);
            Assert.Contains("Down", lines[0].TextContent, StringComparison.Ordinal);
            Assert.Contains("No answer within 5 s.", lines[0].TextContent, StringComparison.Ordinal);
            Assert.Contains("123 ms", lines[1].TextContent, StringComparison.Ordinal);
        }, Patience);
    }
}
