using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Portal.Domain.Monitoring;
using Portal.Infrastructure.Metrics;
using Portal.Infrastructure.Persistence;

namespace Portal.Infrastructure.Monitoring;

/// <summary>A result on its way into the database, with the lease under which it was found.</summary>
/// <param name="Place">The name of the place that found it; null is this node.</param>
public sealed record FoundCheck(CheckResult Result, int Shard, long Epoch, string? Place = null);

/// <summary>What a check without consequences changes of a monitor's state.</summary>
public sealed record SeenState(
    MonitorId Monitor, int Shard, long Epoch, DateTimeOffset? FirstCheckAt, DateTimeOffset? LastCheckAt, DateTimeOffset? LastGoodAt, DateTimeOffset? LastBadAt,
    int? LastStatusCode, TimeSpan? LastDuration, string? LastDetail, IReadOnlyList<RecentCheck> Recent,
    DateTimeOffset? GoodSince, IReadOnlyList<DateTimeOffset> Downs, DateTimeOffset? UnjudgedSince, IReadOnlyList<PlaceState> Places)
{
    public static SeenState Of(MonitorState s, int shard, long epoch) => new(
        s.MonitorId, shard, epoch, s.FirstCheckAt, s.LastCheckAt, s.LastGoodAt, s.LastBadAt, s.LastStatusCode, s.LastDuration, s.LastDetail, s.Recent, s.GoodSince, s.Downs, s.UnjudgedSince, s.Places);
}

/// <summary>Writes many results and states at once. What was found under a lease that has changed hands since is dropped.</summary>
public sealed class CheckStore(Database database, string node)
{
    /// <summary>Topics fit a notification of at most 8,000 bytes.</summary>
    const int TopicsAtOnce = 150, MostRaces = 3;

