using System.Net.Sockets;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Redis;
using Portal.Tests.Support;

namespace Portal.Tests.Redis;

public class RedisBusTests
{
    [Fact]
    public async Task What_one_node_tells_another_hears_within_a_second_and_another_installation_does_not()
    {
        await using var redis = await ShakenRedis.Start("--requirepass", "secret");
        var place = $"{redis.Address},password=secret";
        await using var one = await RedisRig.Start(place);
        await using var other = await RedisRig.Start(place);
        await using var stranger = await RedisRig.Start(place, "bbbb");
        await one.TellUntilHeard(other, "warm");
        await stranger.TellUntilHeard(stranger, "strange");

        var began = TimeProvider.System.GetTimestamp();
        one.Bus.Tell(Announcement.Of(["page", "incidents"], 100_000_007));
        await Soon.Comes(() => other.HasHeard("page") && other.HasHeard("incidents"), "both topics are heard");
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(1));
        Assert.False(stranger.HasHeard("page"));
        Assert.False(other.HasHeard("strange"));
        Assert.True(one.Bus.Figures.Sent >= 2);
    }

    [Fact]
    public async Task A_wrong_password_is_told_without_it_and_nothing_is_thrown()
    {
        await using var redis = await ShakenRedis.Start("--requirepass", "secret");
        await using var rig = await RedisRig.Start($"{redis.Address},password=hunter2");
        await Soon.Comes(() => rig.Log.With("Redis cannot be reached").Count == 1, "the log says it once");
        rig.Bus.Tell(Announcement.Of(["page"]));
        await Soon.Comes(() => rig.Bus.Figures.Lost >= 1, "what cannot be sent is counted");
        Assert.DoesNotContain(rig.Log.All, l => l.Text.Contains("hunter2", StringComparison.Ordinal));
    }

    [Fact]
    public async Task It_starts_without_redis_and_hears_once_that_is_there()
    {
        await using var redis = ShakenRedis.NotStarted();
        await using var one = await RedisRig.Start(redis.Address);
        await using var other = await RedisRig.Start(redis.Address);
        await Soon.Comes(() => one.Log.With("Redis cannot be reached").Count == 1, "the log says it once");
        await redis.StartAgain();
        await one.TellUntilHeard(other, "page");
        Assert.Single(one.Log.With("Redis cannot be reached"));
    }

    [Fact]
    public async Task Killed_and_started_again_it_is_connected_and_subscribed_again()
    {
        await using var redis = await ShakenRedis.Start();
        await using var one = await RedisRig.Start(redis.Address);
        await using var other = await RedisRig.Start(redis.Address);
        await one.TellUntilHeard(other, "before");
        redis.Kill();
        await Soon.Comes(() => one.Log.With("Redis cannot be reached").Count == 1, "the loss is told");
        await redis.StartAgain();
        await one.TellUntilHeard(other, "after");
        Assert.Single(one.Log.With("Redis is reached again"));
    }

    [Fact]
    public async Task While_redis_hangs_telling_takes_no_time_and_what_waits_is_bounded()
    {
        await using var redis = await ShakenRedis.Start();
        await using var one = await RedisRig.Start(redis.Address);
        await using var other = await RedisRig.Start(redis.Address);
        await one.TellUntilHeard(other, "before");
        redis.Freeze();
        var began = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < 20_000; i++) one.Bus.Tell(Announcement.Of(["flood"], i));
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(2));
        Assert.True(one.Bus.Figures.Lost > 15_000, $"{one.Bus.Figures}");
        redis.Thaw();
        await one.TellUntilHeard(other, "after");
        Assert.True(other.HasHeard("flood"));
    }

    [Fact]
    public async Task A_flood_is_folded_into_few_messages()
    {
        await using var redis = await ShakenRedis.Start();
        await using var one = await RedisRig.Start(redis.Address);
        await using var other = await RedisRig.Start(redis.Address);
        await one.TellUntilHeard(other, "before");
        var before = other.MessagesHeard;
        for (var i = 0; i < 1_000; i++) one.Bus.Tell(Announcement.Of(["page", "monitors"], i));
        await one.TellUntilHeard(other, "after");
        await Soon.Comes(() => one.Bus.Figures is { Lost: 0, Sent: > 1_000 }, "all were sent");
        Assert.InRange(other.MessagesHeard - before, 1, 500);
    }

    [Fact]
    public async Task What_is_folded_is_never_longer_than_what_others_read()
    {
        await using var redis = await ShakenRedis.Start();
        await using var other = await RedisRig.Start(redis.Address);
        await other.TellUntilHeard(other, "before");
        await using var one = new RedisRig(redis.Address);
        await one.Connection.StartAsync(default);
        await Soon.Comes(() => one.Connection.IsConnected, "a connection");
        // All of it waits when the bus begins: some that fit together, and behind it what one batch of checks tells.
        for (var i = 0; i < 60; i++) one.Bus.Tell(Announcement.Of([$"incident:{i:00000000000000000000}"], i));
        one.Bus.Tell(Announcement.Of([.. Enumerable.Range(0, 150).Select(i => $"monitor:{i:00000000000000000000000000000000}"), "checks"]));
        one.Bus.Tell(Announcement.Of(["after"]));
        await one.Bus.StartAsync(default);
        await Soon.Comes(() => other.HasHeard("after"), "the last one");
        Assert.Equal(62, one.Bus.Figures.Sent);
        Assert.True(other.HasHeard("checks"));
        Assert.All(Enumerable.Range(0, 60), i => Assert.True(other.HasHeard($"incident:{i:00000000000000000000}")));
    }

    [Fact]
    public async Task The_way_to_a_socket_is_open_again_after_the_process_had_no_descriptor_left()
    {
        using var folder = new ScratchFolder();
        Directory.CreateDirectory(folder.Path);
        await using var redis = await ShakenRedis.Start("--unixsocket", folder["redis.sock"]);
        var (clock, log, failures) = (new FakeClock(), new LogLines(), 0);
        using var relay = new SocketRelay(folder["redis.sock"], clock, log.CreateLogger("relay"), (from, ct) => Interlocked.Increment(ref failures) <= 3 ? throw new SocketException((int)SocketError.TooManyOpenSockets) : from.AcceptSocketAsync(ct));
        await Soon.Comes(() =>
        {
            clock.FastForward(TimeSpan.FromSeconds(1));
            return Volatile.Read(ref failures) > 3;
        }, "the next attempts");
        using var client = new TcpClient(AddressFamily.InterNetwork);
        await client.ConnectAsync(relay.Address);
        await client.GetStream().WriteAsync("PING\r\n"u8.ToArray());
        using var answers = new StreamReader(client.GetStream());
        Assert.Equal("+PONG", await answers.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Single(log.All);
    }

    [Fact]
    public async Task A_unix_socket_works_with_a_password_and_is_found_again()
    {
        using var folder = new ScratchFolder();
        Directory.CreateDirectory(folder.Path);
        await using var redis = await ShakenRedis.Start("--unixsocket", folder["redis.sock"], "--requirepass", "secret");
        await using var one = await RedisRig.Start($"unix:{folder["redis.sock"]},password=secret");
        await using var other = await RedisRig.Start($"unix:{folder["redis.sock"]},password=secret");
        await one.TellUntilHeard(other, "page");
        redis.Kill();
        await Soon.Comes(() => one.Log.With("Redis cannot be reached").Count == 1, "the loss is told");
        await redis.StartAgain();
        await one.TellUntilHeard(other, "after");
    }

    [FactAsRoot]
    public async Task The_way_to_a_socket_is_open_to_the_portals_own_user_alone()
    {
        using var folder = new ScratchFolder();
        Directory.CreateDirectory(folder.Path);
        await using var redis = await ShakenRedis.Start("--unixsocket", folder["redis.sock"]);
        using var relay = new SocketRelay(folder["redis.sock"], TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        async Task<string> Ask(params string[] user)
        {
            var talk = $"exec 3<>/dev/tcp/127.0.0.1/{relay.Address.Port}; printf 'PING\\r\\n' >&3; read -t 10 -r answer <&3; echo \"heard $answer\"";
            using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("setpriv", [.. user, "bash", "-c", talk]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            return (await process.StandardOutput.ReadToEndAsync()).Trim();
        }
        Assert.Equal("heard +PONG", await Ask("--clear-groups"));
        Assert.Equal("heard", await Ask("--reuid=65534", "--regid=65534", "--clear-groups"));
    }

    [Fact]
    public void What_comes_from_outside_is_bounded()
    {
        Assert.Empty(Announcement.Read(new string('x', 10_000)).Topics);
        Assert.Equal(["page"], Announcement.Read($"page,{new string('x', 200)},@abc.1.7").Topics);
        Assert.Equal(7, Announcement.VersionIn(Announcement.Read("page,@abc.1.7").Names.Single()));
        Assert.Null(Announcement.VersionIn("@abc.1"));
        Assert.Null(Announcement.VersionIn("@"));
    }
}
