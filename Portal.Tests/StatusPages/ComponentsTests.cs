using Microsoft.EntityFrameworkCore;
using Portal.Domain.Incidents;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.Incidents;
using Portal.Features.StatusPages;
using Portal.Tests.Support;

namespace Portal.Tests.StatusPages;

public class ComponentsTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    readonly FakeClock clock = new();

    AddComponent Add => new(database.Contexts, clock);
    ChangeComponent Change => new(database.Contexts, clock);
    DeleteComponent Delete => new(database.Contexts, clock);
    ArrangeComponents Arrange => new(database.Contexts, clock);
    ComponentStatuses Statuses => new(database.Contexts, clock);

    Task Set(ComponentId id, ComponentStatus? status) => Change.Execute(new(id, Status: new(true, status)), Cast.Alice, default);

    async Task<Component> AComponent(string name, string? group = null) => await Add.Execute(new(name, Group: group), Cast.Alice, default);

    async Task<ComponentStatuses.Row> Row(ComponentId id) => (await Statuses.Load(default)).Components.Single(c => c.Id == id);

    async Task<List<string>> AuditOf(string subject)
    {
        await using var db = database.Open();
        return await db.Audit.Where(a => a.Subject == subject).OrderBy(a => a.Sequence).Select(a => a.Action).ToListAsync();
    }

    [Fact]
    public async Task A_name_that_comes_again_gets_a_slug_of_its_own_even_at_the_same_moment()
    {
        var made = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => AComponent("Blätter & Bäume"))));
        Assert.Equal(["blatter-baume", "blatter-baume-2", "blatter-baume-3", "blatter-baume-4"], made.Select(c => c.Slug).Order(StringComparer.Ordinal));
        var refused = await Assert.ThrowsAsync<DomainException>(() => Add.Execute(new("Other", "blatter-baume"), Cast.Alice, default));
        Assert.Equal("slug", refused.Field);
        Assert.Equal("slug", (await Assert.ThrowsAsync<DomainException>(() => Add.Execute(new("Other", "No Slug"), Cast.Alice, default))).Field);
    }

    [Fact]
    public async Task An_override_wins_over_an_incident_until_it_is_cleared_and_its_spans_are_kept()
    {
        var component = await AComponent("Mail");
        await new DeclareIncident(database.Contexts, clock).Execute(new("Mail is late", Severity.P2, "We look.", [new(component.Id, ComponentStatus.PartialOutage)]), Cast.Bob, default);
        Assert.Equal(ComponentStatus.PartialOutage, (await Row(component.Id)).Effective);
        foreach (var status in new[] { ComponentStatus.Operational, ComponentStatus.MajorOutage })
        {
            clock.FastForward(TimeSpan.FromMinutes(1));
            await Set(component.Id, status);
            Assert.Equal((status, status), ((await Row(component.Id)).Effective, (await Row(component.Id)).Override!.Value));
        }
        clock.FastForward(TimeSpan.FromMinutes(1));
        await Set(component.Id, ComponentStatus.MajorOutage);
        await Set(component.Id, null);
        await Set(component.Id, null);
        Assert.Equal((ComponentStatus.PartialOutage, (ComponentStatus?)null), ((await Row(component.Id)).Effective, (await Row(component.Id)).Override));
        await using var db = database.Open();
        var spans = await db.StatusOverrides.Where(o => o.ComponentId == component.Id).OrderBy(o => o.From).ToListAsync();
        Assert.Equal([(ComponentStatus.Operational, TimeSpan.FromMinutes(1)), (ComponentStatus.MajorOutage, TimeSpan.FromMinutes(1))], spans.Select(s => (s.Status, s.To!.Value - s.From)));
        Assert.Equal(["component.added", "component.status_set", "component.status_set", "component.status_cleared"], await AuditOf(component.Id.ToString()));
    }

    [Fact]
    public async Task New_words_with_a_status_are_saved_whole_or_not_at_all()
    {
        var component = await AComponent("Halves");
        var seen = await Row(component.Id);
        ChangeComponent.Request Both(string? name, ComponentStatus? status, uint? version = null) => new(component.Id, Name: new(true, name), Status: new(true, status), Version: version);
        Assert.Equal("name", (await Assert.ThrowsAsync<DomainException>(() => Change.Execute(Both(null, ComponentStatus.MajorOutage), Cast.Alice, default))).Field);
        Assert.Equal("group", (await Assert.ThrowsAsync<DomainException>(() => Change.Execute(Both("Other", ComponentStatus.MajorOutage) with { Group = new(true, Id.New<ComponentGroupId>(clock.GetUtcNow()).ToString()) }, Cast.Alice, default))).Field);
        await Assert.ThrowsAsync<ConflictException>(() => Change.Execute(Both("Other", ComponentStatus.MajorOutage, seen.Version + 1), Cast.Alice, default));
        Assert.Equal((seen.Name, seen.Override, seen.Version), ((await Row(component.Id)).Name, (await Row(component.Id)).Override, (await Row(component.Id)).Version));
        Assert.Equal(["component.added"], await AuditOf(component.Id.ToString()));

        await Change.Execute(Both("Whole", ComponentStatus.MajorOutage, seen.Version), Cast.Alice, default);
        Assert.Equal(("Whole", ComponentStatus.MajorOutage), ((await Row(component.Id)).Name, (await Row(component.Id)).Effective));
        await Change.Execute(Both("Clear", null), Cast.Alice, default);
        Assert.Equal(("Clear", (ComponentStatus?)null), ((await Row(component.Id)).Name, (await Row(component.Id)).Override));
        await Change.Execute(new(component.Id, Version: (await Row(component.Id)).Version), Cast.Alice, default);
        Assert.Equal(["component.added", "component.changed", "component.status_set", "component.changed", "component.status_cleared"], await AuditOf(component.Id.ToString()));
    }

    [Fact]
    public async Task Words_and_a_status_that_are_changed_at_once_by_two_are_both_saved()
    {
        var component = await AComponent("Busy");
        await Task.WhenAll(
            Task.Run(() => Change.Execute(new(component.Id, Name: new(true, "Busier")), Cast.Alice, default)), Task.Run(() => Set(component.Id, ComponentStatus.PartialOutage)),
            Task.Run(() => Change.Execute(new(component.Id, Description: new(true, "Described")), Cast.Alice, default)));
        var row = await Row(component.Id);
        Assert.Equal(("Busier", "Described", ComponentStatus.PartialOutage), (row.Name, row.Description, row.Effective));
    }

    [Fact]
    public async Task A_monitor_that_is_down_speaks_for_its_component_unless_it_is_paused()
    {
        var component = await AComponent("Watched");
        var now = clock.GetUtcNow();
        var monitor = new Domain.Monitoring.Monitor(new MonitorSettings("Watcher", MonitorKind.Http, "https://example.com/", TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(5), component.Id, FailuresBeforeDown: 1, Window: 1), now);
        var state = new MonitorState(monitor.Id, now);
        state.Apply(new CheckResult(monitor.Id, now, TimeSpan.FromMilliseconds(5), CheckOutcome.Down, 500, "status 500"), monitor);
        await using var db = database.Open();
        db.AddRange(monitor, state);
        await db.SaveChangesAsync();
        Assert.Equal((ComponentStatus.MajorOutage, "Watcher"), ((await Row(component.Id)).Effective, (await Row(component.Id)).Monitors.Single()));
        monitor.Pause(now);
        await db.SaveChangesAsync();
        Assert.Equal(ComponentStatus.Operational, (await Row(component.Id)).Effective);
    }

    [Fact]
    public async Task Deleting_takes_the_history_and_leaves_monitors_and_incidents()
    {
        var component = await AComponent("Legacy");
        await Set(component.Id, ComponentStatus.MajorOutage);
        var incident = await new DeclareIncident(database.Contexts, clock).Execute(new("Legacy fails", Severity.P2, "We look.", [new(component.Id, ComponentStatus.PartialOutage)]), Cast.Bob, default);
        var monitor = new Domain.Monitoring.Monitor(new MonitorSettings("Legacy watch", MonitorKind.Http, "https://example.com/", TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(5), component.Id), clock.GetUtcNow());
        await using (var db = database.Open())
        {
            db.Add(monitor);
            await db.SaveChangesAsync();
        }
        var other = await AComponent("Modern");
        await new DeclareIncident(database.Contexts, clock).Execute(new("Both fail", Severity.P1, "We look.", [new(component.Id, ComponentStatus.MajorOutage), new(other.Id, ComponentStatus.PartialOutage)]), Cast.Bob, default);
        await Delete.Execute(component.Id, Cast.Alice, default);
        Assert.DoesNotContain((await Statuses.Load(default)).Components, c => c.Id == component.Id);
        Assert.Equal(ComponentStatus.PartialOutage, (await Row(other.Id)).Effective);
        await using var after = database.Open();
        Assert.Null((await after.Monitors.SingleAsync(m => m.Id == monitor.Id)).ComponentId);
        var room = await new IncidentRoom(database.Contexts).Load(incident, default);
        Assert.Equal((IncidentRoom.Gone, 0), (room.Entries.Single().Affected.Single().Name, room.Components.Count));
        Assert.False(await after.StatusOverrides.AnyAsync(o => o.ComponentId == component.Id));
        Assert.Contains("component.deleted", await AuditOf(component.Id.ToString()));
    }

    [Fact]
    public async Task An_order_that_was_made_from_an_older_one_is_refused()
    {
        var (a, b) = (await AComponent("Order A", "Ordered"), await AComponent("Order B", "ordered"));
        var seen = ComponentOrder.Of(await Statuses.Load(default));
        await Arrange.Execute(new(seen.Step(b.Id, -1), seen), Cast.Alice, default);
        var stands = await Statuses.Load(default);
        Assert.True(stands.Components.ToList().FindIndex(c => c.Id == b.Id) < stands.Components.ToList().FindIndex(c => c.Id == a.Id));
        await Assert.ThrowsAsync<ConflictException>(() => Arrange.Execute(new(seen.Into(a.Id, null), seen), Cast.Alice, default));
        Assert.NotNull((await Row(a.Id)).GroupId);
        var now = ComponentOrder.Of(await Statuses.Load(default));
        await Assert.ThrowsAsync<DomainException>(() => Arrange.Execute(new(new ComponentOrder([.. now.Sections.Skip(1)]), now), Cast.Alice, default));
        await Arrange.Execute(new(now.Into(a.Id, null), now), Cast.Alice, default);
        Assert.Null((await Row(a.Id)).GroupId);
    }

    [Fact]
    public async Task Of_two_who_arrange_different_groups_at_once_one_is_refused_and_no_mixture_stands()
    {
        var (a, b) = (await AComponent("Race A", "Left"), await AComponent("Race B", "Left"));
        var (c, d) = (await AComponent("Race C", "Right"), await AComponent("Race D", "Right"));
        for (var round = 0; round < 10; round++)
        {
            var seen = ComponentOrder.Of(await Statuses.Load(default));
            ComponentOrder[] wanted = [Swapped(seen, a.Id, b.Id), Swapped(seen, c.Id, d.Id)];
            var done = await Task.WhenAll(wanted.Select(w => Task.Run(async () =>
            {
                try
                {
                    await Arrange.Execute(new(w, seen), Cast.Alice, default);
                    return true;
                }
                catch (ConflictException) { return false; }
            })));
            var winner = wanted[Array.IndexOf(done, true)];
            Assert.Single(done, ok => ok);
            Assert.True(ComponentOrder.Of(await Statuses.Load(default)).IsSameAs(winner));
        }
    }

    static ComponentOrder Swapped(ComponentOrder order, ComponentId one, ComponentId other)
    {
        var section = order.Sections.Single(s => s.Components.Contains(one)).Components.ToList();
        return section.IndexOf(one) < section.IndexOf(other) ? order.Beside(one, other, after: true) : order.Beside(other, one, after: true);
    }

    [Fact]
    public async Task A_group_is_found_by_its_name_made_when_missing_and_leaves_its_components_when_it_goes()
    {
        var (first, second) = (await AComponent("Group one", "Platform"), await AComponent("Group two", "PLATFORM"));
        var group = (await Row(first.Id)).GroupId!.Value;
        Assert.Equal(group, (await Row(second.Id)).GroupId);
        Assert.Equal("name", (await Assert.ThrowsAsync<DomainException>(() => new AddComponentGroup(database.Contexts, clock).Execute(" platform ", Cast.Alice, default))).Field);
        await new RenameComponentGroup(database.Contexts, clock).Execute(new(group, "Foundation"), Cast.Alice, default);
        Assert.Equal("Foundation", (await Row(first.Id)).GroupName);
        await new DeleteComponentGroup(database.Contexts, clock).Execute(group, Cast.Alice, default);
        Assert.Equal((null, null), ((await Row(first.Id)).GroupId, (await Row(second.Id)).GroupId));
        Assert.Equal(["component_group.renamed", "component_group.deleted"], await AuditOf(group.ToString()));
    }

    [Fact]
    public async Task A_stale_change_is_refused_and_only_who_may_manage_components_changes_them()
    {
        var component = await AComponent("Guarded");
        var seen = (await Row(component.Id)).Version;
        await Change.Execute(new(component.Id, Name: new(true, "Guarded well"), Version: seen), Cast.Alice, default);
        var conflict = await Assert.ThrowsAsync<ConflictException>(() => Change.Execute(new(component.Id, Name: new(true, "Mine"), Version: seen), Cast.Alice, default));
        Assert.Equal("Guarded well", conflict.Current);
        foreach (var outsider in new[] { Cast.Bob, Cast.Charlie })
        {
            await Assert.ThrowsAsync<ForbiddenException>(() => Add.Execute(new("Nope"), outsider, default));
            await Assert.ThrowsAsync<ForbiddenException>(() => Change.Execute(new(component.Id, Name: new(true, "Nope")), outsider, default));
            await Assert.ThrowsAsync<ForbiddenException>(() => Change.Execute(new(component.Id, Status: new(true, ComponentStatus.MajorOutage)), outsider, default));
            await Assert.ThrowsAsync<ForbiddenException>(() => Delete.Execute(component.Id, outsider, default));
        }
        Assert.Equal(("Guarded well", ComponentStatus.Operational), ((await Row(component.Id)).Name, (await Row(component.Id)).Effective));
    }
}
