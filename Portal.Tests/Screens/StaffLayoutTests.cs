using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Portal.Components;
using Portal.Components.Layout;
using Portal.Live;
using Portal.Tests.Support;

namespace Portal.Tests.Screens;

public class StaffLayoutTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    static readonly TimeSpan Wait = TimeSpan.FromSeconds(20);
    readonly FakeClock clock = new();

    /// <summary>A screen whose action takes as long as the test wants.</summary>
    sealed class SlowPage : StaffPage
    {
        public TaskCompletionSource Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Since when somebody waits.</summary>
        public TaskCompletionSource Begun { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<bool> Act() => Try(() =>
        {
            Begun.SetResult();
            return Answer.Task;
        });
    }

    /// <summary>A screen that loads two things one after the other; the first takes as long as the test wants.</summary>
    sealed class TwoLoadsPage : StaffPage
    {
        public static TaskCompletionSource First { get; set; } = new();
        public static TaskCompletionSource<bool> Done { get; set; } = new();
        public static Func<CancellationToken, Task> Second { get; set; } = _ => Task.CompletedTask;

        protected override async Task OnInitializedAsync() =>
            Done.SetResult(await Try(async () =>
            {
                await First.Task;
                await Second(Left);
            }));

        public void WatchNow(Action told) => Watch("late", () =>
        {
            told();
            return Task.CompletedTask;
        });
    }

    IRenderedComponent<StaffLayout> Layout(StaffScreen screen, PagePulse pulse)
    {
        screen.Services.AddSingleton(pulse);
        return screen.Render<StaffLayout>(p => p.Add(x => x.Body, (RenderFragment)(b =>
        {
            b.OpenComponent<SlowPage>(0);
            b.CloseComponent();
        })));
    }

    [Fact]
    public async Task While_the_database_does_not_answer_every_screen_says_as_of_when_it_is_and_stops_saying_so_by_itself()
    {
        await using var screen = new StaffScreen(database, clock, Cast.Bob);
        using var pulse = new PagePulse(database.Database, screen.Feed, TimeProvider.System, Configured.With(("Timing:FollowSeconds", "0.1")), NullLogger<PagePulse>.Instance);
        var layout = Layout(screen, pulse);
        await pulse.StartAsync(default);
        layout.WaitForAssertion(() => Assert.Equal("Live", layout.Find("#connection").TextContent), Wait);
        Assert.DoesNotContain("The database does not answer", layout.Markup, StringComparison.Ordinal);

        await using (var holder = await database.Database.Source.OpenConnectionAsync())
        await using (var held = await holder.BeginTransactionAsync())
        {
            await using (var hold = new NpgsqlCommand("lock table page_versions", holder)) await hold.ExecuteNonQueryAsync();
            layout.WaitForAssertion(() => Assert.Contains("The database does not answer", layout.Find("main [role=alert]").TextContent, StringComparison.Ordinal), Wait);
            Assert.Matches(@"^Database away, as of \d\d:\d\d UTC$", layout.Find("#connection.away").TextContent);
            Assert.Equal(layout.Find("#connection").TextContent, layout.Find("#connection").GetAttribute("data-words"));
            await held.RollbackAsync();
        }
        layout.WaitForAssertion(() => Assert.Equal("Live", layout.Find("#connection").TextContent), Wait);
        Assert.DoesNotContain("The database does not answer", layout.Markup, StringComparison.Ordinal);
        await pulse.StopAsync(default);
    }

    [Fact]
    public async Task An_action_that_takes_longer_than_three_seconds_is_said_to_and_no_longer_once_it_is_done()
    {
        await using var screen = new StaffScreen(database, clock, Cast.Bob);
        using var pulse = new PagePulse(database.Database, screen.Feed, TimeProvider.System, Configured.With(("Timing:FollowSeconds", "0.1")), NullLogger<PagePulse>.Instance);
        var layout = Layout(screen, pulse);
        await pulse.StartAsync(default);
        layout.WaitForAssertion(() => Assert.Equal("Live", layout.Find("#connection").TextContent), Wait);
        var page = layout.FindComponent<SlowPage>().Instance;
        var acting = layout.InvokeAsync(page.Act);
        // The screen may be busy with itself for a moment.
        await page.Begun.Task.WaitAsync(Wait);
        clock.FastForward(TimeSpan.FromSeconds(2.9));
        Assert.DoesNotContain("takes longer", layout.Markup, StringComparison.Ordinal);
        clock.FastForward(TimeSpan.FromSeconds(0.2));
        layout.WaitForAssertion(() => Assert.Contains("This takes longer than usual", layout.Markup, StringComparison.Ordinal), Wait);
        page.Answer.SetResult();
        Assert.True(await acting);
        layout.WaitForAssertion(() => Assert.DoesNotContain("takes longer", layout.Markup, StringComparison.Ordinal), Wait);
        await pulse.StopAsync(default);
    }

    [Theory]
    [InlineData("asks what it may still do")]
    [InlineData("fails")]
    public async Task A_screen_that_is_left_in_the_middle_of_its_loading_does_not_stop_the_next_one(string then)
    {
        await using var screen = new StaffScreen(database, clock, Cast.Bob);
        using var pulse = new PagePulse(database.Database, screen.Feed, TimeProvider.System, Configured.With(("Timing:FollowSeconds", "0.1")), NullLogger<PagePulse>.Instance);
        screen.Services.AddSingleton(pulse);
        TwoLoadsPage.First = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TwoLoadsPage.Done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TwoLoadsPage.Second = left => then == "fails" ? throw new InvalidOperationException("half of it was gone") : Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, left);
        static RenderFragment Page<T>() where T : StaffPage => b =>
        {
            b.OpenComponent<T>(0);
            b.CloseComponent();
        };
        var layout = screen.Render<StaffLayout>(p => p.Add(x => x.Body, Page<TwoLoadsPage>()));
        Assert.Single(layout.FindComponents<TwoLoadsPage>());

        layout.Render(p => p.Add(x => x.Body, Page<SlowPage>()));
        Assert.Empty(layout.FindComponents<TwoLoadsPage>());
        TwoLoadsPage.First.SetResult();

        Assert.False(await TwoLoadsPage.Done.Task.WaitAsync(Wait));
        await layout.InvokeAsync(() => { });
        Assert.Single(layout.FindComponents<SlowPage>());
        Assert.DoesNotContain("This part has stopped", layout.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_screen_that_was_left_begins_to_watch_nothing_any_more()
    {
        await using var screen = new StaffScreen(database, clock, Cast.Bob);
        TwoLoadsPage.First = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TwoLoadsPage.Done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var page = screen.Render<TwoLoadsPage>();
        var (early, late) = (0, 0);
        page.Instance.WatchNow(() => Interlocked.Increment(ref early));
        screen.Hint("late");
        page.WaitForAssertion(() => Assert.Equal(1, early), Wait);

        page.Instance.Dispose();
        page.Instance.WatchNow(() => Interlocked.Increment(ref late));
        var heard = new TaskCompletionSource();
        using var other = screen.Feed.Subscribe("late", () =>
        {
            heard.TrySetResult();
            return Task.CompletedTask;
        });
        screen.Hint("late");
        await heard.Task.WaitAsync(Wait);
        Assert.Equal((1, 0), (early, late));
    }
}
