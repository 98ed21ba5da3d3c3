using Bunit;
using Portal.Api;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.Incidents;
using Portal.Features.StatusPages;
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
}
