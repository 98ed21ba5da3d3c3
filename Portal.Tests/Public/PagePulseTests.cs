using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Infrastructure.Persistence;
using Portal.Live;
using Portal.Tests.Support;

namespace Portal.Tests.Public;

public sealed class PagePulseTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    readonly FakeClock clock = new();
    readonly Database opened = new();

    public Task InitializeAsync()
    {
        opened.Open(Database.Connect(database.ConnectionString, "pulse"));
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await opened.DisposeAsync();

    async Task Set(long version)
    {
        await using var db = database.Open();
        await db.Database.ExecuteSqlAsync($"update page_versions set version = {version}");
    }

    [Fact]
    public async Task A_database_that_went_back_between_two_beats_is_noticed_although_the_version_is_no_lower_than_at_the_first()
    {
        await Set(100);
        var feed = new ChangeFeed(clock, NullLogger<ChangeFeed>.Instance);
        using var pulse = new PagePulse(opened, feed, clock, Configured.Shipped, NullLogger<PagePulse>.Instance);
        await pulse.StartAsync(default);
        await Soon.Comes(() => pulse.Last?.Version == 100, "a first beat");
        var looked = 0;
        using var watching = feed.Subscribe("people", () => { Interlocked.Increment(ref looked); return Task.CompletedTask; }, TimeSpan.Zero);
        // Four commits were told of; what the database holds by now is older than the last of them.
        for (var version = 101; version <= 104; version++) feed.Hear(Announcement.Of(["page"], version));
        await Set(102);
        await Beats(pulse, 102);
        await Soon.Comes(() => Volatile.Read(ref looked) == 1, "everybody looking again");

        // Counted anew from there: what comes after the restore is told as ever, and nobody looks twice.
        feed.Hear(Announcement.Of(["page"], 103));
        await Set(103);
        await Beats(pulse, 103);
        await Beats(pulse, 103);
        Assert.Equal(1, Volatile.Read(ref looked));
        await Set(104);
        await Beats(pulse, 104);
        await Soon.Comes(() => Volatile.Read(ref looked) == 2, "a commit that nobody told of");
        await pulse.StopAsync(default);
    }

    [Fact]
    public async Task What_was_committed_during_a_beat_that_took_too_long_is_told_to_everybody()
    {
        await Set(100);
        var feed = new ChangeFeed(clock, NullLogger<ChangeFeed>.Instance);
        using var pulse = new PagePulse(opened, feed, clock, Configured.Shipped, NullLogger<PagePulse>.Instance);
        await pulse.StartAsync(default);
        await Soon.Comes(() => pulse.Last?.Version == 100, "a first beat");
        var looked = 0;
        using var watching = feed.Subscribe("incidents", () => { Interlocked.Increment(ref looked); return Task.CompletedTask; }, TimeSpan.Zero);
        await using (var hindrance = database.Open())
        {
            await using var held = await hindrance.Database.BeginTransactionAsync();
            await hindrance.Database.ExecuteSqlAsync($"lock table page_versions in access exclusive mode");
            await Soon.Comes(() =>
            {
                clock.FastForward(TimeSpan.FromSeconds(1));
                return pulse.IsLost;
            }, "a beat that takes too long");
            Assert.Equal(0, Volatile.Read(ref looked));
            await hindrance.Database.ExecuteSqlAsync($"update page_versions set version = 101");
            await held.CommitAsync();
        }
        await Soon.Comes(() => !pulse.IsLost && Volatile.Read(ref looked) == 1, "everybody looking again");
        await pulse.StopAsync(default);
    }

    async Task Beats(PagePulse pulse, long version)
    {
        var before = pulse.Last;
        await Soon.Comes(() =>
        {
            clock.FastForward(TimeSpan.FromSeconds(1));
            return !ReferenceEquals(pulse.Last, before) && pulse.Last?.Version == version;
        }, $"a beat at {version}");
    }
}
