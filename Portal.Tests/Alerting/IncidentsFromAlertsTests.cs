using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.Alerting;
using Portal.Features.Incidents;
using Portal.Hosting;
using Portal.Live;
using Portal.Tests.Support;

namespace Portal.Tests.Alerting;

public sealed class IncidentsFromAlertsTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    readonly FakeClock clock = new();
    Component component = null!;
    Service service = null!;

    public async Task InitializeAsync()
    {
        await Heard.Clear(database);
        await using var db = database.Open();
        await db.Database.ExecuteSqlRawAsync("delete from incidents");
        db.Add(component = new Component("Checkout", "checkout", null, null, 0, clock.GetUtcNow()));
        await db.SaveChangesAsync();
        service = await Heard.Service(database, components: [component.Id], declareFrom: Severity.P1);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    IncidentsFromAlerts Watch() => new(database.Contexts, new StartupState(), new ChangeFeed(clock, NullLogger<ChangeFeed>.Instance), clock, NullLogger<IncidentsFromAlerts>.Instance);

    async Task<AlertId> Raise(string key, Severity severity, bool test = false, bool silenced = false)
    {
        await using var db = database.Open();
        var alert = new Alert(service.Id, new AlertSignal(SignalAction.Trigger, key, severity, $"db-7 is on fire: {key}", "x", new([]), IsTest: test), clock.GetUtcNow());
        if (silenced) alert.Hush(AlertQuiet.Silenced, "The disk arrives on Tuesday");
        db.Add(alert);
        await db.SaveChangesAsync();
        return alert.Id;
    }

    async Task<T> Read<T>(Func<Infrastructure.Persistence.PortalDbContext, Task<T>> query)
    {
        await using var db = database.Open();
        return await query(db);
    }

    Task<Alert> Find(AlertId id) => Read(db => db.Alerts.AsNoTracking().SingleAsync(a => a.Id == id));

    [Fact]
    public async Task An_alert_as_bad_as_its_service_says_declares_once_in_words_for_customers()
    {
        var (mild, test, quiet) = (await Raise("mild", Severity.P2), await Raise("test", Severity.P0, test: true), await Raise("quiet", Severity.P0, silenced: true));
        await Watch().Turn(default);
        Assert.Equal(0, await Read(db => db.Incidents.CountAsync()));

        var first = await Raise("first", Severity.P1);
        await Task.WhenAll(Watch().Turn(default), Watch().Turn(default));
        await Watch().Turn(default);
        var incident = await Read(db => db.Incidents.Include(i => i.Updates).Include(i => i.Effects).AsNoTracking().SingleAsync());
        Assert.Equal((Severity.P1, incident.Id), (incident.Severity, (await Find(first)).IncidentId));
        Assert.Equal(component.Id, Assert.Single(incident.Effects).ComponentId);
        Assert.NotNull(incident.NextUpdateBy);
        Assert.DoesNotContain("db-7", incident.Title + Assert.Single(incident.Updates).Body);

        // While it is open, whatever else the service raises belongs to it.
        var second = await Raise("second", Severity.P0);
        await Watch().Turn(default);
        Assert.Equal(incident.Id, (await Find(second)).IncidentId);
        var room = await new AlertsOfIncident(database.Contexts).Load(incident.Id, default);
        Assert.Equal([first, second], room.Alerts.Select(a => a.Id));

        await new PostIncidentUpdate(database.Contexts, clock).Execute(new(incident.Id, "It is over.", UpdateVisibility.Public, [], IncidentStatus.Resolved), Cast.Bob, default);
        await Raise("third", Severity.P1);
        await Watch().Turn(default);
        Assert.Equal(2, await Read(db => db.Incidents.CountAsync()));
        foreach (var other in new[] { mild, test, quiet }) Assert.Null((await Find(other)).IncidentId);
    }

    [Fact]
    public async Task Whoever_declares_from_an_alert_finds_it_in_the_room_and_can_link_others()
    {
        var (id, other) = (await Raise("one", Severity.P2), await Raise("two", Severity.P3));
        var found = await new AlertToDeclare(database.Contexts).Load(id.ToString(), default);
        Assert.Equal(("db-7 is on fire: one", Severity.P2), (found!.Title, found.Severity));
        Assert.Equal([component.Id], found.Components);
        var incident = await new DeclareIncident(database.Contexts, clock).Execute(new("Checkout is slow", Severity.P2, "We look into it.", [], Alert: id), Cast.Bob, default);
        Assert.Equal(incident, (await Find(id)).IncidentId);
        Assert.Null(await new AlertToDeclare(database.Contexts).Load(id.ToString(), default));

        await new LinkAlert(database.Contexts, clock).Execute(other, incident, Cast.Bob, default);
        Assert.Equal([id, other], (await new AlertsOfIncident(database.Contexts).Load(incident, default)).Alerts.Select(a => a.Id));
        Assert.Equal("Checkout is slow", (await Read(db => db.AlertEvents.SingleAsync(e => e.AlertId == other && e.Kind == AlertEventKind.Linked))).Text);
        await Assert.ThrowsAsync<ForbiddenException>(() => new LinkAlert(database.Contexts, clock).Execute(other, incident, Cast.Charlie, default));
        await Assert.ThrowsAsync<DomainException>(() => new LinkAlert(database.Contexts, clock).Execute(other, Id.New<IncidentId>(clock.GetUtcNow()), Cast.Bob, default));
    }
}
