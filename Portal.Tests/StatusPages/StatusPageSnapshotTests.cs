using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Incidents;
using Portal.Domain.Monitoring;
using Portal.Domain.StatusPages;
using Portal.Features.StatusPages;
using Portal.Infrastructure.Persistence;
using Portal.Public;
using Portal.Tests.Support;

namespace Portal.Tests.StatusPages;

public class StatusPageSnapshotTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    static readonly DateTimeOffset Start = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    static readonly DateTimeOffset Now = Start.AddHours(1);

    static MonitorSettings Watching(Component component, string name = "API", ComponentStatus impact = ComponentStatus.PartialOutage) =>
        new(name, MonitorKind.Http, "https://example.com/", TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(5), component.Id, 1, 1, Impact: impact);

    static CheckResult Check(Domain.Monitoring.Monitor monitor, DateTimeOffset at, CheckOutcome outcome) =>
        new(monitor.Id, at, TimeSpan.FromMilliseconds(80), outcome, 200, outcome == CheckOutcome.Up ? null : "HTTP 503");

    async Task<Component> Save(Component component, params object[] others)
    {
        await using var db = database.Open();
        db.Add(component);
        db.AddRange(others);
        await db.Commit(new AuditEntry(Cast.Alice, "test", "x", "x", Start), default);
        return component;
    }

    async Task<ComponentView> View(Component component, DateTimeOffset? now = null) =>
        (await Load(now)).Components.Single(c => c.Id == component.Id);

    Task<StatusPageModel> Load(DateTimeOffset? now = null) => new StatusPageSnapshot(Frozen()).Load(null, now ?? Now, default);

    /// <summary>The version's time comes from the server's own clock; the tests live in their own.</summary>
    IDbContextFactory<PortalDbContext> Frozen()
    {
        using var db = database.Open();
        db.Database.ExecuteSql($"update page_versions set changed_at = {Start.UtcDateTime}");
        return database.Contexts;
    }

    [Fact]
    public async Task Of_two_words_on_a_component_at_one_instant_the_one_that_still_holds_is_shown()
    {
        var component = new Component("Payments", "payments-tie", null, null, 0, Start);
        var incident = new Incident("Two words at once", Severity.P1, null, Start, Start);
        foreach (var status in new[] { ComponentStatus.PartialOutage, ComponentStatus.MajorOutage })
            incident.Post(IncidentStatus.Investigating, "A word.", UpdateVisibility.Public, [new(component.Id, status)], Cast.Bob, Start);
        await Save(component, incident);
        Assert.Equal(2, incident.Effects.Count(e => e.From == Start));

        var shown = (await Load()).Incidents.Single(i => i.Id == incident.Id).Components.Single();
        Assert.Equal(ComponentStatus.MajorOutage, shown.Status);
    }

    [Fact]
    public async Task A_note_for_the_team_is_nowhere_in_what_customers_can_see()
    {
        var component = new Component("Payments", "payments-notes", null, null, 0, Start);
        var incident = new Incident("Card payments fail", Severity.P1, null, Start, Start);
        incident.Post(IncidentStatus.Investigating, "A word for everybody.", UpdateVisibility.Public, [new(component.Id, ComponentStatus.PartialOutage)], Cast.Bob, Start);
        incident.Post(IncidentStatus.Investigating, "Only for the team: the processor is called Verity.", UpdateVisibility.Internal, [], Cast.Bob, Start.AddMinutes(1));
        var silent = new Incident("Nothing was said of this yet", Severity.P2, null, Start, Start);
        silent.Post(IncidentStatus.Investigating, "Also only for the team.", UpdateVisibility.Internal, [], Cast.Bob, Start);
        await Save(component, incident, silent);

        var model = await Load();
        var json = JsonSerializer.Serialize(model);
        Assert.Contains("A word for everybody", json);
        Assert.DoesNotContain("Verity", json);
        Assert.DoesNotContain("only for the team", json, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(model.Incidents, i => i.Id == silent.Id);
        Assert.Single(model.Incidents.Single(i => i.Id == incident.Id).Updates);
    }

    [Fact]
    public async Task The_worst_of_monitors_and_incidents_counts_and_an_override_hides_both()
    {
        var component = new Component("Search", "search-worst", null, null, 0, Start.AddDays(-3));
        var monitor = new Domain.Monitoring.Monitor(Watching(component), Start.AddDays(-3));
        var state = new MonitorState(monitor.Id, Start.AddDays(-3));
        state.Apply(Check(monitor, Start, CheckOutcome.Up), monitor);
        state.Apply(Check(monitor, Start.AddMinutes(1), CheckOutcome.Down), monitor);
        var outage = new Outage(monitor, Start.AddMinutes(1), Start, []);
        await Save(component, monitor, state, outage);
        var view = await View(component, Start.AddMinutes(2));
        Assert.Equal((ComponentStatus.PartialOutage, (DateTimeOffset?)Start.AddMinutes(1)), (view.Status, view.Since));
        Assert.Equal(TimeSpan.FromMinutes(1), Assert.Single(view.Spans).DoubtBefore);

        var incident = new Incident("Search is gone", Severity.P0, null, Start.AddMinutes(2), Start.AddMinutes(2));
        incident.Post(IncidentStatus.Investigating, "Gone.", UpdateVisibility.Public, [new(component.Id, ComponentStatus.MajorOutage)], Cast.Bob, Start.AddMinutes(2));
        await using (var db = database.Open())
        {
            db.Add(incident);
            await db.SaveChangesAsync();
        }
        Assert.Equal(ComponentStatus.MajorOutage, (await View(component, Start.AddMinutes(3))).Status);

        await using (var db = database.Open())
        {
            (await db.Components.Include(c => c.Overrides).SingleAsync(c => c.Id == component.Id)).SetOverride(ComponentStatus.DegradedPerformance, "Alice", Start.AddMinutes(4));
            await db.SaveChangesAsync();
        }
        view = await View(component, Start.AddMinutes(5));
        Assert.Equal((ComponentStatus.DegradedPerformance, (DateTimeOffset?)Start.AddMinutes(4)), (view.Status, view.Since));
        Assert.DoesNotContain("Alice", JsonSerializer.Serialize(view));
    }

    [Fact]
    public async Task A_monitor_that_fell_silent_leaves_a_gap_that_is_still_open()
    {
        var component = new Component("Mail", "mail-silent", null, null, 0, Start.AddDays(-3));
        var monitor = new Domain.Monitoring.Monitor(Watching(component), Start.AddDays(-3));
        var state = new MonitorState(monitor.Id, Start.AddDays(-1));
        state.Apply(Check(monitor, Start, CheckOutcome.Up), monitor);
        await Save(component, monitor, state);
        var view = await View(component, Start.AddMinutes(2));
        Assert.Empty(view.Gaps);
        Assert.Equal(Start, view.ObservedFrom);
        view = await View(component, Start.AddMinutes(30));
        Assert.Equal((Start.AddMinutes(1), (DateTimeOffset?)null), (view.Gaps.Single().From, view.Gaps.Single().To));
    }

    [Fact]
    public async Task A_component_is_unknown_while_its_only_monitor_is_paused_or_was_never_asked_unless_a_person_says_how_it_is()
    {
        var component = new Component("Paused", "paused-only", null, null, 0, Start.AddDays(-3));
        var monitor = new Domain.Monitoring.Monitor(Watching(component), Start.AddDays(-3));
        var state = new MonitorState(monitor.Id, Start.AddDays(-1));
        await Save(component, monitor, state);
        Assert.True((await View(component)).IsUnknown);
        await using (var db = database.Open())
        {
            var saved = await db.MonitorStates.SingleAsync(s => s.MonitorId == monitor.Id);
            saved.Apply(Check(monitor, Now.AddMinutes(-1), CheckOutcome.Up), monitor);
            await db.SaveChangesAsync();
        }
        Assert.False((await View(component)).IsUnknown);
        await using (var db = database.Open())
        {
            (await db.Monitors.SingleAsync(m => m.Id == monitor.Id)).Pause(Now);
            (await db.MonitorStates.SingleAsync(s => s.MonitorId == monitor.Id)).Suspend(Now);
            await db.SaveChangesAsync();
        }
        var view = await View(component);
        Assert.Equal((true, ComponentStatus.Operational), (view.IsUnknown, view.Status));
        await using (var db = database.Open())
        {
            (await db.Components.Include(c => c.Overrides).SingleAsync(c => c.Id == component.Id)).SetOverride(ComponentStatus.Operational, "Alice", Now);
            await db.SaveChangesAsync();
        }
        Assert.False((await View(component)).IsUnknown);
    }

    [Fact]
    public async Task The_history_begins_with_the_first_component_or_the_first_incident_that_customers_were_told_of()
    {
        await using var fresh = new OwnDatabase();
        await fresh.Database.InitializeAsync();
        Task<StatusPageModel> Read() => new StatusPageSnapshot(fresh.Database.Contexts).Load(null, Now, default);
        async Task Add(object thing)
        {
            await using var db = fresh.Database.Open();
            db.Add(thing);
            await db.SaveChangesAsync();
        }
        Incident At(DateTimeOffset at, UpdateVisibility visibility)
        {
            var incident = new Incident("Then", Severity.P3, null, at, at);
            incident.Post(IncidentStatus.Resolved, "Over.", visibility, [], Cast.Bob, at);
            return incident;
        }
        Assert.Null((await Read()).Beginning);
        await Add(new Component("First", "first", null, null, 0, Start.AddDays(-400)));
        Assert.Equal(Start.AddDays(-400), (await Read()).Beginning);
        await Add(At(Start.AddDays(-900), UpdateVisibility.Internal));
        Assert.Equal(Start.AddDays(-400), (await Read()).Beginning);
        await Add(At(Start.AddDays(-500), UpdateVisibility.Public));
        Assert.Equal(Start.AddDays(-500), (await Read()).Beginning);
    }

    sealed class OwnDatabase : IAsyncDisposable
    {
        public TestDatabase Database { get; } = new();
        public async ValueTask DisposeAsync() => await Database.DisposeAsync();
    }

    [Fact]
    public async Task A_component_is_without_data_only_while_none_of_its_monitors_looks()
    {
        var component = new Component("Api", "api-two", null, null, 0, Start.AddDays(-3));
        var (one, two) = (new Domain.Monitoring.Monitor(Watching(component, "One"), Start.AddDays(-3)), new Domain.Monitoring.Monitor(Watching(component, "Two"), Start.AddDays(-3)));
        var states = new[] { one, two }.Select(m =>
        {
            var state = new MonitorState(m.Id, Start.AddDays(-2));
            state.Apply(Check(m, Start.AddDays(-2), CheckOutcome.Up), m);
            state.Apply(Check(m, Now, CheckOutcome.Up), m);
            return (object)state;
        }).ToArray();
        await Save(component, [one, two, .. states,
            new ObservationGap(one.Id, component.Id, Start.AddHours(-10), Start.AddHours(-6), "The portal was down."),
            new ObservationGap(two.Id, component.Id, Start.AddHours(-8), Start.AddHours(-4), "Paused.")]);
        var gap = Assert.Single((await View(component)).Gaps);
        Assert.Equal((Start.AddHours(-8), (DateTimeOffset?)Start.AddHours(-6)), (gap.From, gap.To));
    }

    [Fact]
    public async Task What_a_monitor_is_called_is_nowhere_in_what_customers_can_see()
    {
        const string name = "prod-db-7.internal";
        var component = new Component("Shop", "shop-secret", null, null, 0, Start.AddDays(-3));
        var monitor = new Domain.Monitoring.Monitor(Watching(component, name) with { PublicChart = "  Buying & paying " }, Start.AddDays(-3));
        var outage = new Outage(monitor, Start.AddHours(-1), Start.AddHours(-1), [new(Start.AddHours(-1), 503, "The answer was 503.", 12)]);
        await Save(component, monitor, outage, new ObservationGap(monitor.Id, component.Id, Start.AddHours(-9), Start.AddHours(-8), "Paused."));
        Assert.Equal(name, outage.MonitorName);

        var model = await Load();
        Assert.Equal(StatusCause.Monitor, Assert.Single(model.Components.Single(c => c.Id == component.Id).Spans).Cause);
        Assert.Contains(model.ResponseTimes, s => s.Title == "Buying & paying");
        Assert.DoesNotContain(name, JsonSerializer.Serialize(model), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Charts_are_those_that_somebody_chose_in_the_order_of_the_components_and_a_choice_shows_within_the_same_minute()
    {
        await using (var db = database.Open()) await db.Monitors.ExecuteUpdateAsync(m => m.SetProperty(x => x.PublicChart, (string?)null));
        var (first, last) = (new Component("First", "charts-first", null, null, -20, Start), new Component("Last", "charts-last", null, null, -19, Start));
        var (a, b, loose, silent) = (new Domain.Monitoring.Monitor(Watching(last, "a") with { PublicChart = "A of the last" }, Start), new Domain.Monitoring.Monitor(Watching(first, "b") with { PublicChart = "B of the first" }, Start),
            new Domain.Monitoring.Monitor(Watching(first, "loose") with { Component = null, PublicChart = "0 of none" }, Start), new Domain.Monitoring.Monitor(Watching(first, "silent"), Start));
        await Save(first, last, a, b, loose, silent);
        var model = await Load();
        Assert.Equal(["B of the first", "A of the last", "0 of none"], model.ResponseTimes.Select(s => s.Title));

        Task<StatusPageModel> Again() => new StatusPageSnapshot(Frozen()).Load(model, Now, default);
        Assert.Same(model.ResponseTimes, (await Again()).ResponseTimes);
        await using (var db = database.Open())
        {
            await db.Monitors.Where(m => m.Id == silent.Id).ExecuteUpdateAsync(m => m.SetProperty(x => x.PublicChart, "Chosen now"));
            await db.Monitors.Where(m => m.Id == b.Id).ExecuteUpdateAsync(m => m.SetProperty(x => x.PublicChart, (string?)null));
        }
        Assert.Equal(["Chosen now", "A of the last", "0 of none"], (await Again()).ResponseTimes.Select(s => s.Title));
    }

    [Fact]
    public async Task Response_times_are_medians_of_ten_minutes_with_holes()
    {
        var component = new Component("Shop", "shop-times", null, null, -1, Start.AddDays(-3));
        var monitor = new Domain.Monitoring.Monitor(Watching(component, "Shop front") with { PublicChart = "Shop front" }, Start.AddDays(-3));
        await Save(component, monitor);
        await using (var db = database.Open())
            foreach (var (minute, ms, outcome) in new[] { (1, 100.0, 0), (5, 200.0, 0), (8, 9000.0, 0), (6, 5000.0, 1), (35, 300.0, 0) })
                await db.Database.ExecuteSqlAsync($"insert into check_results (monitor_id, at, milliseconds, outcome, node, epoch) values ({monitor.Id.Value}, {Start.AddMinutes(minute).UtcDateTime}, {(float)ms}, {(short)outcome}, 'a', 1)");
        var series = (await Load()).ResponseTimes.Single(s => s.Title == "Shop front");
        Assert.Equal(144, series.Milliseconds.Count);
        var first = (int)((Start - series.From) / series.Step);
        Assert.Equal([null, null, 300], series.Milliseconds.Skip(first + 1).Take(3));
        // Right within 2 %: what histograms tell.
        Assert.InRange(series.Milliseconds[first]!.Value, 196, 204);
    }

    [Fact]
    public async Task An_incident_too_old_to_be_published_is_still_found_without_its_notes()
    {
        var at = Start.AddDays(-300);
        var incident = new Incident("Long ago", Severity.P2, null, at, at);
        incident.Post(IncidentStatus.Resolved, "It is over.", UpdateVisibility.Public, [], Cast.Bob, at.AddHours(1));
        incident.Post(IncidentStatus.Resolved, "Secret of long ago.", UpdateVisibility.Internal, [], Cast.Bob, at.AddHours(2));
        await Save(new Component("Old", "old", null, null, 0, at), incident);
        var view = await new PublicIncidents(database.Contexts).Load(incident.Id, Now, default);
        Assert.Equal("It is over.", Assert.Single(view.Updates).Body);
    }
}
