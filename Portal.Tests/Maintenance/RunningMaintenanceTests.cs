using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Incidents;
using Portal.Domain.Maintenance;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.Maintenance;
using Portal.Features.StatusPages;
using Portal.Public;
using Portal.Tests.Support;

namespace Portal.Tests.Maintenance;

/// <summary>The use cases on a real database, and what they do to components.</summary>
public class RunningMaintenanceTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    readonly FakeClock clock = new();

    DateTimeOffset Now => clock.GetUtcNow();

    async Task<Component> AComponent(string name)
    {
        await using var db = database.Open();
        var component = new Component(name, null, null, null, 0, Now.AddDays(-100));
        db.Add(component);
        await db.Commit(new AuditEntry(Cast.Alice, "test", "x", "x", Now), default);
        return component;
    }

    MaintenancePlan Plan(string title, params ComponentId[] components) => new(title, "Saving may fail.", Now.AddHours(1), Now.AddHours(3), "Europe/Berlin", TimeSpan.FromMinutes(30), components);

    Task<MaintenanceId> Schedule(MaintenancePlan plan, Actor? by = null, MaintenanceId? id = null) =>
        new ScheduleMaintenance(database.Contexts, clock).Execute(new(plan, id), by ?? Cast.Bob, default);

    Task Move(MaintenanceId id, MaintenanceStep step, uint? version = null) => new MoveMaintenance(database.Contexts, clock).Execute(new(id, step, version), Cast.Bob, default);

    Task Change(MaintenanceId id, Func<MaintenancePlan, MaintenancePlan> edit, uint? version = null, Actor? by = null) =>
        new ChangeMaintenance(database.Contexts, clock).Execute(new(id, edit, version), by ?? Cast.Bob, default);

    Task<MaintenanceFile.View> Read(MaintenanceId id) => new MaintenanceFile(database.Contexts, clock).Load(id, default);

    async Task<ComponentStatus> StatusOf(Component component)
    {
        var staff = (await new ComponentStatuses(database.Contexts, clock).Load(default)).Components.Single(c => c.Id == component.Id).Effective;
        var customers = (await new StatusPageSnapshot(database.Contexts).Load(null, Now, default)).At(Now).Components.Single(c => c.Id == component.Id).Status;
        Assert.Equal(staff, customers);
        return staff;
    }

    [Fact]
    public async Task A_component_is_under_maintenance_from_edge_to_edge_although_nobody_does_anything()
    {
        var component = await AComponent("Edges");
        await Schedule(Plan("Edges", component.Id));
        foreach (var (minutes, status) in new[] { (59, ComponentStatus.Operational), (1, ComponentStatus.UnderMaintenance), (119, ComponentStatus.UnderMaintenance), (1, ComponentStatus.Operational) })
        {
            clock.FastForward(TimeSpan.FromMinutes(minutes));
            Assert.Equal(status, await StatusOf(component));
        }
        clock.SetWall(Now.AddHours(-1));
        Assert.Equal(ComponentStatus.UnderMaintenance, await StatusOf(component));
    }

    [Fact]
    public async Task It_hides_a_status_by_hand_an_incident_and_a_monitor_and_all_of_them_come_back()
    {
        var component = await AComponent("Hidden");
        var incident = new Incident("It fails", Severity.P1, null, Now, Now);
        incident.Post(IncidentStatus.Investigating, "It fails.", UpdateVisibility.Public, [new(component.Id, ComponentStatus.MajorOutage)], Cast.Bob, Now);
        var monitor = new Domain.Monitoring.Monitor(new MonitorSettings("Watch", MonitorKind.Http, "https://example.com/", TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(5), component.Id, 1, 1), Now.AddDays(-2));
        var state = new MonitorState(monitor.Id, Now.AddDays(-2));
        state.Apply(new CheckResult(monitor.Id, Now, TimeSpan.FromMilliseconds(80), CheckOutcome.Up, 200, null), monitor);
        state.Apply(new CheckResult(monitor.Id, Now.AddMinutes(1), TimeSpan.FromMilliseconds(80), CheckOutcome.Down, 503, "503"), monitor);
        await using (var db = database.Open())
        {
            db.AddRange(incident, monitor, state, new Outage(monitor, Now.AddMinutes(1), Now, []));
            (await db.Components.SingleAsync(c => c.Id == component.Id)).SetOverride(ComponentStatus.PartialOutage, "Alice", Now);
            await db.SaveChangesAsync();
        }
        var id = await Schedule(Plan("Hidden", component.Id));
        Assert.Equal(ComponentStatus.PartialOutage, await StatusOf(component));
        clock.FastForward(TimeSpan.FromHours(2));
        Assert.Equal(ComponentStatus.UnderMaintenance, await StatusOf(component));
        await Move(id, MaintenanceStep.Complete);
        Assert.Equal(ComponentStatus.PartialOutage, await StatusOf(component));
        await using (var db = database.Open())
        {
            (await db.Components.Include(c => c.Overrides).SingleAsync(c => c.Id == component.Id)).SetOverride(null, "Alice", Now);
            await db.SaveChangesAsync();
        }
        Assert.Equal(ComponentStatus.MajorOutage, await StatusOf(component));
        // The rest of the planned time was given back: the outage goes on from when it was ended.
        await using (var db = database.Open()) await db.Database.ExecuteSqlAsync($"update page_versions set changed_at = {Now.UtcDateTime}");
        var view = (await new StatusPageSnapshot(database.Contexts).Load(null, Now.AddHours(1), default)).At(Now.AddHours(1)).Components.Single(c => c.Id == component.Id);
        var day = UptimeRules.Day(view.Spans, [], view.ObservedFrom, TimeZoneInfo.Utc, new(2026, 3, 2), Now.AddHours(1));
        Assert.Equal((TimeSpan.FromHours(1), TimeSpan.FromHours(1), TimeSpan.FromHours(1)), (day.Partial, day.Maintenance, day.Major));
    }

    [Fact]
    public async Task A_form_that_is_sent_twice_is_one_window()
    {
        var id = Id.New<MaintenanceId>(Now);
        await Task.WhenAll(Schedule(Plan("Twice"), id: id), Schedule(Plan("Twice"), id: id));
        await using var db = database.Open();
        Assert.Equal(1, await db.MaintenanceWindows.CountAsync(w => w.Title == "Twice"));
        var post = new PostMaintenanceUpdate.Request(id, "Half of it is done.", UpdateVisibility.Public, Id.New<MaintenanceUpdateId>(Now));
        foreach (var _ in new[] { 1, 2 }) await new PostMaintenanceUpdate(database.Contexts, clock).Execute(post, Cast.Bob, default);
        Assert.Single((await Read(id)).Entries, e => e.Body == "Half of it is done.");
    }

    [Fact]
    public async Task Of_two_who_edit_the_second_is_refused_and_shown_what_stands()
    {
        var id = await Schedule(Plan("Both edit"));
        var seen = (await Read(id)).Version;
        await Change(id, p => p with { Message = "Alice's words." }, seen, Cast.Alice);
        var refused = await Assert.ThrowsAsync<ConflictException>(() => Change(id, p => p with { Message = "Bob's words." }, seen));
        Assert.Contains("Alice's words.", refused.Current, StringComparison.Ordinal);
        Assert.Equal("Alice's words.", (await Read(id)).Plan.Message);
        await Assert.ThrowsAsync<ConflictException>(() => Move(id, MaintenanceStep.Cancel, seen));
        // A post in between is no conflict.
        seen = (await Read(id)).Version;
        await new PostMaintenanceUpdate(database.Contexts, clock).Execute(new(id, "A note.", UpdateVisibility.Internal), Cast.Alice, default);
        await Change(id, p => p with { Message = "Bob's words." }, seen);
        Assert.Equal("Bob's words.", (await Read(id)).Plan.Message);
    }

    [Fact]
    public async Task Two_who_end_it_at_once_end_it_once()
    {
        var id = await Schedule(Plan("Ended by two"));
        clock.FastForward(TimeSpan.FromHours(2));
        var ended = await Task.WhenAll(Enumerable.Range(0, 2).Select(async _ => await Record.ExceptionAsync(() => Move(id, MaintenanceStep.Complete))));
        Assert.Single(ended, e => e is null);
        Assert.Single(ended, e => e is DomainException { Field: "status" });
        await using var db = database.Open();
        Assert.Equal(1, await db.Audit.CountAsync(a => a.Action == "maintenance.ended" && a.Subject == id.ToString()));
    }

    [Fact]
    public async Task Only_who_may_run_it_can_and_everything_is_on_record()
    {
        await Assert.ThrowsAsync<ForbiddenException>(() => Schedule(Plan("Not allowed"), Cast.Charlie));
        var id = await Schedule(Plan("On record"));
        await Change(id, p => p with { Title = "On record, changed" });
        await Move(id, MaintenanceStep.Cancel);
        await Move(id, MaintenanceStep.Reinstate);
        await Move(id, MaintenanceStep.Start);
        await Move(id, MaintenanceStep.Verify);
        await Move(id, MaintenanceStep.Complete);
        foreach (var act in new Func<Task>[] { () => Change(id, p => p, by: Cast.Charlie), () => new PostMaintenanceUpdate(database.Contexts, clock).Execute(new(id, "x", UpdateVisibility.Public), Cast.Charlie, default),
            () => new MoveMaintenance(database.Contexts, clock).Execute(new(id, MaintenanceStep.Start), Cast.Charlie, default) })
            await Assert.ThrowsAsync<ForbiddenException>(act);
        await using var db = database.Open();
        Assert.Equal(["scheduled", "changed", "cancelled", "reinstated", "started", "verified", "ended"],
            (await db.Audit.Where(a => a.Subject == id.ToString()).OrderBy(a => a.Sequence).Select(a => a.Action).ToListAsync()).Select(a => a.Split('.')[1]));
    }

    [Fact]
    public async Task A_component_that_is_gone_is_refused_by_its_place()
    {
        var component = await AComponent("Stays");
        var refused = await Assert.ThrowsAsync<DomainException>(() => Schedule(Plan("Gone", component.Id, Id.New<ComponentId>(Now))));
        Assert.Equal("components[1]", refused.Field);
        await Assert.ThrowsAsync<NotFoundException>(() => Read(Id.New<MaintenanceId>(Now)));
        // One that is deleted later takes nothing but itself away.
        var id = await Schedule(Plan("Loses one", component.Id));
        await new DeleteComponent(database.Contexts, clock).Execute(component.Id, Cast.Alice, default);
        Assert.Empty((await Read(id)).Components);
        await Change(id, p => p with { Title = "Still there" });
    }

    [Fact]
    public async Task The_list_goes_on_where_it_ended_and_knows_what_is_over()
    {
        var ids = new List<MaintenanceId>();
        foreach (var i in Enumerable.Range(0, 5)) ids.Add(await Schedule(Plan($"Listed {i}") with { StartsAt = Now.AddDays(10).AddHours(i), EndsAt = Now.AddDays(10).AddHours(i + 1) }));
        await Move(ids[4], MaintenanceStep.Cancel);
        var list = new MaintenanceList(database.Contexts, clock);
        async Task<List<MaintenanceId>> All(bool? over)
        {
            var (all, after) = (new List<MaintenanceId>(), (MaintenanceId?)null);
            while (true)
            {
                var part = await list.Load(new(over, "Listed"), after, 2, default);
                all.AddRange(part.Select(r => r.Id));
                if (part.Count < 2) return all;
                after = part[^1].Id;
            }
        }
        Assert.Equal(ids.Take(4), await All(false));
        Assert.Equal([ids[4]], await All(true));
        Assert.Equal(Enumerable.Reverse(ids), await All(null));
        clock.FastForward(TimeSpan.FromDays(10) + TimeSpan.FromHours(2));
        Assert.Equal([ids[2], ids[3]], await All(false));
    }

    [Fact]
    public async Task Overlaps_with_other_windows_and_open_incidents_on_the_same_component_are_found_and_no_others()
    {
        var (mine, others) = (await AComponent("Mine"), await AComponent("Others"));
        var first = await Schedule(Plan("First", mine.Id));
        var cancelled = await Schedule(Plan("Cancelled", mine.Id));
        await Move(cancelled, MaintenanceStep.Cancel);
        await Schedule(Plan("Elsewhere", others.Id));
        var incident = new Incident("Open on mine", Severity.P2, null, Now, Now);
        incident.Post(IncidentStatus.Investigating, "It fails.", UpdateVisibility.Public, [new(mine.Id, ComponentStatus.PartialOutage)], Cast.Bob, Now);
        await using (var db = database.Open())
        {
            db.Add(incident);
            await db.SaveChangesAsync();
        }
        var overlaps = new MaintenanceOverlaps(database.Contexts, clock);
        var found = await overlaps.Load([mine.Id], new(Now.AddHours(2), Now.AddHours(4)), default, default);
        Assert.Equal((first, "Mine"), (Assert.Single(found.Windows).Id, found.Windows[0].Components.Single()));
        Assert.Equal(incident.Id, Assert.Single(found.Incidents).Id);
        // Touching is not overlapping, and nothing overlaps itself.
        Assert.Empty((await overlaps.Load([mine.Id], new(Now.AddHours(3), Now.AddHours(4)), default, default)).Windows);
        Assert.Empty((await overlaps.Load([mine.Id], new(Now.AddHours(2), Now.AddHours(4)), first, default)).Windows);
    }

    [Fact]
    public async Task What_a_window_covered_can_be_asked_for()
    {
        var component = await AComponent("Covered");
        var id = await Schedule(Plan("Covered", component.Id));
        var span = Assert.Single(await new MaintenanceCover(database.Contexts).Load(component.Id, Now, Now.AddHours(2), default));
        Assert.Equal((id, new Interval(Now.AddHours(1), Now.AddHours(3))), (span.Window, span.Covered));
        Assert.Empty(await new MaintenanceCover(database.Contexts).Load(component.Id, Now, Now.AddHours(1), default));
    }

    [Fact]
    public async Task Notes_for_the_team_are_nowhere_in_what_customers_can_see()
    {
        var id = await Schedule(Plan("Public words"));
        var post = new PostMaintenanceUpdate(database.Contexts, clock);
        await post.Execute(new(id, "Half of it is done.", UpdateVisibility.Public), Cast.Bob, default);
        await post.Execute(new(id, "The vendor is called Verity.", UpdateVisibility.Internal), Cast.Bob, default);
        await Change(id, p => p with { EndsAt = p.EndsAt.AddHours(1) });
        var model = System.Text.Json.JsonSerializer.Serialize(await new StatusPageSnapshot(database.Contexts).Load(null, Now, default));
        Assert.Contains("Half of it is done.", model, StringComparison.Ordinal);
        foreach (var secret in new[] { "Verity", "Moved from", Cast.Bob.Name + "\"" }) Assert.DoesNotContain(secret, model, StringComparison.Ordinal);
        Assert.Contains((await Read(id)).Entries, e => e.Body == "The vendor is called Verity.");
    }
}
