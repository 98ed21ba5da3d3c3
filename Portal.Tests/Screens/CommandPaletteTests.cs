using Bunit;
using Portal.Components.Layout;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.Incidents;
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
        Assert.Equal("", Said(palette));
        palette.Find("input").Input("");
        palette.WaitForAssertion(() => Assert.Empty(Found(palette)), Patience);
    }

    [Fact]
    public async Task It_says_what_is_missing_to_find_something()
    {
        await using var screen = new StaffScreen(database, clock, Cast.Bob);
        var palette = Palette(screen, Cast.Bob);
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
}
