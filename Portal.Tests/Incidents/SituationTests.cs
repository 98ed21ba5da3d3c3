using Portal.Domain.Audit;
using Portal.Domain.Maintenance;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.Incidents;
using Portal.Features.StatusPages;
using Portal.Tests.Support;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Tests.Incidents;

/// <summary>What the overview knows: monitors that are down, that nobody looks at, that announced work covers, and what changed last.</summary>
public sealed class SituationTests : IAsyncLifetime
{
    readonly TestDatabase database = new();
    readonly FakeClock clock = new();

    public Task InitializeAsync() => database.InitializeAsync();

    public Task DisposeAsync() => database.DisposeAsync();

    Task<SituationNow.View> Now() => new SituationNow(database.Contexts, new ComponentStatuses(database.Contexts, clock), clock).Load(default);

    async Task Save(params object[] rows)
    {
        await using var db = database.Open();
        db.AddRange(rows);
        await db.SaveChangesAsync();
    }

    async Task<Monitor> Watched(string name, CheckOutcome outcome, ComponentId? component = null, ProbePlaceId? place = null)
    {
        var now = clock.GetUtcNow();
        var monitor = new Monitor(new(name, MonitorKind.Http, "https://shop.example/", TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(10), component, FailuresBeforeDown: 1, Places: place is { } there ? [there] : [], FromHere: place is null), now);
        var state = new MonitorState(monitor.Id, now);
        state.Apply(new CheckResult(monitor.Id, now, TimeSpan.FromMilliseconds(80), outcome, null, outcome == CheckOutcome.Down ? "No answer." : null, place), monitor);
        await Save(monitor, state);
        return monitor;
    }

    [Fact]
    public async Task A_monitor_that_only_a_lost_place_looks_at_is_not_quietly_up_and_the_place_is_named()
    {
        var (lost, unused) = (new ProbePlace("Frankfurt", clock.GetUtcNow()), new ProbePlace("Tokyo", clock.GetUtcNow()));
        await Save(lost, unused);
        await Watched("Shop", CheckOutcome.Up, place: lost.Id);
        clock.FastForward(TimeSpan.FromSeconds(45));
        var (before, view) = (clock.GetUtcNow(), await Now());
        Assert.True(view.IsQuiet);
        Assert.Empty(view.LostPlaces);
        clock.FastForward(TimeSpan.FromSeconds(145));
        view = await Now();
        Assert.Equal(new SituationNow.LostPlace("Frankfurt", before.AddSeconds(-45), 1), Assert.Single(view.LostPlaces));
        Assert.True(view.IsQuiet);
        clock.FastForward(TimeSpan.FromSeconds(1));
        view = await Now();
        Assert.Equal(("Shop", before.AddSeconds(-45)), (Assert.Single(view.Silent).Name, view.Silent[0].LastCheckAt));
        Assert.False(view.IsQuiet);
    }

    [Fact]
    public async Task What_announced_work_covers_is_no_outage_and_stands_apart()
    {
        var (covered, other) = (new Component("Webhooks", null, null, null, 0, clock.GetUtcNow()), new Component("Payments", null, null, null, 1, clock.GetUtcNow()));
        await Save(covered, other);
        await Watched("Webhooks monitor", CheckOutcome.Down, covered.Id);
        Assert.Single((await Now()).Down);
        var window = new MaintenanceWindow(new("Work", "Some requests fail.", clock.GetUtcNow(), clock.GetUtcNow().AddHours(1), "UTC", TimeSpan.Zero, [covered.Id]), Cast.Bob, clock.GetUtcNow());
        await Save(window);
        clock.FastForward(TimeSpan.FromMinutes(1));
        var view = await Now();
        Assert.True(view.IsQuiet);
        Assert.Equal("Webhooks monitor", Assert.Single(view.DownInMaintenance).Name);
        await Watched("Payments monitor", CheckOutcome.Down, other.Id);
        await Watched("Of no component", CheckOutcome.Down);
        view = await Now();
        Assert.Equal(["Of no component", "Payments monitor"], view.Down.Select(d => d.Name).Order());
        clock.FastForward(TimeSpan.FromHours(1));
        Assert.Equal(3, (await Now()).Down.Count);
    }

    [Fact]
    public async Task An_import_is_one_change_and_what_was_changed_before_it_is_still_told()
    {
        async Task Done(Actor actor, params string[] actions)
        {
            clock.FastForward(TimeSpan.FromMinutes(1));
            await using var db = database.Open();
            await db.Commit([.. actions.Select((a, i) => new AuditEntry(actor, a, $"{i}", $"Thing {i}", clock.GetUtcNow()))], default);
        }
        await Done(Cast.Bob, "place.joined");
        await Done(Cast.Bob, "monitor.paused");
        await Done(Cast.Bob, [.. Enumerable.Repeat("monitor.created", 25), "monitor.changed", "monitors.imported"]);
        await Done(Cast.Bob, "monitor.created");
        await Done(Cast.Alice, [.. Enumerable.Repeat("monitor.deleted", 25), "monitors.import-undone"]);
        await Done(Cast.Bob, "place.removed");
        Assert.Equal(["place.removed", "monitors.import-undone", "monitor.created", "monitors.imported", "monitor.paused", "place.joined"], (await Now()).Changes.Select(c => c.Action));
    }
}
