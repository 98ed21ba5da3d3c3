using System.Text;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Features.StatusPages;
using Portal.Hosting;
using Portal.Infrastructure.Persistence;
using Portal.Live;
using Portal.Public;
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
    readonly List<Publisher> running = [];
    ModelFile File => new(folder, NullLogger<ModelFile>.Instance);

    async Task<(Publisher Publisher, StartupState State, ChangeFeed Feed)> Start(params IPublication[] others)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Public:BaseUrl"] = "https://status.example", ["Public:TimeZone"] = "Europe/Berlin" }).Build();
        var feed = new ChangeFeed(clock, NullLogger<ChangeFeed>.Instance);
        var state = new StartupState();
        var assets = new PublicAssets(new NullFileProvider());
        var publisher = new Publisher(new StatusPageSnapshot(opening), [.. others, new ArchivePages(rendering, assets), new FrontPages(rendering, assets)],
            new PublicAddress(configuration, new PortalAddress(configuration, null!)), File,
            new PagePulse(opening, feed, clock, configuration, NullLogger<PagePulse>.Instance),
            new LivePages(services.GetRequiredService<IHubContext<StatusHub>>(), NullLogger<LivePages>.Instance), feed, state, clock, NullLogger<Publisher>.Instance);
        running.Add(publisher);
        await publisher.StartAsync(default);
        return (publisher, state, feed);
    }

    static string Text(PublishedBytes? bytes) => bytes is null ? "" : Encoding.UTF8.GetString(bytes.Plain.Body);

    static async Task Becomes(Func<bool> condition, string what)
    {
        for (var i = 0; i < 400 && !condition(); i++) await Task.Delay(TimeSpan.FromMilliseconds(25), TimeProvider.System);
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
