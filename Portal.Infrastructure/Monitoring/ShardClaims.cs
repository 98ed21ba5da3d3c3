using Npgsql;
using Portal.Infrastructure.Persistence;

namespace Portal.Infrastructure.Monitoring;

/// <summary>The leases of one node on shards of monitors. All times are the database's: nodes need not agree on a clock.</summary>
/// <param name="node">Unique for each start of a process, so that a restarted node never mistakes an old lease for its own.</param>
public sealed class ShardClaims(Database database, string node, TimeSpan lease)
{
    /// <summary>The other nodes are woken through this channel when shards become free.</summary>
    public const string Channel = "portal_shards";

    /// <summary>Says that this node lives, for the length of a lease.</summary>
    /// <returns>How many nodes live, this one included; and whether it is so long that this one reached the database in time that a lease that ran out tells of its holder's end.</returns>
    public async Task<(int Nodes, bool IsSteady)> Announce(CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand("""
            with gone as (delete from live_nodes where expires_at < clock_timestamp() - interval '1 hour' and name <> @node),
                 ours as (insert into live_nodes as n (name, expires_at, steady_since) values (@node, clock_timestamp() + @lease, clock_timestamp())
                     on conflict (name) do update set expires_at = excluded.expires_at, steady_since = case when n.expires_at < clock_timestamp() then clock_timestamp() else n.steady_since end
                     returning steady_since + @lease <= clock_timestamp() as steady)
            select 1 + (select count(*)::int from live_nodes where name <> @node and expires_at > clock_timestamp()), steady from ours
            """);
        command.Parameters.AddRange((NpgsqlParameter[])[new("node", node), new("lease", lease)]);
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        return (reader.GetInt32(0), reader.GetBoolean(1));
    }

    /// <summary>Prolongs what is still ours and says what that is; a lapsed lease that nobody took is ours as well.</summary>
    public Task<Dictionary<int, long>> Renew(IReadOnlyDictionary<int, long> held, CancellationToken ct) => held.Count == 0
        ? Task.FromResult(new Dictionary<int, long>())
        : Query("""
            update shard_leases l set expires_at = clock_timestamp() + @lease
            from unnest(@shards, @epochs) as mine(shard, epoch)
            where l.shard = mine.shard and l.epoch = mine.epoch and l.node = @node
            returning l.shard, l.epoch
            """, [new("shards", held.Keys.ToArray()), new("epochs", held.Values.ToArray())], ct);

    /// <summary>Takes shards that are free, and if wanted those whose lease has run out; the epoch rises.</summary>
    /// <remarks>By <c>for update</c> and nothing weaker: it passes over a lease under which a consequence is just being written (<c>for key share</c>), while <see cref="Renew"/> does not wait for it.</remarks>
    /// <param name="held">Known to be ours. A row that bears our name beyond these was taken by a command whose answer was lost, and is taken again when it runs out.</param>
    /// <param name="lapsed">Not right after the database was away: then all leases have run out, and their holders come back to them with what they found meanwhile.</param>
    public Task<Dictionary<int, long>> Take(int most, IReadOnlyCollection<int> held, bool lapsed, CancellationToken ct) => most <= 0
        ? Task.FromResult(new Dictionary<int, long>())
        : Query("""
            update shard_leases set node = @node, epoch = epoch + 1, expires_at = clock_timestamp() + @lease
            where shard in (select shard from shard_leases where (node = '' or @lapsed and expires_at < clock_timestamp()) and not shard = any(@held)
                            order by shard limit @most for update skip locked)
            returning shard, epoch
            """, [new("most", most), new("lapsed", lapsed), new("held", held.ToArray())], ct);

    /// <summary>Gives some back, so that a node that holds fewer takes them at once.</summary>
    public async Task Release(IReadOnlyCollection<int> shards, CancellationToken ct)
    {
        await Query("update shard_leases set node = '', expires_at = clock_timestamp() where node = @node and shard = any(@shards) returning shard, epoch", [new("shards", shards.ToArray())], ct);
        await Tell(ct);
    }

    /// <summary>Gives everything back; this node lives no more.</summary>
    public async Task Leave(CancellationToken ct)
    {
        await Query("""
            with gone as (delete from live_nodes where name = @node)
            update shard_leases set node = '', expires_at = clock_timestamp() where node = @node returning shard, epoch
            """, [], ct);
        await Tell(ct);
    }

    async Task Tell(CancellationToken ct)
    {
        await using var notify = database.Source.CreateCommand($"select pg_notify('{Channel}', 'free')");
        await notify.ExecuteNonQueryAsync(ct);
    }

    async Task<Dictionary<int, long>> Query(string sql, NpgsqlParameter[] parameters, CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand(sql);
        command.Parameters.AddRange((NpgsqlParameter[])[.. parameters, new("node", node), new("lease", lease)]);
        var shards = new Dictionary<int, long>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct)) shards[reader.GetInt32(0)] = reader.GetInt64(1);
        return shards;
    }
}
