using System.Net;
using System.Net.Sockets;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Monitoring;
using Portal.Infrastructure.Monitoring;
using Portal.Tests.Support;

namespace Portal.Tests.Monitoring;

/// <summary>What an outage is held against: the target, what it depends on, or the portal's own connection.</summary>
public sealed class CausesTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    const string Root = "https://database.example/", Middle = "https://service.example/", Leaf = "https://shop.example/";

    public async Task InitializeAsync()
    {
        await using var db = database.Open();
        await db.Database.ExecuteSqlRawAsync("""
            delete from monitors; delete from check_results; delete from outages; delete from observation_gaps;
            delete from live_nodes; update shard_leases set node = '', expires_at = clock_timestamp()
            """);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    async Task<T> Read<T>(Func<Infrastructure.Persistence.PortalDbContext, Task<T>> query)
    {
        await using var db = database.Open();
        return await query(db);
    }

    Task<Outage?> Open(MonitorId id) => Read(db => db.Outages.AsNoTracking().SingleOrDefaultAsync(o => o.MonitorId == id && o.To == null));

    Task<int> Stored(MonitorId id) => Read(db => db.Checks.CountAsync(c => c.MonitorId == id));

    [Theory]
    [InlineData(60, 10)]
    [InlineData(10, 60)]
    public async Task Whatever_is_down_because_of_one_thing_names_that_one_whichever_is_confirmed_first(int rootInterval, int leafInterval)
    {
        var root = await EngineRig.Add(database, Root, rootInterval);
        var middle = await EngineRig.Add(database, Middle, 30, needs: root.Id);
        var leaf = await EngineRig.Add(database, Leaf, leafInterval, needs: middle.Id);
        var other = await EngineRig.Add(database, "https://other.example/");
        await using var rig = await new EngineRig(database).Start();
        await rig.Until(async () => await Stored(leaf.Id) >= 2 && await Stored(root.Id) >= 2 && await Stored(middle.Id) >= 2, "good results of all", 0.5);

        foreach (var target in new[] { Root, Middle, Leaf, other.Target }) rig.Probe.Failing[target] = true;
        await rig.Until(async () => await Open(root.Id) is { } r && (await Open(middle.Id))?.CausedBy == r.Id && (await Open(leaf.Id))?.CausedBy == r.Id, "one cause for all three", 0.5);
        await rig.Until(async () => await Open(other.Id) is not null, "the outage that has nothing to do with it");
        Assert.Null((await Open(root.Id))!.CausedBy);
        Assert.Null((await Open(other.Id))!.CausedBy);
    }

    [Fact]
    public async Task What_failed_while_the_other_was_still_well_has_another_cause()
    {
        var root = await EngineRig.Add(database, Root);
        var leaf = await EngineRig.Add(database, Leaf, needs: root.Id);
        await using var rig = await new EngineRig(database).Start();
        await rig.Until(async () => await Stored(root.Id) >= 2 && await Stored(leaf.Id) >= 2, "good results");
        rig.Probe.Failing[Leaf] = true;
        await rig.Until(async () => await Open(leaf.Id) is not null, "the leaf's outage");
        var seen = await Stored(root.Id);
        await rig.Until(async () => await Stored(root.Id) > seen + 1, "the root seen well after that");
        rig.Probe.Failing[Root] = true;
        await rig.Until(async () => await Open(root.Id) is not null, "the root's outage");
        Assert.Null((await Open(leaf.Id))!.CausedBy);
    }

    [Fact]
    public async Task A_failure_has_what_the_target_needs_looked_at_before_its_turn()
    {
        var root = await EngineRig.Add(database, Root, interval: 3_600);
        var leaf = await EngineRig.Add(database, Leaf, needs: root.Id);
        await using var rig = await new EngineRig(database).Start();
        await rig.Until(async () => await Stored(root.Id) == 1 && await Stored(leaf.Id) >= 2, "first results");
        rig.Probe.Failing[Root] = rig.Probe.Failing[Leaf] = true;
        var began = rig.Clock.GetTimestamp();
        await rig.Until(async () => await Open(root.Id) is { } cause && (await Open(leaf.Id))?.CausedBy == cause.Id, "the cause");
        Assert.InRange(rig.Clock.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromMinutes(2));
    }

    [Fact]
    public async Task While_the_portal_itself_reaches_nothing_failures_are_held_against_no_target_outside()
    {
        using var reference = new Reference();
        var outside = await EngineRig.Add(database, Leaf);
        await using var rig = await new EngineRig(database, connectivity: reference.Address).Start();
        await rig.Until(async () => await Stored(outside.Id) >= 2, "good results");

        // The reference answers: the failure is the target's.
        rig.Probe.NothingAnswers = true;
        await rig.Until(async () => await Open(outside.Id) is not null, "an outage while the reference answers");
        rig.Probe.NothingAnswers = false;
        await rig.Until(async () => await Open(outside.Id) is null, "its end");

        await reference.Cut();
        rig.Probe.NothingAnswers = true;
        await rig.Until(() => rig.Engine.UnjudgedChecks > 0, "a check that is held against nobody");
        await rig.Until(async () => (await Read(db => db.MonitorStates.SingleAsync(s => s.MonitorId == outside.Id))).UnjudgedSince is not null, "staff being told");
        var judged = await Stored(outside.Id);
        var unjudged = rig.Engine.UnjudgedChecks;
        await rig.Until(() => rig.Engine.UnjudgedChecks >= unjudged + 5, "five more");
        Assert.Null(await Open(outside.Id));
        Assert.Equal(judged, await Stored(outside.Id));

        // Back: what nobody could see is recorded as that.
        rig.Probe.NothingAnswers = false;
        await rig.Until(async () => await Stored(outside.Id) > judged, "a result");
        await rig.Until(async () => await Read(db => db.ObservationGaps.AnyAsync(g => g.MonitorId == outside.Id && g.Reason == ObservationGap.NoConnection)), "the gap");
        Assert.Null((await Read(db => db.MonitorStates.SingleAsync(s => s.MonitorId == outside.Id))).UnjudgedSince);
        Assert.Equal(1, await Read(db => db.Outages.CountAsync()));
    }

    [Fact]
    public async Task A_target_that_answers_is_proof_enough_and_one_thousand_failures_ask_once()
    {
        using var reference = new Reference();
        var clock = new FakeClock();
        var connection = new OwnConnection([reference.Address], clock);
        var began = clock.GetTimestamp();
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 1_000).Select(_ => connection.Works(began, default))), Assert.True);
        Assert.InRange(reference.Calls, 1, 3);

        await reference.Cut();
        clock.FastForward(TimeSpan.FromSeconds(2));
        var asked = connection.Works(clock.GetTimestamp(), default);
        clock.FastForward(TimeSpan.FromSeconds(4));
        Assert.False(await asked);
        began = clock.GetTimestamp();
        clock.FastForward(TimeSpan.FromSeconds(1));
        connection.Reached();
        Assert.True(await connection.Works(began, default));
        // Without references nothing is ever excused.
        Assert.True(await new OwnConnection([], clock).Works(clock.GetTimestamp(), default));
    }

    /// <summary>A place out there that takes connections, until nothing comes back from it any more.</summary>
    sealed class Reference : IDisposable
    {
        readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        readonly List<TcpClient> waiting = [];
        readonly Task taking;
        volatile bool cut;
        int calls;

        public Reference()
        {
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            // Room for one caller who waits to be taken.
            listener.Listen(0);
            Address = new DnsEndPoint("127.0.0.1", ((IPEndPoint)listener.LocalEndPoint!).Port);
            taking = Take();
        }

        public DnsEndPoint Address { get; }
        public int Calls => Volatile.Read(ref calls);

        async Task Take()
        {
            while (!cut)
            {
                using var caller = await listener.AcceptAsync();
                Interlocked.Increment(ref calls);
            }
        }

        /// <summary>From now on nobody is taken and the only place to wait is: whoever comes hears nothing, as behind a cable that was cut.</summary>
        public async Task Cut()
        {
            cut = true;
            while (!taking.IsCompleted) await Call();
            await Call();
        }

        async Task Call()
        {
            var client = new TcpClient();
            waiting.Add(client);
            await client.ConnectAsync(IPAddress.Loopback, Address.Port);
            await Task.WhenAny(taking, Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, default));
        }

        public void Dispose()
        {
            foreach (var client in waiting) client.Dispose();
            listener.Dispose();
        }
    }
}
