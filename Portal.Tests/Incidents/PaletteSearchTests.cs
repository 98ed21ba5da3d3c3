using Portal.Domain.Incidents;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.Incidents;
using Portal.Features.Monitoring;
using Portal.Features.StatusPages;
using Portal.Tests.Support;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Tests.Incidents;

public class PaletteSearchTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    readonly FakeClock clock = new();

    PaletteSearch Search => new(new(database.Contexts), new ComponentStatuses(database.Contexts, TimeProvider.System), new MonitorList(database.Contexts, TimeProvider.System));

    async Task<IncidentId> Declared(string title)
    {
        clock.FastForward(TimeSpan.FromMinutes(1));
        return await new DeclareIncident(database.Contexts, clock).Execute(new(title, Severity.P1, "We are investigating.", []), Cast.Bob, default);
    }

    async Task Resolved(IncidentId id) =>
        await new PostIncidentUpdate(database.Contexts, clock).Execute(new(id, "Over.", UpdateVisibility.Public, [], IncidentStatus.Resolved), Cast.Bob, default);

    async Task Kept(params object[] rows)
    {
        await using var db = database.Open();
        db.AddRange(rows);
        await db.SaveChangesAsync();
    }

    Component AComponent(string name, int position = 0) => new(name, null, null, null, position, clock.GetUtcNow());

    Monitor AMonitor(string name) =>
        new(new MonitorSettings(name, MonitorKind.Http, "https://shop.example/", TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10), null), clock.GetUtcNow());

    [Fact]
    public async Task Open_incidents_come_before_resolved_ones_and_the_newest_of_each_first()
    {
        var (older, open, newest) = (await Declared("Otters are lost"), await Declared("The otters bite"), await Declared("OTTERS again"));
        await Resolved(older);
        await Resolved(newest);
        var found = await Search.Load("otter", Cast.Bob, default);
        Assert.Equal([open, newest, older], found.Incidents.Select(i => i.Id));
        Assert.Empty((await Search.Load("o%ers", Cast.Bob, default)).Incidents);
    }

    [Fact]
    public async Task An_incident_that_is_resolved_while_it_is_looked_for_is_found_once()
    {
        var id = await Declared("Lynxes are out");
        var resolved = false;
        var contexts = new StagedContexts(async number =>
        {
            // The first asks for open ones, the second for resolved ones.
            if (number == 2) await Resolved(id);
            resolved |= number == 2;
            return database.Open();
        });
        var found = await new PaletteSearch(new(contexts), new ComponentStatuses(database.Contexts, TimeProvider.System), new MonitorList(database.Contexts, TimeProvider.System)).Load("lynx", Cast.Bob, default);
        Assert.True(resolved);
        Assert.Equal([id], found.Incidents.Select(i => i.Id));
    }

    [Fact]
    public async Task Each_kind_is_bounded()
    {
        foreach (var number in Enumerable.Range(1, PaletteSearch.Most + 2))
        {
            await Declared($"Badger {number}");
            await Kept(AComponent($"Badger {number}", number), AMonitor($"Badger {number}"));
        }
        var found = await Search.Load("badger", Cast.Alice, default);
        Assert.Equal((PaletteSearch.Most, PaletteSearch.Most, PaletteSearch.Most), (found.Incidents.Count, found.Components.Count, found.Monitors.Count));
    }

    [Fact]
    public async Task Nobody_finds_what_they_could_not_open()
    {
        await Declared("Herons are away");
        await Kept(AComponent("Heron"), AMonitor("Heron, front page"));
        var ofAdmin = await Search.Load("heron", Cast.Alice, default);
        Assert.Equal((1, 1, 1), (ofAdmin.Incidents.Count, ofAdmin.Components.Count, ofAdmin.Monitors.Count));
        var ofStaff = await Search.Load("heron", Cast.Bob, default);
        Assert.Equal((1, 0, 1), (ofStaff.Incidents.Count, ofStaff.Components.Count, ofStaff.Monitors.Count));
        Assert.True((await Search.Load("heron", Cast.Charlie, default)).IsEmpty);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" f ")]
    public async Task Too_few_letters_find_nothing(string text)
    {
        await Declared("Foxes are about");
        Assert.NotEmpty((await Search.Load("fo", Cast.Bob, default)).Incidents);
        Assert.True((await Search.Load(text, Cast.Bob, default)).IsEmpty);
    }
}
