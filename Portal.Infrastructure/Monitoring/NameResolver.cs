using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Portal.Infrastructure.Monitoring;

/// <summary>Looks names up for outgoing checks.</summary>
public delegate Task<IReadOnlyList<IPAddress>> ResolveName(string host, CancellationToken ct);

/// <summary>Opens a connection to exactly this address.</summary>
public delegate Task<Stream> OpenConnection(IPAddress address, int port, CancellationToken ct);

/// <summary>The system's resolver, kept from harming the rest of the process.</summary>
/// <remarks>
/// On Linux the runtime's asynchronous look-up blocks a pool thread for as long as the name server is silent; some hundred monitors of
/// unreachable names would stall every request. Here at most 32 threads of their own wait, and one name is asked for once at a time.
/// </remarks>
public static class NameResolver
{
    const int AtOnce = 32;
    static readonly SemaphoreSlim Slots = new(AtOnce);
    static readonly ConcurrentDictionary<string, Task<IReadOnlyList<IPAddress>>> Running = new(StringComparer.OrdinalIgnoreCase);

    public static Task<IReadOnlyList<IPAddress>> Resolve(string host, CancellationToken ct)
    {
        if (IPAddress.TryParse(host, out var literal)) return Task.FromResult<IReadOnlyList<IPAddress>>([literal]);
        var running = Running.GetOrAdd(host, Ask);
        // It may have ended before it was stored, and removed nothing: no answer may stay.
        if (running.IsCompleted) Running.TryRemove(KeyValuePair.Create(host, running));
        return running.WaitAsync(ct);
    }

    static async Task<IReadOnlyList<IPAddress>> Ask(string host)
    {
        await Slots.WaitAsync();
        try
        {
            return await Task.Factory.StartNew(() => Dns.GetHostAddresses(host), default, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        finally
        {
            Running.TryRemove(host, out _);
            Slots.Release();
        }
    }

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
