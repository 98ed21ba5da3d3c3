using System.Net;
using System.Net.Sockets;

namespace Portal.Infrastructure.Monitoring;

/// <summary>Whether this node reaches the world at all: asked before a failure is held against a target that lies out there.</summary>
/// <remarks>
/// It must not cover up an outage. So the references are chosen by the operator (a rule of the kind "everything fails, it must be us" would
/// hide the failure of a data centre in which everything stands), one of them that answers is enough, and so is any target that answers.
/// </remarks>
public sealed class OwnConnection(IReadOnlyList<DnsEndPoint> references, TimeProvider clock)
{
    /// <summary>So long a reference may take.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);
    /// <summary>A thousand checks that fail together ask once.</summary>
    static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);

    readonly Lock gate = new();
    Task<bool>? asking;
    long askedAt;
    long reachedAt = long.MinValue;

    /// <summary>A target out there answered: that is proof, whatever the references say.</summary>
    public void Reached() => Volatile.Write(ref reachedAt, clock.GetTimestamp());

    /// <summary>True where nothing says otherwise: without references every failure is the target's.</summary>
    /// <param name="since">When the check that failed began: whoever answered after that proves the connection.</param>
    public async Task<bool> Works(long since, CancellationToken ct)
    {
        if (references.Count == 0 || Volatile.Read(ref reachedAt) >= since) return true;
        return await Asked().WaitAsync(ct) || Volatile.Read(ref reachedAt) >= since;
    }

    Task<bool> Asked()
    {
        lock (gate)
        {
            if (asking is { } before && (!before.IsCompleted || clock.GetElapsedTime(askedAt) < Freshness)) return before;
            askedAt = clock.GetTimestamp();
            return asking = AnyAnswers();
        }
    }

    async Task<bool> AnyAnswers()
    {
        using var over = new CancellationTokenSource(Patience, clock);
        var asked = references.Select(r => Answers(r, over.Token)).ToList();
        while (asked.Count > 0)
        {
            var first = await Task.WhenAny(asked);
            asked.Remove(first);
            if (!await first) continue;
            await over.CancelAsync();
            return true;
        }
        return false;
    }

    static async Task<bool> Answers(DnsEndPoint reference, CancellationToken ct)
    {
        try
        {
            foreach (var address in await NameResolver.Resolve(reference.Host, ct))
                if (await Answers(address, reference.Port, ct)) return true;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException) { }
        return false;
    }

    static async Task<bool> Answers(IPAddress address, int port, CancellationToken ct)
    {
        try
        {
            await using var stream = await NameResolver.Open(address, port, ct);
            return true;
        }
        // Somebody out there said no: the way to them is open.
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused) { return true; }
        catch (Exception e) when (e is SocketException or OperationCanceledException) { return false; }
    }
}
