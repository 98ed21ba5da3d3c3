using System.Collections.Concurrent;
using Bunit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Portal.Components.Layout;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.Incidents;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Support;

namespace Portal.Tests.Screens;

public class CommandPaletteTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20), Pause = TimeSpan.FromMilliseconds(150);
    readonly FakeClock clock = new();

    static IRenderedComponent<CommandPalette> Palette(StaffScreen screen, Actor actor) => screen.Render<CommandPalette>(p => p
        .Add(x => x.Places, StaffNavigation.Places.Where(place => actor.May(place.Needs))).Add(x => x.MayDeclare, actor.May(Permission.RunIncidents)));

    static IEnumerable<string?> Found(IRenderedComponent<CommandPalette> palette) => palette.FindAll("li[data-found] a").Select(a => a.GetAttribute("href"));

    static string Said(IRenderedComponent<CommandPalette> palette) => palette.Find("[role=status]").TextContent;

    [Fact]
    public async Task What_is_typed_is_looked_for_once_nobody_types_and_leads_to_where_it_is()
    {
        var id = await new DeclareIncident(database.Contexts, clock).Execute(new("Tills are closed", Severity.P1, "We look.", []), Cast.Bob, default);
        await using (var db = database.Open())
        {
            db.Add(new Component("Tills", null, null, null, 0, clock.GetUtcNow()));
            await db.SaveChangesAsync();
        }
        await using var screen = new StaffScreen(database, clock, Cast.Alice);
        var palette = Palette(screen, Cast.Alice);
        Assert.NotEmpty(palette.FindAll("li:not([data-found])"));
        palette.Find("input").Input("wells");
        palette.Find("input").Input("till");
        Assert.Equal("Searching…", Said(palette));
        Assert.Empty(Found(palette));
        clock.FastForward(Pause);
        palette.WaitForAssertion(() => Assert.Equal([$"/ops/incidents/{id}", "/admin/components#c-tills"], Found(palette)), Patience);
        Assert.Equal("2 found", Said(palette));
        // The browser shows what was found only while this is the text.
        Assert.All(palette.FindAll("li[data-found]"), li => Assert.Equal("till", li.GetAttribute("data-found")));
        palette.Find("input").Input("");
        palette.WaitForAssertion(() => Assert.Empty(Found(palette)), Patience);
        Assert.Equal("", Said(palette));
    }

    [Fact]
    public async Task It_says_what_is_missing_to_find_something()
    {
        await using var screen = new StaffScreen(database, clock, Cast.Bob);
        var palette = Palette(screen, Cast.Bob);
        // The line is there before it has words: what comes later is spoken only then.
        Assert.Equal("", Said(palette));
        palette.Find("input").Input("z");
        Assert.StartsWith("Go on typing", Said(palette), StringComparison.Ordinal);
        palette.Find("input").Input("zz");
        clock.FastForward(Pause);
        palette.WaitForAssertion(() => Assert.StartsWith("No incident, component or monitor", Said(palette), StringComparison.Ordinal), Patience);
    }

    [Fact]
    public async Task Without_the_database_it_says_so_and_still_leads_to_the_places()
    {
        await using var away = new StaffScreen(new TestDatabase(), clock, Cast.Bob);
        var palette = Palette(away, Cast.Bob);
        palette.Find("input").Input("tills");
        clock.FastForward(Pause);
        palette.WaitForAssertion(() => Assert.Contains("the database does not answer", Said(palette), StringComparison.Ordinal), Patience);
        Assert.NotEmpty(palette.FindAll("a[href='/ops/incidents']"));
    }

    [Fact]
    public async Task A_fault_of_the_search_is_one_line_and_over_when_somebody_types_again()
    {
        var id = await new DeclareIncident(database.Contexts, clock).Execute(new("Lifts are stuck", Severity.P1, "We look.", []), Cast.Bob, default);
        await using var screen = new StaffScreen(database, clock, Cast.Bob);
        screen.Services.AddSingleton<IDbContextFactory<PortalDbContext>>(new StagedContexts(number => number == 1 ? throw new InvalidOperationException("secret detail") : Task.FromResult(database.Open())));
        var palette = Palette(screen, Cast.Bob);
        palette.Find("input").Input("lift");
        clock.FastForward(Pause);
        palette.WaitForAssertion(() => Assert.Matches("^The search has stopped; typing starts it anew. .*: [0-9a-f]{32}$", Said(palette)), Patience);
        Assert.DoesNotContain("secret detail", palette.Markup, StringComparison.Ordinal);
        Assert.NotEmpty(palette.FindAll("a[href='/ops/incidents']"));
        palette.Find("input").Input("lifts");
        Assert.Equal("Searching…", Said(palette));
        clock.FastForward(Pause);
        palette.WaitForAssertion(() => Assert.Equal([$"/ops/incidents/{id}"], Found(palette)), Patience);
        Assert.Equal("1 found", Said(palette));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_answer_that_comes_although_it_was_called_off_shows_nothing(bool calledOff)
    {
        await new DeclareIncident(database.Contexts, clock).Execute(new(calledOff ? "Doors are shut" : "Gates are shut", Severity.P1, "We look.", []), Cast.Bob, default);
        var last = new HeldClosing();
        await using var screen = new StaffScreen(database, clock, Cast.Bob);
        // Open incidents, resolved ones, monitors: after the last of them nothing asks any more whether it is still wanted.
        screen.Services.AddSingleton<IDbContextFactory<PortalDbContext>>(new StagedContexts(number => Task.FromResult(
            number == 3 ? new PortalDbContext(new DbContextOptionsBuilder<PortalDbContext>(Database.OptionsFor(database.Database.Source)).AddInterceptors(last).Options) : database.Open())));
        var palette = Palette(screen, Cast.Bob);
        var shown = new ConcurrentQueue<string>();
        palette.OnMarkupUpdated += (_, _) => { foreach (var entry in palette.FindAll("li[data-found]")) shown.Enqueue(entry.GetAttribute("data-found")!); };
        palette.Find("input").Input("are shut");
        clock.FastForward(Pause);
        await last.Reached.Task.WaitAsync(Patience);
        if (calledOff) palette.Find("input").Input("a");
        last.Answer.SetResult();
        if (!calledOff) palette.WaitForAssertion(() => Assert.NotEmpty(Found(palette)), Patience);
        // Not before the dispatcher has done with the answer.
        await palette.InvokeAsync(() => palette.Find("input").Input("shut"));
        clock.FastForward(Pause);
        palette.WaitForAssertion(() => Assert.Contains("shut", shown), Patience);
        Assert.Equal(!calledOff, shown.Contains("are shut"));
    }

    sealed class HeldClosing : DbConnectionInterceptor
    {
        public TaskCompletionSource Reached { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public TaskCompletionSource Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override async ValueTask<InterceptionResult> ConnectionClosingAsync(System.Data.Common.DbConnection connection, ConnectionEventData eventData, InterceptionResult result)
        {
            Reached.TrySetResult();
            await Answer.Task;
            return result;
        }
    }
}
