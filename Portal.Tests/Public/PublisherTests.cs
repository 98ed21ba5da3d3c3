using System.Text;
using Microsoft.AspNetCore.SignalR;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Features.StatusPages;
using Portal.Hosting;
using Portal.Infrastructure.Persistence;
using Portal.Live;
using Portal.Public;
using Portal.Public.ReadApi;
using Portal.Tests.Support;

namespace Portal.Tests.Public;

/// <summary>The publisher alone, with one clock, and with no database or one that is opened later.</summary>
public sealed class PublisherTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime, IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("portal-publisher-").FullName;
    readonly FakeClock clock = new(Models.Now.AddSeconds(20));
    readonly Database opening = new();
    readonly ServiceProvider services = new ServiceCollection().AddLogging().AddSignalR().Services.BuildServiceProvider();
    readonly PageRendering rendering = new();
    readonly Told log = new();
    PagePulse pulse = null!;
    LivePages live = null!;
    readonly List<BackgroundService> running = [];
    ModelFile File => new(folder, NullLogger<ModelFile>.Instance);

    async Task<(Publisher Publisher, StartupState State, ChangeFeed Feed)> Start(params IPublication[] others)
    {
        var options = Configured.With(("Public:BaseUrl", "https://status.example"), ("Public:TimeZone", "Europe/Berlin"));
        var feed = new ChangeFeed(clock, NullLogger<ChangeFeed>.Instance);
        var state = new StartupState();
        var assets = new PublicAssets(new NullFileProvider());
        pulse = new PagePulse(opening, feed, clock, options, NullLogger<PagePulse>.Instance);
        running.Add(pulse);
        live = new LivePages(services.GetRequiredService<IHubContext<StatusHub>>(), NullLogger<LivePages>.Instance);
        var publisher = new Publisher(new StatusPageSnapshot(opening), [.. others, new ArchivePages(rendering, assets), new FrontPages(rendering, assets)],
            new PublicAddress(options, new PortalAddress(options, null!)), File,
            pulse, live, feed, state, clock, log);
        running.Add(publisher);
        await publisher.StartAsync(default);
        return (publisher, state, feed);
    }

    static string Text(PublishedBytes? bytes) => bytes is null ? "" : Encoding.UTF8.GetString(bytes.Plain.Body);

    /// <param name="pace">How far the clock goes on between two looks.</param>
    async Task Becomes(Func<bool> condition, string what, TimeSpan pace = default)
    {
        for (var i = 0; i < 400 && !condition(); i++)
        {
            if (pace > TimeSpan.Zero) clock.FastForward(pace);
            await Task.Delay(TimeSpan.FromMilliseconds(25), TimeProvider.System);
        }
        Assert.True(condition(), what);
    }

    [Fact]
    public async Task Without_the_database_the_page_from_disk_is_served_at_once_and_ages_in_words()
    {
        File.Save(Models.Page(nextUpdateBy: Models.Now.AddMinutes(3)));
        var (publisher, state, _) = await Start();
        Assert.True(state.IsServing);
        Assert.Contains("Card payments fail", Text(publisher.Find("/en/")));
        Assert.DoesNotContain("old.", Text(publisher.Find("/en/")));
        foreach (var (seconds, words) in new[] { (40, "more than 1 minute old"), (120, "It is overdue."), (120, "more than 5 minutes old"), (600, "more than 15 minutes old"), (2700, "more than 1 hour old") })
        {
            clock.FastForward(TimeSpan.FromSeconds(seconds));
            await Becomes(() => Text(publisher.Find("/en/")).Contains(words, StringComparison.Ordinal), words);
        }
        Assert.Contains("älter als 1 Stunde", Text(publisher.Find("/de/")));
        Assert.Contains("älter als 1 Stunde", Text(publisher.Front("de")));
    }

    [Fact]
    public async Task Maintenance_begins_verifies_and_ends_on_time_while_the_database_is_away()
    {
        var page = Models.Page();
        var (payments, start) = (page.Components[0], Models.Now.AddSeconds(45));
        File.Save(page with { Incidents = [], Maintenances = [Models.Maintenance("Disk swap", start, start.AddMinutes(3), start.AddMinutes(2), payments)] });
        var (publisher, _, feed) = await Start(new ReadApiPublication());
        var hints = 0;
        using var screens = feed.Subscribe("maintenance", () => { Interlocked.Increment(ref hints); return Task.CompletedTask; }, TimeSpan.Zero);
        string Status() => System.Text.Json.JsonDocument.Parse(publisher.Find("/api/v2/components.json")!.Plain.Body).RootElement.GetProperty("components")[0].GetProperty("status").GetString()!;
        Assert.Contains("Scheduled maintenance", Text(publisher.Find("/en/")));
        Assert.Equal("partial_outage", Status());
        var version = live.Current("en");
        foreach (var (seconds, words, status) in new[] { (25, "In progress", "under_maintenance"), (120, "Verifying", "under_maintenance"), (60, "Disk swap", "partial_outage") })
        {
            // A tick before the edge nothing has changed yet.
            clock.FastForward(TimeSpan.FromSeconds(seconds) - TimeSpan.FromMilliseconds(1));
            Assert.DoesNotContain(status == "partial_outage" ? "Partial system outage" : words, Text(publisher.Find("/en/")));
            var before = Volatile.Read(ref hints);
            clock.FastForward(TimeSpan.FromMilliseconds(1));
            await Becomes(() => Text(publisher.Find(status == "partial_outage" ? "/history" : "/en/")).Contains(words, StringComparison.Ordinal) && Status() == status, words);
            await Becomes(() => Volatile.Read(ref hints) > before, "screens of staff are told");
        }
        await Becomes(() => !Text(publisher.Find("/en/")).Contains("Verifying", StringComparison.Ordinal), "is over");
        Assert.True(live.Current("en") > version);
        Assert.Contains("Completed", Text(publisher.Find("/history")));
    }

    [Fact]
    public async Task With_nothing_on_disk_it_serves_once_the_database_has_answered_and_keeps_what_it_read()
    {
        var (publisher, state, feed) = await Start();
        Assert.Null(publisher.Front(""));
        Assert.False(state.IsServing);
        opening.Open(database.Database.Source);
        feed.Publish("page");
        await Becomes(() => state.IsServing, "serves");
        Assert.Contains("Nothing is listed here yet", Text(publisher.Front("")));
        await Becomes(() => File.Load() is not null, "is kept on disk");
    }

    [Fact]
    public async Task A_publication_that_fails_leaves_the_others_standing()
    {
        File.Save(Models.Page());
        var (publisher, state, _) = await Start(new Failing());
        Assert.True(state.IsServing);
        Assert.NotNull(publisher.Find("/components/payments"));
    }

    [Fact]
    public async Task Versions_do_not_fall_when_the_clock_is_set_back()
    {
        File.Save(Models.Page(nextUpdateBy: Models.Now.AddMinutes(1)));
        var (publisher, _, feed) = await Start();
        long Version() => ((LivePage)publisher.Find("/en/")!.Document).Version;
        var first = Version();
        clock.FastForward(TimeSpan.FromSeconds(60));
        await Becomes(() => Version() > first, "time alone raises it");
        var second = Version();
        clock.SetWall(Models.Now.AddHours(-1));
        feed.Publish("page");
        clock.FastForward(TimeSpan.FromMinutes(3));
        await Becomes(() => publisher.Find("/en/") is not null, "is served");
        Assert.True(Version() >= second);
    }

    [Fact]
    public async Task A_page_that_cannot_be_read_shows_its_age_although_the_database_answers_and_is_read_as_soon_as_it_can_be()
    {
        await Execute("update page_versions set changed_at = '2026-03-02T08:00:00Z'");
        var counting = new Counting();
        var (publisher, state, feed) = await Start(counting);
        opening.Open(database.Database.Source);
        await pulse.StartAsync(default);
        await Becomes(() => state.IsServing && !pulse.IsLost, "serves");
        await Execute("alter table incident_effects rename to elsewhere");
        try
        {
            feed.Publish("page");
            await Becomes(() => !log.Lines.IsEmpty, "says that it cannot read", TimeSpan.FromMilliseconds(50));
            var (renders, from) = (counting.Renders, clock.GetUtcNow());
            await Becomes(() => Text(publisher.Find("/en/")).Contains("more than 1 minute old", StringComparison.Ordinal), "shows its age", TimeSpan.FromSeconds(1));
            Assert.False(pulse.IsLost);
            // A full minute, and the step of the age.
            Assert.InRange(counting.Renders - renders, 1, 2 + 2 * (int)(clock.GetUtcNow() - from).TotalMinutes);
        }
        finally
        {
            await Execute("alter table elsewhere rename to incident_effects");
        }
        var again = clock.GetUtcNow();
        await Becomes(() => !Text(publisher.Find("/en/")).Contains("old.", StringComparison.Ordinal), "is current", TimeSpan.FromMilliseconds(100));
        Assert.InRange(clock.GetUtcNow() - again, TimeSpan.Zero, TimeSpan.FromSeconds(20));
        Assert.Collection(log.Lines, l => Assert.Contains("could not be read anew", l), l => Assert.Contains("is read again", l));
    }

    [Fact]
    public async Task A_clock_that_is_set_back_while_rendering_does_not_hold_up_the_next_one()
    {
        await Execute("update page_versions set changed_at = '2026-03-02T08:00:00Z'");
        var counting = new Counting();
        opening.Open(database.Database.Source);
        var (_, state, feed) = await Start(counting);
        await Becomes(() => state.IsServing, "serves");
        counting.Next = () => clock.SetWall(clock.GetUtcNow().AddHours(-1));
        feed.Publish("page");
        await Becomes(() => counting.Next is null, "is set back", TimeSpan.FromMilliseconds(50));
        var before = counting.Renders;
        var from = clock.GetTimestamp();
        await Becomes(() => counting.Renders > before, "is rendered again", TimeSpan.FromSeconds(1));
        Assert.InRange(clock.GetElapsedTime(from), TimeSpan.Zero, TimeSpan.FromMinutes(3));
    }

    [Fact]
    public async Task Open_pages_are_told_the_version_of_a_restored_database_although_it_is_lower()
    {
        File.Save(Models.Page());
        await Start();
        var told = live.Current("en");
        Assert.Equal(7, told / 100_000_000);
        var page = new LivePage("/en/", PublicHeaders.Html, [], null, "en", told - 200_000_000, Models.Now.ToUnixTimeMilliseconds(), new Dictionary<string, Fragment>());
        live.Show(page);
        Assert.Equal(page.Version, live.Current("en"));
    }

    async Task Execute(string sql)
    {
        await using var db = database.Open();
        await db.Database.ExecuteSqlRawAsync(sql);
    }

    sealed class Told : ILogger<Publisher>
    {
        public System.Collections.Concurrent.ConcurrentQueue<string> Lines { get; } = new();

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) Lines.Enqueue(formatter(state, exception));
        }
    }

    sealed class Counting : IPublication
    {
        public Action? Next { get; set; }
        public int Renders { get; private set; }

        public IEnumerable<PublishedDocument> Render(StatusPageModel model, RenderContext context)
        {
            Renders++;
            Next?.Invoke();
            Next = null;
            return [];
        }
    }

    sealed class Failing : IPublication
    {
        public bool IsUrgent => true;

        public IEnumerable<PublishedDocument> Render(StatusPageModel model, RenderContext context) => throw new InvalidOperationException("on purpose");
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var publisher in running)
        {
            await publisher.StopAsync(default);
            publisher.Dispose();
        }
        await services.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    public void Dispose() => rendering.Dispose();
}
