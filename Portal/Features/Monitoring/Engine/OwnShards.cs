using Portal.Domain.Monitoring;
using Portal.Infrastructure.Monitoring;
using Portal.Live;

namespace Portal.Features.Monitoring.Engine;

/// <summary>The shards of monitors that this node runs: its share of them, leased, renewed, and handed over to nodes that come.</summary>
sealed class OwnShards(ShardClaims claims, Timetable timetable, Recorder recorder, EngineSettings settings, DatabaseContact contact, TimeProvider clock, ILogger log)
{
    volatile Dictionary<int, long> held = [];
    volatile bool announced;
    /// <summary>Shards that are to be handed over once <see cref="flushed"/> has written what was found of them; only <see cref="Keep"/> touches both.</summary>
    HashSet<int>? leaving;
    Task flushed = Task.CompletedTask;

    /// <summary>With their epochs.</summary>
    public IReadOnlyDictionary<int, long> Held => held;

    /// <summary>Rings when shards may have become free.</summary>
    public Bell Bell { get; } = new(clock);

    /// <summary>Other shards than before are held, or under another epoch.</summary>
    public event Action? Changed;

    public async Task Keep(CancellationToken ct)
    {
        while (true)
        {
            var before = held;
            var still = await claims.Renew(before, ct);
            var (nodes, isSteady) = await claims.Announce(ct);
            announced = true;
            var share = Share(nodes);
            foreach (var (shard, epoch) in await claims.Take(share - still.Count, [.. still.Keys], isSteady, ct)) still[shard] = epoch;
            held = still;
            contact.Found(nameof(OwnShards));
            if (before.Count != still.Count || before.Any(s => still.GetValueOrDefault(s.Key) != s.Value))
            {
                log.LogInformation("Node {Node} runs {Shards} of {All} shards of monitors", settings.Node, still.Count, MonitorId.ShardCount);
                foreach (var lost in timetable.All.Where(w => still.GetValueOrDefault(w.Shard) != w.Epoch)) timetable.Remove(lost);
                Changed?.Invoke();
            }
            await HandOver(still, share, ct);
            // Whoever has peers looks more often for what a dead one held: within 10 s of its death somebody else runs it.
            await Bell.Wait(share == MonitorId.ShardCount ? settings.Renew : settings.Renew / 2, ct);
        }
    }

    /// <summary>Writes what is left and gives everything back, so that another node goes on at once.</summary>
    public async Task Leave(CancellationToken ct)
    {
        if (!announced) return;
        try
        {
            await recorder.FlushAll(ct);
            await claims.Leave(ct);
        }
        catch (Exception e)
        {
            log.LogWarning("The shards could not be given back, their leases run out by themselves: {Reason}", e.Message);
        }
        held = [];
    }

    /// <summary>Shards of one node when so many live; rounded up, so that none is left over.</summary>
    static int Share(int nodes) => (MonitorId.ShardCount + nodes - 1) / nodes;

    /// <summary>To a node that came. What was found is written before the other one reads it, and beside this loop, which renews what is held meanwhile; a check that is on its way is not counted.</summary>
    async Task HandOver(Dictionary<int, long> still, int share, CancellationToken ct)
    {
        if (leaving is not { } shards)
        {
            if (still.Count <= share) return;
            leaving = shards = [.. still.Keys.Order().Skip(share)];
            foreach (var watched in Of(shards)) timetable.Rest(watched);
            flushed = recorder.FlushAll(ct);
            _ = flushed.ContinueWith(_ => Bell.Ring(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            return;
        }
        if (!flushed.IsCompleted) return;
        leaving = null;
        if (flushed.IsCompletedSuccessfully && still.Count > share)
        {
            held = still.Where(s => !shards.Contains(s.Key)).ToDictionary();
            foreach (var watched in Of(shards)) timetable.Remove(watched);
            await claims.Release(shards, ct);
            log.LogInformation("Node {Node} handed {Shards} shards of monitors to a node that came", settings.Node, shards.Count);
            return;
        }
        // They stay ours for now, and are checked on.
        foreach (var watched in Of(shards)) timetable.Reschedule(watched, soon: true);
        if (flushed.Exception is { } why) log.LogWarning("Shards could not be handed over, because what was found is not written: {Reason}", why.InnerException!.Message);
    }

    IEnumerable<Watched> Of(HashSet<int> shards) => timetable.All.Where(w => shards.Contains(w.Shard));
}
