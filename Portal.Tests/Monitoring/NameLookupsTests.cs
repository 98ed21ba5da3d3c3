using System.Collections.Concurrent;
using System.Net;
using Portal.Infrastructure.Monitoring;
using Portal.Tests.Support;

namespace Portal.Tests.Monitoring;

/// <summary>Name servers that are silent, beside one that answers.</summary>
public class NameLookupsTests
{
    [Fact]
    public async Task A_hundred_names_whose_server_is_silent_keep_no_other_name_waiting()
    {
        using var silence = new ManualResetEventSlim();
        var asked = new ConcurrentQueue<string>();
        using var lookups = new NameLookups(name =>
        {
            asked.Enqueue(name);
            if (name.StartsWith("silent", StringComparison.Ordinal)) silence.Wait();
            return [IPAddress.Loopback];
        }, TimeProvider.System);
        var waiting = Enumerable.Range(0, 90).Select(n => lookups.Resolve($"silent{n}.example", default)).ToList();
        // They are found to be slow within two seconds each; from then on others pass them.
        await lookups.Resolve("well.example", default).WaitAsync(TimeSpan.FromSeconds(15));
        await Soon.Comes(() => asked.Count(n => n.StartsWith("silent", StringComparison.Ordinal)) == 90, "every one is asked for");
        var began = TimeProvider.System.GetTimestamp();
        foreach (var n in Enumerable.Range(0, 20)) await lookups.Resolve($"well{n}.example", default);
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(1));

        silence.Set();
        await Task.WhenAll(waiting);
        // Known as slow, they stand in a line of their own until they answer in time again.
        silence.Reset();
        var again = Enumerable.Range(0, 90).Select(n => lookups.Resolve($"silent{n}.example", default)).ToList();
        began = TimeProvider.System.GetTimestamp();
        await lookups.Resolve("well.example", default);
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(1));
        silence.Set();
        Assert.All(await Task.WhenAll(again), a => Assert.Equal([IPAddress.Loopback], a));
    }

    [Fact]
    public async Task One_name_is_asked_for_once_at_a_time_and_whoever_gives_up_leaves_the_others_waiting()
    {
        using var silence = new ManualResetEventSlim();
        var asked = 0;
        using var lookups = new NameLookups(_ => { Interlocked.Increment(ref asked); silence.Wait(); return [IPAddress.Loopback]; }, TimeProvider.System);
        using var impatient = new CancellationTokenSource();
        var (first, second) = (lookups.Resolve("shop.example", impatient.Token), lookups.Resolve("SHOP.example", default));
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        silence.Set();
        Assert.Equal([IPAddress.Loopback], await second);
        Assert.Equal(1, asked);
        await lookups.Resolve("shop.example", default);
        Assert.Equal(2, asked);
    }
}
