using System.Net;
using System.Net.Sockets;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.Monitoring;
using Portal.Features.Monitoring.Engine;
using Portal.Hosting;
using Portal.Infrastructure.Monitoring;
using Portal.Tests.Support;

namespace Portal.Tests.Monitoring;

public sealed class MonitorUseCaseTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    static readonly Dictionary<string, string> Names = new() { ["shop.example"] = "93.184.216.34", ["inner.example"] = "10.1.2.3" };
    readonly FakeClock clock = new();
    readonly ScriptedProbe probe = new();

    TargetConsent Consent => new(new GuardedConnector(
        (host, _) => Task.FromResult<IReadOnlyList<IPAddress>>(IPAddress.TryParse(host, out var literal) ? [literal]
            : Names.TryGetValue(host, out var address) ? [IPAddress.Parse(address)] : throw new SocketException((int)SocketError.HostNotFound)),
        NameResolver.Open), clock);
    CreateMonitor Create => new(database.Contexts, Consent, Sealing.Secrets, clock);
    ChangeMonitor Change => new(database.Contexts, Consent, Sealing.Secrets, clock);

    static MonitorSettings Settings(string target = "https://shop.example/", ComponentId? component = null) =>
        new("Shop", MonitorKind.Http, target, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10), component);

    async Task<Domain.Monitoring.Monitor> Read(MonitorId id)
    {
        await using var db = database.Open();
        return await db.Monitors.AsNoTracking().SingleAsync(m => m.Id == id);
    }

    [Fact]
    public async Task A_monitor_is_stored_with_its_state_and_who_made_it()
    {
        var id = await Create.Execute(new(Settings()), Cast.Bob, default);
        var monitor = await Read(id);
        Assert.Equal(("https://shop.example/", false, id.Shard), (monitor.Target, monitor.AllowPrivate, monitor.Shard));
        await using var db = database.Open();
        Assert.Equal(MonitorHealth.Unknown, (await db.MonitorStates.SingleAsync(s => s.MonitorId == id)).Health);
        Assert.Equal("Bob", (await db.Audit.SingleAsync(a => a.Subject == id.ToString())).ActorName);
    }

    [Fact]
    public async Task Whoever_may_not_is_refused_in_every_use_case()
    {
        var id = await Create.Execute(new(Settings()), Cast.Bob, default);
        var (contexts, outsider) = (database.Contexts, Cast.Charlie);
        await Assert.ThrowsAsync<ForbiddenException>(() => Create.Execute(new(Settings()), outsider, default));
        await Assert.ThrowsAsync<ForbiddenException>(() => Change.Execute(new(id, Settings()), outsider, default));
        await Assert.ThrowsAsync<ForbiddenException>(() => Change.Execute(new(id, Paused: true), outsider, default));
        await Assert.ThrowsAsync<ForbiddenException>(() => new DeleteMonitor(contexts, clock).Execute(id, outsider, default));
        await Assert.ThrowsAsync<ForbiddenException>(() => new CheckMonitorNow(contexts, clock).Execute(id, outsider, default));
        await Assert.ThrowsAsync<ForbiddenException>(() => Try().Execute(new(Settings()), outsider, default));
        await Assert.ThrowsAsync<ForbiddenException>(() => new MonitorList(contexts, clock).Load(new(), null, 10, outsider, default));
        await Assert.ThrowsAsync<ForbiddenException>(() => new MonitorHistory(contexts).LoadChecks(id, null, 10, outsider, default));
    }

    [Fact]
    public async Task Of_what_it_depends_on_all_must_exist_and_no_circle_closes_and_a_deleted_one_is_forgotten()
    {
        var database1 = await Create.Execute(new(Settings() with { Name = "Database" }), Cast.Bob, default);
        var service = await Create.Execute(new(Settings() with { Name = "Service", DependsOn = [database1] }), Cast.Bob, default);
        var shop = await Create.Execute(new(Settings() with { Name = "Shop", DependsOn = [service, service] }), Cast.Bob, default);
        Assert.Equal([service], (await Read(shop)).DependsOn);

        var circle = await Assert.ThrowsAsync<DomainException>(() => Change.Execute(new(database1, Settings() with { DependsOn = [shop] }), Cast.Bob, default));
        Assert.Equal("dependsOn", circle.Field);
        Assert.Contains("Service depends on this monitor already", circle.Message, StringComparison.Ordinal);
        var unknown = await Assert.ThrowsAsync<DomainException>(() => Create.Execute(new(Settings() with { DependsOn = [MonitorId.From(Guid.Parse("00000000-0000-7000-8000-000000000001"))] }), Cast.Bob, default));
        Assert.Equal("dependsOn", unknown.Field);
        Assert.Equal("dependsOn", (await Assert.ThrowsAsync<DomainException>(() => Change.Execute(new(shop, Settings() with { DependsOn = [shop] }), Cast.Bob, default))).Field);
        Assert.Empty((await Read(database1)).DependsOn);

        await new DeleteMonitor(database.Contexts, clock).Execute(service, Cast.Bob, default);
        Assert.Empty((await Read(shop)).DependsOn);
    }

    [Fact]
    public async Task Two_edits_at_the_same_moment_cannot_close_a_circle()
    {
        for (var round = 0; round < 5; round++)
        {
            var (a, b) = (await Create.Execute(new(Settings()), Cast.Bob, default), await Create.Execute(new(Settings()), Cast.Bob, default));
            var edits = new[] { Change.Execute(new(a, Settings() with { DependsOn = [b] }), Cast.Bob, default), Change.Execute(new(b, Settings() with { DependsOn = [a] }), Cast.Bob, default) };
            await Task.WhenAll(edits.Select(e => e.ContinueWith(_ => { }, TaskScheduler.Default)));
            var refused = Assert.Single(edits, e => e.IsFaulted);
            Assert.Equal("dependsOn", Assert.IsType<DomainException>(refused.Exception!.InnerException).Field);
        }
    }

    [Fact]
    public async Task A_stale_edit_is_refused()
    {
        var id = await Create.Execute(new(Settings()), Cast.Bob, default);
        var version = (await Read(id)).Version;
        await Change.Execute(new(id, Settings() with { Name = "First" }, Version: version), Cast.Bob, default);
        await Assert.ThrowsAsync<ConflictException>(() => Change.Execute(new(id, Settings() with { Name = "Second" }, Version: version), Cast.Alice, default));
        Assert.Equal("First", (await Read(id)).Name);
    }

    [Fact]
    public async Task An_edit_with_a_pause_is_saved_whole_or_not_at_all()
    {
        var id = await Create.Execute(new(Settings()), Cast.Bob, default);
        var seen = await Read(id);
        await Assert.ThrowsAsync<DomainException>(() => Change.Execute(new(id, Settings() with { Name = "" }, Paused: true), Cast.Bob, default));
        await Assert.ThrowsAsync<DomainException>(() => Change.Execute(new(id, Settings("http://10.0.0.1/"), Paused: true), Cast.Bob, default));
        await Assert.ThrowsAsync<DomainException>(() => Change.Execute(new(id, Settings(component: Id.New<ComponentId>(clock.GetUtcNow())), Paused: true), Cast.Bob, default));
        await Assert.ThrowsAsync<ConflictException>(() => Change.Execute(new(id, Settings() with { Name = "Stale" }, Paused: true, Version: seen.Version + 1), Cast.Bob, default));
        await Assert.ThrowsAsync<ConflictException>(() => Change.Execute(new(id, Paused: true, Version: seen.Version + 1), Cast.Bob, default));
        Assert.Equal(((DateTimeOffset?)null, seen.Version), ((await Read(id)).PausedAt, (await Read(id)).Version));
        Assert.Equal(["monitor.created"], await AuditOf(id));

        var before = await PageVersion();
        await Change.Execute(new(id, Settings() with { Name = "Both" }, Paused: true, Version: seen.Version), Cast.Bob, default);
        Assert.Equal(("Both", (DateTimeOffset?)clock.GetUtcNow()), ((await Read(id)).Name, (await Read(id)).PausedAt));
        Assert.Equal(before + 1, await PageVersion());
        Assert.Equal(["monitor.created", "monitor.changed", "monitor.paused"], await AuditOf(id));
    }

    [Fact]
    public async Task A_pause_alone_is_no_edit_and_one_that_stands_is_none_at_all()
    {
        var id = await Create.Execute(new(Settings()), Cast.Bob, default);
        foreach (var paused in new[] { true, true, false, false }) await Change.Execute(new(id, Paused: paused), Cast.Bob, default);
        Assert.Equal(["monitor.created", "monitor.paused", "monitor.resumed"], await AuditOf(id));
    }

    async Task<List<string>> AuditOf(MonitorId id)
    {
        await using var db = database.Open();
        return await db.Audit.Where(a => a.Subject == id.ToString()).OrderBy(a => a.Sequence).Select(a => a.Action).ToListAsync();
    }

    async Task<long> PageVersion()
    {
        await using var db = database.Open();
        return await db.PageVersions.Select(p => p.Version).SingleAsync();
    }

    [Fact]
    public async Task A_component_that_is_not_there_is_refused_by_its_field()
    {
        var refusal = await Assert.ThrowsAsync<DomainException>(() => Create.Execute(new(Settings(component: Id.New<ComponentId>(clock.GetUtcNow()))), Cast.Bob, default));
        Assert.Equal("component", refusal.Field);
    }

    [Fact]
    public async Task A_chart_for_customers_is_a_choice_of_one_line_and_the_page_has_room_for_six()
    {
        await using var own = new OwnDatabase();
        await own.Database.InitializeAsync();
        var (create, change) = (new CreateMonitor(own.Database.Contexts, Consent, Sealing.Secrets, clock), new ChangeMonitor(own.Database.Contexts, Consent, Sealing.Secrets, clock));
        async Task<DomainException> Refused(string title) => await Assert.ThrowsAsync<DomainException>(() => create.Execute(new(Settings() with { PublicChart = title }), Cast.Bob, default));
        foreach (var wrong in new[] { new string('x', 101), "Two\nlines", "A\ttab", "\u0001" }) Assert.Equal("publicChart", (await Refused(wrong)).Field);

        var none = await create.Execute(new(Settings()), Cast.Bob, default);
        var ids = new List<MonitorId>();
        for (var i = 0; i < Domain.Monitoring.Monitor.MostPublicCharts; i++) ids.Add(await create.Execute(new(Settings() with { PublicChart = $" Chart {i} " }), Cast.Bob, default));
        await using (var db = own.Database.Open())
        {
            Assert.Null((await db.Monitors.SingleAsync(m => m.Id == none)).PublicChart);
            Assert.Equal("Chart 0", (await db.Monitors.SingleAsync(m => m.Id == ids[0])).PublicChart);
            Assert.EndsWith("chart on the status page: Chart 0", (await db.Audit.SingleAsync(a => a.Subject == ids[0].ToString())).Summary, StringComparison.Ordinal);
        }
        Assert.Contains("room for 6 charts", (await Refused("Seventh")).Message, StringComparison.Ordinal);
        Assert.Equal("publicChart", (await Assert.ThrowsAsync<DomainException>(() => change.Execute(new(none, Settings() with { PublicChart = "Seventh" }), Cast.Bob, default))).Field);
        await change.Execute(new(ids[0], Settings() with { PublicChart = "Renamed" }), Cast.Bob, default);
        await change.Execute(new(ids[1], Settings() with { PublicChart = "   " }), Cast.Bob, default);
        await change.Execute(new(none, Settings() with { PublicChart = "Seventh" }), Cast.Bob, default);
        await using var after = own.Database.Open();
        Assert.Equal(["Chart 2", "Chart 3", "Chart 4", "Chart 5", "Renamed", "Seventh"], await after.Monitors.Where(m => m.PublicChart != null).Select(m => m.PublicChart!).OrderBy(t => t).ToListAsync());

        // The last place is free and eight want it at once.
        await change.Execute(new(none, Settings()), Cast.Bob, default);
        var wanted = await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
        {
            try { return (await create.Execute(new(Settings() with { Name = $"Wanted {i}", PublicChart = $"Wanted {i}" }), Cast.Bob, default)).ToString(); }
            catch (DomainException e) { return e.Field; }
        }));
        Assert.Equal(7, wanted.Count(w => w == "publicChart"));
        Assert.Equal(Domain.Monitoring.Monitor.MostPublicCharts, await after.Monitors.CountAsync(m => m.PublicChart != null));
    }

    [Fact]
    public async Task Critical_monitors_stand_first_and_the_list_goes_on_after_them()
    {
        var ids = new List<MonitorId>();
        for (var i = 0; i < 6; i++)
        {
            ids.Add(await Create.Execute(new(Settings() with { Name = $"Ranked {i}", Critical = i is 2 or 4 }), Cast.Bob, default));
            clock.FastForward(TimeSpan.FromSeconds(1));
        }
        MonitorId[] expected = [ids[2], ids[4], ids[0], ids[1], ids[3], ids[5]];
        var list = new MonitorList(database.Contexts, clock);
        var read = new List<MonitorId>();
        MonitorList.Place? place = null;
        while (await list.Load(new(Search: "Ranked"), place, 1, Cast.Bob, default) is [var row])
        {
            read.Add(row.Monitor.Id);
            Assert.Equal(row.Place, place = MonitorList.Place.Parse(row.Place.ToString()));
        }
        Assert.Equal(expected, read);

        // Where a reader stands does not move with the monitor that stood there.
        var third = (await list.Load(new(Search: "Ranked"), null, 3, Cast.Bob, default))[^1];
        await Change.Execute(new(third.Monitor.Id, Settings() with { Name = "Ranked 0", Critical = true }), Cast.Bob, default);
        Assert.Equal(expected.Skip(3), (await list.Load(new(Search: "Ranked"), third.Place, 9, Cast.Bob, default)).Select(r => r.Monitor.Id));
        await new DeleteMonitor(database.Contexts, clock).Execute(third.Monitor.Id, Cast.Bob, default);
        Assert.Equal(expected.Skip(3), (await list.Load(new(Search: "Ranked"), third.Place, 9, Cast.Bob, default)).Select(r => r.Monitor.Id));
        Assert.All((string[])["", "c", "x" + third.Monitor.Id, third.Monitor.Id.ToString(), "n"], text => Assert.Null(MonitorList.Place.Parse(text)));
    }

    TryMonitor Try(TryBrake? brake = null) => new(database.Contexts, Consent, new CheckRunner([probe], new PortalAddress(Configured.Shipped, null!), Sealing.Secrets), Sealing.Secrets, brake ?? new TryBrake(clock), clock);

    [Fact]
    public async Task Trying_stores_no_result_and_is_limited()
    {
        var trying = Try(new TryBrake(clock));
        await using var db = database.Open();
        var checks = await db.Checks.CountAsync();
        Assert.Equal(CheckOutcome.Up, (await trying.Execute(new(Settings()), Cast.Bob, default)).Outcome);
        Assert.Equal("https://shop.example/", Assert.Single(probe.Looks));
        Assert.Equal(checks, await db.Checks.CountAsync());
        Assert.Equal("target", (await Assert.ThrowsAsync<DomainException>(() => trying.Execute(new(Settings("http://10.0.0.1/")), Cast.Bob, default))).Field);
        Assert.Single(probe.Looks);
        for (var i = 2; i < TryBrake.PerMinute; i++) await trying.Execute(new(Settings()), Cast.Bob, default);
        clock.FastForward(TimeSpan.FromSeconds(20));
        var refused = await Assert.ThrowsAsync<TooOftenException>(() => trying.Execute(new(Settings()), Cast.Bob, default));
        Assert.Equal(("You tried 10 times within a minute. The next try is possible in 40 s.", TimeSpan.FromSeconds(40)), (refused.Message, refused.Wait));
        await trying.Execute(new(Settings()), Cast.Alice, default);
        clock.FastForward(TimeSpan.FromMinutes(1));
        await trying.Execute(new(Settings()), Cast.Bob, default);
    }

    [Fact]
    public async Task A_monitor_that_nobody_looks_at_any_more_is_unknown_and_an_outage_stands()
    {
        var (up, down) = (await Create.Execute(new(Settings() with { Name = "Unseen up" }), Cast.Bob, default), await Create.Execute(new(Settings() with { Name = "Unseen down", FailuresBeforeDown = 1 }), Cast.Bob, default));
        var began = clock.GetUtcNow();
        await using var db = database.Open();
        foreach (var (id, outcome) in new[] { (up, CheckOutcome.Up), (down, CheckOutcome.Down) })
            (await db.MonitorStates.SingleAsync(s => s.MonitorId == id)).Apply(new CheckResult(id, began, TimeSpan.FromMilliseconds(80), outcome, null, null), await db.Monitors.SingleAsync(m => m.Id == id));
        await db.SaveChangesAsync();
        var list = new MonitorList(database.Contexts, clock);
        async Task<string> Found(MonitorCondition condition) => string.Join(' ', (await list.Load(new(condition, "Unseen"), null, 9, Cast.Bob, default)).Select(v => $"{v.Monitor.Name} is {v.Condition}"));
        // Three intervals and the time-out.
        clock.FastForward(TimeSpan.FromSeconds(190));
        Assert.Equal(("Unseen up is Up", "Unseen down is Down", ""), (await Found(MonitorCondition.Up), await Found(MonitorCondition.Down), await Found(MonitorCondition.Unknown)));
        var before = await list.Count(Cast.Bob, default);
        clock.FastForward(TimeSpan.FromSeconds(1));
        Assert.Equal(("", "Unseen down is Down", "Unseen up is Unknown"), (await Found(MonitorCondition.Up), await Found(MonitorCondition.Down), await Found(MonitorCondition.Unknown)));
        var after = await list.Count(Cast.Bob, default);
        Assert.Equal((before[MonitorCondition.Up] - 1, before.GetValueOrDefault(MonitorCondition.Unknown) + 1), (after.GetValueOrDefault(MonitorCondition.Up), after[MonitorCondition.Unknown]));
        var one = await list.LoadOne(up, Cast.Bob, default);
        Assert.Equal((MonitorCondition.Unknown, began, (DateTimeOffset?)began), (one.Condition, one.Since, one.SilentSince));
        Assert.Equal(MonitorCondition.Down, (await list.LoadSome([down], Cast.Bob, default))[0].Condition);
        // Edited: the next check is awaited from then on.
        await Change.Execute(new(up, Settings() with { Name = "Unseen up again" }), Cast.Bob, default);
        Assert.Equal("Unseen up again is Up", await Found(MonitorCondition.Up));
    }

    [Fact]
    public async Task The_list_filters_counts_and_goes_on_where_it_ended()
    {
        var ids = new List<MonitorId>();
        for (var i = 0; i < 5; i++)
        {
            ids.Add(await Create.Execute(new(Settings() with { Name = $"Listed 100%_{i}" }), Cast.Bob, default));
            clock.FastForward(TimeSpan.FromSeconds(1));
        }
        await Change.Execute(new(ids[2], Paused: true), Cast.Bob, default);
        var list = new MonitorList(database.Contexts, clock);
        var first = await list.Load(new(Search: "listed 100%_"), null, 3, Cast.Bob, default);
        Assert.Equal(ids.Take(3), first.Select(r => r.Monitor.Id));
        Assert.Equal(ids.Skip(3), (await list.Load(new(Search: "100%_"), first[^1].Place, 3, Cast.Bob, default)).Select(r => r.Monitor.Id));
        Assert.Empty(await list.Load(new(Search: "100_%"), null, 3, Cast.Bob, default));
        Assert.Equal(ids[2], Assert.Single(await list.Load(new(MonitorCondition.Paused, "Listed"), null, 9, Cast.Bob, default)).Monitor.Id);
        Assert.Equal(4, (await list.Load(new(MonitorCondition.Unknown, "Listed"), null, 9, Cast.Bob, default)).Count);
        Assert.True((await list.Count(Cast.Bob, default))[MonitorCondition.Paused] >= 1);
    }

    sealed class OwnDatabase : IAsyncDisposable
    {
        public TestDatabase Database { get; } = new();
        public async ValueTask DisposeAsync() => await Database.DisposeAsync();
    }
}
