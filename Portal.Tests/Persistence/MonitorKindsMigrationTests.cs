using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Portal.Domain.Monitoring;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Support;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Tests.Persistence;

/// <summary>A version that knows HTTP alone can be gone back to, and what it could not run is there again afterwards.</summary>
public sealed class MonitorKindsMigrationTests : IAsyncLifetime
{
    static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();
    readonly Migrator migrator = new(NullLogger<Migrator>.Instance);
    string connection = "";
    NpgsqlDataSource source = null!;

    public async Task InitializeAsync()
    {
        connection = await PostgresServer.Empty();
        source = Database.Connect(connection);
    }

    public async Task DisposeAsync()
    {
        await source.DisposeAsync();
        await PostgresServer.Drop(connection);
    }

    PortalDbContext Open() => new(Database.OptionsFor(source));

    Task Up() => migrator.Up(source, _ => Task.CompletedTask, (_, _) => Task.CompletedTask, default);

    async Task Down()
    {
        await using var db = Open();
        var before = (await Migrator.State(db, default)).Applied.TakeWhile(m => !m.EndsWith("_MonitorKinds", StringComparison.Ordinal)).Last();
        await migrator.Down(source, before, _ => Task.CompletedTask, default);
    }

    async Task<object?> Scalar(string sql)
    {
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    static Monitor New(string name, MonitorKind kind, string target, MonitorOptions? options = null, bool builtIn = false) =>
        new(new MonitorSettings(name, kind, target, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10), null, Options: options), Now, builtIn);

    [Fact]
    public async Task Other_kinds_are_set_aside_on_the_way_down_and_whole_on_the_way_up()
    {
        await Up();
        var plain = New("Plain", MonitorKind.Http, "https://shop.example/");
        var expecting = New("Expecting", MonitorKind.Http, "https://shop.example/health", new() { ExpectText = "ok" });
        var gone = New("Deleted meanwhile", MonitorKind.Http, "https://shop.example/gone", new() { ExpectText = "ok" });
        var posting = New("Posting", MonitorKind.Http, "https://shop.example/orders", new() { Method = "POST", Body = "{}" });
        posting.Keep(["X-Key"], [1, 2, 255], Now);
        var port = New("Port", MonitorKind.Tcp, "db.example:5432");
        var beat = New("Beat", MonitorKind.Heartbeat, "", new() { Cron = "30 3 * * *", Zone = "Europe/Berlin" });
        var hub = New("Live hub", MonitorKind.Websocket, "self:/hubs/status", new() { ExpectText = "{}" }, builtIn: true);
        var heard = new Heartbeat(beat.Id, [7, 8, 9], Now);
        heard.Hear(HeartbeatSignal.Ping, null, Now);
        await using (var db = Open())
        {
            db.AddRange(plain, expecting, gone, posting, port, beat, hub, heard);
            db.AddRange(new MonitorState(plain.Id, Now), new MonitorState(port.Id, Now));
            db.Add(new Outage(port, Now.AddHours(-1), null, []));
            db.Add(new Outage(plain, Now.AddHours(-1), null, []));
            await db.SaveChangesAsync();
        }
        await Down();
        Assert.Equal("Deleted meanwhile, Expecting, Live hub, Plain", await Scalar("select string_agg(name, ', ' order by name) from monitors"));
        Assert.Equal("Http self:/health/parts/live-hub", await Scalar("select kind || ' ' || target from monitors where built_in"));
        Assert.Equal("Plain", await Scalar("select string_agg(monitor_name, ', ') from outages where ended_at is null"));
        await Scalar("delete from monitors where name = 'Deleted meanwhile'");

        await Up();
        await using var after = Open();
        var all = await after.Monitors.AsNoTracking().ToDictionaryAsync(m => m.Name);
        Assert.Equal(["Beat", "Expecting", "Live hub", "Plain", "Port", "Posting"], all.Keys.Order());
        Assert.Equal(posting.Settings, all["Posting"].Settings);
        Assert.Equal("X-Key", Assert.Single(all["Posting"].SecretNames));
        Assert.Equal([1, 2, 255], all["Posting"].SealedSecrets);
        Assert.Equal(expecting.Options, all["Expecting"].Options);
        Assert.Equal((port.Id, port.Shard, MonitorKind.Tcp, "tcp://db.example:5432"), (all["Port"].Id, all["Port"].Shard, all["Port"].Kind, all["Port"].Target));
        Assert.Equal(beat.Options, all["Beat"].Options);
        var restored = await after.Heartbeats.AsNoTracking().SingleAsync();
        Assert.Equal([7, 8, 9], restored.KeyHash);
        Assert.Equal(Now, restored.LastPingAt!.Value, TimeSpan.FromMilliseconds(1));
        Assert.Equal(2, await after.MonitorStates.CountAsync());
        Assert.Equal(0L, await Scalar("select count(*) from settings where key = 'monitors.kinds'"));
        await Down();
        await Up();
        Assert.Equal(6L, await Scalar("select count(*) from monitors"));
    }

    [Fact]
    public async Task Whoever_has_none_of_them_goes_down_and_up_untouched()
    {
        await Up();
        await using (var db = Open())
        {
            db.Add(New("Plain", MonitorKind.Http, "https://shop.example/"));
            await db.SaveChangesAsync();
        }
        await Down();
        Assert.Equal(0L, await Scalar("select count(*) from settings where key = 'monitors.kinds'"));
        await Up();
        Assert.Equal(1L, await Scalar("select count(*) from monitors"));
    }
}
