using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Portal.Infrastructure.Monitoring;

/// <summary>Looks names up for outgoing checks.</summary>
public delegate Task<IReadOnlyList<IPAddress>> ResolveName(string host, CancellationToken ct);

/// <summary>Opens a connection to exactly this address.</summary>
public delegate Task<Stream> OpenConnection(IPAddress address, int port, CancellationToken ct);

/// <summary>Looks names up with a function that blocks, kept from harming the rest of the process.</summary>
/// <remarks>
/// On Linux the runtime's asynchronous look-up blocks a pool thread for as long as the name server is silent; some hundred monitors of
/// unreachable names would stall every request. Here a bounded number of threads of their own wait, and one name is asked for once at a
/// time. A look-up that takes long leaves its place to others, and the next one of that name waits in a line of its own.
/// </remarks>
public sealed class NameLookups(Func<string, IPAddress[]> look, TimeProvider clock) : IDisposable
{
    const int AtOnce = 32, SlowAtOnce = 64, MostSlow = 10_000;
    static readonly TimeSpan Slow = TimeSpan.FromSeconds(2);

    readonly SemaphoreSlim quick = new(AtOnce), slow = new(SlowAtOnce);
    readonly ConcurrentDictionary<string, Task<IReadOnlyList<IPAddress>>> running = new(StringComparer.OrdinalIgnoreCase);
    readonly ConcurrentDictionary<string, byte> slowNames = new(StringComparer.OrdinalIgnoreCase);

    public Task<IReadOnlyList<IPAddress>> Resolve(string host, CancellationToken ct)
    {
        if (IPAddress.TryParse(host, out var literal)) return Task.FromResult<IReadOnlyList<IPAddress>>([literal]);
        var asked = running.GetOrAdd(host, Ask);
        // It may have ended before it was stored, and removed nothing: no answer may stay.
        if (asked.IsCompleted) running.TryRemove(KeyValuePair.Create(host, asked));
        return asked.WaitAsync(ct);
    }

    async Task<IReadOnlyList<IPAddress>> Ask(string host)
    {
        var line = slowNames.ContainsKey(host) ? slow : quick;
        await line.WaitAsync();
        var began = clock.GetTimestamp();
        try
        {
            var answer = Task.Factory.StartNew(() => look(host), default, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            if (line == quick && await Task.WhenAny(answer, Task.Delay(Slow, clock)) != answer && slow.Wait(0))
            {
                quick.Release();
                line = slow;
            }
            return await answer;
        }
        finally
        {
            if (clock.GetElapsedTime(began) < Slow) slowNames.TryRemove(host, out _);
            else if (slowNames.Count < MostSlow) slowNames[host] = 0;
            running.TryRemove(host, out _);
            line.Release();
        }
    }

    public void Dispose()
    {
        quick.Dispose();
        slow.Dispose();
    }
}

/// <summary>The system's resolver and sockets.</summary>
public static class NameResolver
{
    static readonly NameLookups Lookups = new(Dns.GetHostAddresses, TimeProvider.System);

    public static Task<IReadOnlyList<IPAddress>> Resolve(string host, CancellationToken ct) => Lookups.Resolve(host, ct);

    public static async Task<Stream> Open(IPAddress address, int port, CancellationToken ct)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new IPEndPoint(address, port), ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