    /// <returns>How many checks are stored now; the others were found under a lease that has changed hands.</returns>
    public async Task<int> Store(IReadOnlyList<FoundCheck> checks, IReadOnlyList<SeenState> states, CancellationToken ct)
    {
        var (onlyNew, races) = (false, 0);
        while (true)
            try
            {
                return await Store(checks, states, onlyNew ? InsertNew : Copy, ct);
            }
            // A second writer, or our own batch whose commit was not confirmed before the connection broke: keep what is new.
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation && !onlyNew) { onlyNew = true; }
            catch (PostgresException e) when (Database.IsLostRace(e) && races < MostRaces) { races++; }
    }

    async Task<int> Store(IReadOnlyList<FoundCheck> checks, IReadOnlyList<SeenState> states,
        Func<NpgsqlConnection, IReadOnlyList<FoundCheck>, CancellationToken, Task> write, CancellationToken ct)
    {
        await using var connection = await database.Source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await IdleLimit.Set(connection, ct);
        var epochs = await Epochs(connection, ct);
        var current = checks.Where(c => epochs.GetValueOrDefault(c.Shard) == c.Epoch).ToList();
        if (current.Count > 0) await write(connection, current, ct);
        var seen = states.Where(s => epochs.GetValueOrDefault(s.Shard) == s.Epoch).ToList();
        if (seen.Count > 0) await Update(connection, seen, ct);
        if (current.Count > 0) await Rollups.Mark(connection, current.Select(c => c.Result.At), ct);
        var announced = current.Select(c => c.Result.Monitor).Distinct().Chunk(TopicsAtOnce).Select(some => Announcement.Of([.. some.Select(m => $"monitor:{m}"), "checks"])).ToList();
        await Notify(connection, announced, ct);
        await transaction.CommitAsync(ct);
        foreach (var announcement in announced) database.Tell(announcement);
        return current.Count;
    }

    static async Task<Dictionary<int, long>> Epochs(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select shard, epoch from shard_leases", connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var epochs = new Dictionary<int, long>();
        while (await reader.ReadAsync(ct)) epochs[reader.GetInt32(0)] = reader.GetInt64(1);
        return epochs;
    }

    async Task Copy(NpgsqlConnection connection, IReadOnlyList<FoundCheck> checks, CancellationToken ct)
    {
        await using var copy = await connection.BeginBinaryImportAsync(
            "copy check_results (monitor_id, at, milliseconds, outcome, status_code, detail, node, epoch) from stdin (format binary)", ct);
        foreach (var (result, _, epoch, place) in checks)
        {
            await copy.StartRowAsync(ct);
            await copy.WriteAsync(result.Monitor.Value, NpgsqlDbType.Uuid, ct);
            await copy.WriteAsync(result.At.ToUniversalTime(), NpgsqlDbType.TimestampTz, ct);
            await copy.WriteAsync((float)result.Duration.TotalMilliseconds, NpgsqlDbType.Real, ct);
            await copy.WriteAsync((short)result.Outcome, NpgsqlDbType.Smallint, ct);
            if (result.StatusCode is { } code) await copy.WriteAsync((short)code, NpgsqlDbType.Smallint, ct); else await copy.WriteNullAsync(ct);
            if (result.Detail is { } detail) await copy.WriteAsync(detail, NpgsqlDbType.Text, ct); else await copy.WriteNullAsync(ct);
            await copy.WriteAsync(place ?? node, NpgsqlDbType.Text, ct);
            await copy.WriteAsync(epoch, NpgsqlDbType.Bigint, ct);
        }
        await copy.CompleteAsync(ct);
    }

    async Task InsertNew(NpgsqlConnection connection, IReadOnlyList<FoundCheck> checks, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            insert into check_results (monitor_id, at, milliseconds, outcome, status_code, detail, node, epoch)
            select monitor_id, at, milliseconds, outcome, status_code, detail, node, epoch
            from unnest($1, $2, $3, $4, $5, $6, $7, $8) as c(monitor_id, at, milliseconds, outcome, status_code, detail, epoch, node)
            on conflict do nothing
            """, connection);
        Add(command, NpgsqlDbType.Uuid, checks.Select(c => c.Result.Monitor.Value));
        Add(command, NpgsqlDbType.TimestampTz, checks.Select(c => c.Result.At.ToUniversalTime()));
        Add(command, NpgsqlDbType.Real, checks.Select(c => (float)c.Result.Duration.TotalMilliseconds));
        Add(command, NpgsqlDbType.Smallint, checks.Select(c => (short)c.Result.Outcome));
        Add(command, NpgsqlDbType.Smallint, checks.Select(c => (short?)c.Result.StatusCode));
        Add(command, NpgsqlDbType.Text, checks.Select(c => c.Result.Detail));
        Add(command, NpgsqlDbType.Bigint, checks.Select(c => c.Epoch));
        Add(command, NpgsqlDbType.Text, checks.Select(c => c.Place ?? node));
        await command.ExecuteNonQueryAsync(ct);
    }

    static async Task Update(NpgsqlConnection connection, IReadOnlyList<SeenState> states, CancellationToken ct)
    {
        // In the order in which everybody holds them.
        await using var command = new NpgsqlCommand("""
            with held as (select monitor_id from monitor_states where monitor_id = any ($1) order by monitor_id for update)
            update monitor_states s set first_check_at = v.first_check_at, last_check_at = v.last_check_at, last_good_at = v.last_good_at, last_bad_at = v.last_bad_at,
                last_status_code = v.last_status_code, last_duration = v.last_duration, last_detail = v.last_detail, recent = v.recent,
                good_since = v.good_since, downs = v.downs, unjudged_since = v.unjudged_since, places = v.places, epoch = v.epoch
            from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
                as v(monitor_id, epoch, first_check_at, last_check_at, last_good_at, last_bad_at, last_status_code, last_duration, last_detail, recent, good_since, downs, unjudged_since, places)
                join held on held.monitor_id = v.monitor_id
            where s.monitor_id = v.monitor_id and s.epoch <= v.epoch
            """, connection);
        Add(command, NpgsqlDbType.Uuid, states.Select(s => s.Monitor.Value));
        Add(command, NpgsqlDbType.Bigint, states.Select(s => s.Epoch));
        Add(command, NpgsqlDbType.TimestampTz, states.Select(s => s.FirstCheckAt?.ToUniversalTime()));
        Add(command, NpgsqlDbType.TimestampTz, states.Select(s => s.LastCheckAt?.ToUniversalTime()));
        Add(command, NpgsqlDbType.TimestampTz, states.Select(s => s.LastGoodAt?.ToUniversalTime()));
        Add(command, NpgsqlDbType.TimestampTz, states.Select(s => s.LastBadAt?.ToUniversalTime()));
        Add(command, NpgsqlDbType.Integer, states.Select(s => s.LastStatusCode));
        Add(command, NpgsqlDbType.Interval, states.Select(s => s.LastDuration));
        Add(command, NpgsqlDbType.Text, states.Select(s => s.LastDetail));
        Add(command, NpgsqlDbType.Jsonb, states.Select(s => JsonSerializer.Serialize(s.Recent, JsonSerializerOptions.Default)));
        Add(command, NpgsqlDbType.TimestampTz, states.Select(s => s.GoodSince?.ToUniversalTime()));
        Add(command, NpgsqlDbType.Jsonb, states.Select(s => JsonSerializer.Serialize(s.Downs, JsonSerializerOptions.Default)));
        Add(command, NpgsqlDbType.TimestampTz, states.Select(s => s.UnjudgedSince?.ToUniversalTime()));
        Add(command, NpgsqlDbType.Jsonb, states.Select(s => JsonSerializer.Serialize(s.Places, JsonSerializerOptions.Default)));
        await command.ExecuteNonQueryAsync(ct);
    }

    static async Task Notify(NpgsqlConnection connection, List<Announcement> announced, CancellationToken ct)
    {
        foreach (var announcement in announced)
        {
            await using var command = new NpgsqlCommand($"select pg_notify('{Changes.Channel}', $1)", connection);
            command.Parameters.Add(new() { Value = announcement.Text });
            await command.ExecuteNonQueryAsync(ct);
        }
    }

    static void Add<T>(NpgsqlCommand command, NpgsqlDbType type, IEnumerable<T> values) =>
        command.Parameters.Add(new() { NpgsqlDbType = NpgsqlDbType.Array | type, Value = values.ToArray() });
}
