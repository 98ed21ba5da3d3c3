using Portal.Tests.Support;

namespace Portal.Tests.Redis;

/// <summary>A real Redis that a test can kill, freeze and start again at the same place.</summary>
sealed class ShakenRedis : IAsyncDisposable
{
    readonly string[] options;
    RedisServer server = null!;

    ShakenRedis(int port, string[] options) => (Port, this.options) = (port, options);

    public int Port { get; }
    public string Address => $"127.0.0.1:{Port}";

    public static async Task<ShakenRedis> Start(params string[] options)
    {
        var redis = NotStarted(options);
        await redis.StartAgain();
        return redis;
    }

    public static ShakenRedis NotStarted(params string[] options) => new(PortalProcess.FreePort(), options);

    string PidFile => Path.Combine(Path.GetTempPath(), $"portal-redis-{Environment.ProcessId}-{Port}.pid");

    public async Task StartAgain()
    {
        if (server is not null) await server.DisposeAsync();
        // What is said last counts.
        server = await RedisServer.Start(["--port", $"{Port}", "--pidfile", PidFile, .. options]);
    }

    public void Kill() => Send("KILL");

    public void Freeze() => Send("STOP");

    public void Thaw() => Send("CONT");

    void Send(string signal) => PortalProcess.Send(signal, int.Parse(File.ReadAllText(PidFile), System.Globalization.CultureInfo.InvariantCulture));

    public async ValueTask DisposeAsync()
    {
        if (server is null) return;
        await server.DisposeAsync();
        File.Delete(PidFile);
    }
}
