using Portal.Domain.Incidents;
using Portal.Domain.Maintenance;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Tests.Support;

namespace Portal.Tests.Maintenance;

public class MaintenanceRulesTests
{
    static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    static readonly ComponentId A = Id.New<ComponentId>(Now), B = Id.New<ComponentId>(Now), C = Id.New<ComponentId>(Now);

    static MaintenancePlan Plan(DateTimeOffset? starts = null, DateTimeOffset? ends = null, int verify = 0, params ComponentId[] components) => new(
        "Database upgrade", "Saving may fail for some minutes.", starts ?? Now.AddHours(1), ends ?? (starts ?? Now.AddHours(1)).AddHours(2), "Europe/Berlin", TimeSpan.FromMinutes(verify), components.Length > 0 ? components : [A]);

    static MaintenanceWindow Window(MaintenancePlan? plan = null) => new(plan ?? Plan(), Cast.Bob, Now);

    static string? Field(Action act) => Assert.Throws<DomainException>(act).Field;

    [Fact]
    public void It_begins_verifies_and_ends_by_itself_and_each_edge_belongs_to_what_follows()
    {
        var window = Window(Plan(verify: 30));
        foreach (var (minutes, status) in new[] { (0, MaintenanceStatus.Scheduled), (60, MaintenanceStatus.InProgress), (150, MaintenanceStatus.Verifying), (180, MaintenanceStatus.Completed) })
        {
            var edge = Now.AddMinutes(minutes);
            Assert.Equal(status, window.StatusAt(edge));
            if (minutes > 0) Assert.NotEqual(status, window.StatusAt(edge.AddTicks(-1)));
        }
        // A clock that was set back sees what stood then.
        Assert.Equal(MaintenanceStatus.Scheduled, window.StatusAt(Now.AddDays(-1)));
        Assert.Equal([MaintenanceStatus.InProgress, MaintenanceStatus.Verifying, MaintenanceStatus.Completed], window.Times.Edges.Select(e => e.Status));
    }

    [Fact]
    public void Nothing_can_be_announced_after_the_fact()
    {
        Assert.Equal("startsAt", Field(() => Window(Plan(Now.AddMinutes(-2)))));
        Assert.Equal("startsAt", Field(() => Window(Plan(Now.AddHours(-3), Now.AddHours(-1)))));
        // Typed as now, in whole minutes: it begins when it is sent, not before.
        Assert.Equal(Now, Window(Plan(Now.AddSeconds(-50))).StartsAt);
    }

    [Theory]
    [InlineData(60, 60, 0, "endsAt")]
    [InlineData(60, 30, 0, "endsAt")]
    [InlineData(60, 60 + 60 * 24 * 30 + 1, 0, "endsAt")]
    [InlineData(60 * 24 * 367, 60 * 24 * 367 + 60, 0, "startsAt")]
    [InlineData(60, 120, 60, "verifyMinutes")]
    [InlineData(60, 120, -1, "verifyMinutes")]
    public void Its_times_have_bounds(int from, int to, int verify, string field) =>
        Assert.Equal(field, Field(() => Window(Plan(Now.AddMinutes(from), Now.AddMinutes(to), verify))));

    [Fact]
    public void Its_texts_zone_and_components_have_bounds()
    {
        Assert.Equal("title", Field(() => Window(Plan() with { Title = " " })));
        Assert.Equal("title", Field(() => Window(Plan() with { Title = new string('x', 201) })));
        Assert.Equal("message", Field(() => Window(Plan() with { Message = "a\0b" })));
        Assert.Equal("zone", Field(() => Window(Plan() with { Zone = "Berlin" })));
        Assert.Equal("zone", Field(() => Window(Plan() with { Zone = "" })));
        Assert.Equal("components", Field(() => Window(Plan(components: [A, A]))));
        Assert.Equal("components", Field(() => Window(Plan() with { Components = [.. Enumerable.Range(0, 201).Select(_ => Id.New<ComponentId>(Now))] })));
        Assert.Empty(Window(Plan() with { Components = [] }).Components);
    }

    [Fact]
    public void Everything_changes_before_it_begins_and_afterwards_only_words_components_and_end()
    {
        var window = Window();
        window.Change(Plan(Now.AddHours(5), Now.AddHours(6)) with { Title = "Later" }, Cast.Alice, Now);
        Assert.Equal(("Later", Now.AddHours(5), 1), (window.Title, window.StartsAt, window.Sequence));
        var begun = Now.AddHours(5).AddMinutes(10);
        Assert.Equal("startsAt", Field(() => window.Change(window.Plan with { StartsAt = Now.AddHours(5.5) }, Cast.Alice, begun)));
        Assert.Equal("endsAt", Field(() => window.Change(window.Plan with { EndsAt = begun }, Cast.Alice, begun)));
        window.Change(window.Plan with { EndsAt = Now.AddHours(7), Message = "It takes longer." }, Cast.Alice, begun);
        Assert.Equal((Now.AddHours(5), Now.AddHours(7)), (window.StartsAt, window.EndsAt));
        Assert.Equal("status", Field(() => window.Change(window.Plan with { EndsAt = Now.AddHours(9) }, Cast.Alice, Now.AddHours(7))));
        // Who moved it when stands in the timeline, for the team alone.
        Assert.Equal(2, window.Updates.Count(u => u is { Visibility: UpdateVisibility.Internal, Author: "Alice" } && u.Body.StartsWith("Moved from", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_component_counts_from_when_it_was_named_until_it_was_taken_out()
    {
        var window = Window(Plan(components: [A, B]));
        var (starts, later) = (window.StartsAt, window.StartsAt.AddMinutes(30));
        window.Change(window.Plan with { Components = [A] }, Cast.Bob, Now);
        Assert.Equal([A], window.Scope.Select(s => s.ComponentId));
        window.Change(window.Plan with { Components = [B, C] }, Cast.Bob, later);
        Interval Of(ComponentId component) => window.Scope.Single(s => s.ComponentId == component).Covered(window.Times);
        Assert.Equal(new(starts, later), Of(A));
        Assert.Equal(new(later, window.EndsAt), Of(C));
        Assert.Equal([B, C], window.Components);
    }

    [Fact]
    public void People_may_be_faster_than_the_plan()
    {
        var window = Window(Plan(verify: 30));
        Assert.Equal("status", Field(() => window.Complete(Cast.Bob, Now)));
        Assert.Equal("status", Field(() => window.Verify(Cast.Bob, Now)));
        window.Start(Cast.Bob, Now.AddMinutes(5));
        Assert.Equal((Now.AddMinutes(5), MaintenanceStatus.InProgress), (window.StartsAt, window.StatusAt(Now.AddMinutes(5))));
        Assert.Equal("status", Field(() => window.Start(Cast.Bob, Now.AddMinutes(6))));
        Assert.Equal("status", Field(() => window.Cancel(Cast.Bob, Now.AddMinutes(6))));
        window.Verify(Cast.Bob, Now.AddMinutes(10));
        Assert.Equal(MaintenanceStatus.Verifying, window.StatusAt(Now.AddMinutes(10)));
        window.Complete(Cast.Bob, Now.AddMinutes(20));
        Assert.Equal((MaintenanceStatus.Completed, new Interval(Now.AddMinutes(5), Now.AddMinutes(20))), (window.StatusAt(Now.AddMinutes(20)), window.Times.UnderWay));
        Assert.Equal("status", Field(() => window.Complete(Cast.Bob, Now.AddMinutes(21))));
        Assert.Equal(3, window.Sequence);
    }

    [Fact]
    public void What_is_cancelled_covers_nothing_and_can_be_taken_back_until_it_would_have_begun()
    {
        var window = Window();
        window.Cancel(Cast.Bob, Now);
        Assert.True(window.Times.UnderWay.IsEmpty);
        Assert.True(window.Scope.Single().Covered(window.Times).IsEmpty);
        Assert.Equal(MaintenanceStatus.Cancelled, window.StatusAt(window.StartsAt.AddMinutes(1)));
        Assert.Equal("status", Field(() => window.Change(window.Plan, Cast.Bob, Now)));
        Assert.Equal("status", Field(() => window.Reinstate(Cast.Bob, window.StartsAt)));
        window.Reinstate(Cast.Bob, Now.AddMinutes(10));
        Assert.Equal(MaintenanceStatus.InProgress, window.StatusAt(window.StartsAt));
        Assert.Equal("status", Field(() => window.Reinstate(Cast.Bob, Now.AddMinutes(11))));
    }

    [Fact]
    public void Local_times_are_read_where_the_clocks_change()
    {
        var berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
        Assert.Equal("startsAt", Assert.Throws<DomainException>(() => WallClock.Read(new DateTime(2026, 3, 29, 2, 30, 0), berlin, "startsAt")).Field);
        Assert.Equal(new DateTimeOffset(2026, 3, 29, 1, 0, 0, TimeSpan.Zero), WallClock.Read(new DateTime(2026, 3, 29, 3, 0, 0), berlin, "x"));
        // Shown twice: the first time is meant.
        Assert.Equal(new DateTimeOffset(2026, 10, 25, 0, 30, 0, TimeSpan.Zero), WallClock.Read(new DateTime(2026, 10, 25, 2, 30, 0), berlin, "x"));
        // Over the change a night from 1 to 4 o'clock lasts two hours.
        Assert.Equal(TimeSpan.FromHours(2), WallClock.Read(new DateTime(2026, 3, 29, 4, 0, 0), berlin, "x") - WallClock.Read(new DateTime(2026, 3, 29, 1, 0, 0), berlin, "x"));
    }

    [Fact]
    public void Entries_that_nobody_wrote_have_ids_of_their_own_that_never_change()
    {
        var window = Window();
        var ids = Enum.GetValues<MaintenanceStatus>().Select(s => MaintenanceUpdateId.Of(window.Id, s)).ToList();
        Assert.Equal(ids.Count, ids.Append(new MaintenanceUpdateId(window.Id.Value)).Distinct().Count() - 1);
        Assert.Equal(ids, Enum.GetValues<MaintenanceStatus>().Select(s => MaintenanceUpdateId.Of(window.Id, s)));
        Assert.All(ids, id => Assert.Equal(7, id.Value.Version));
    }
}
