using System.Text.Json;
using Npgsql;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence.Audit;

namespace Portal.Infrastructure.Persistence;

/// <summary>What the first start on a restored copy found and did.</summary>
/// <param name="Number">Rises with every restore of this database.</param>
/// <param name="Shows">The newest audited moment of the copy: what came later is lost.</param>
/// <param name="Runs">Jobs that were not over, and are interrupted.</param>
/// <param name="Sessions">People and devices that must sign in again.</param>
/// <param name="Held">Messages that wait until somebody releases them.</param>
public sealed record Recovery(int Number, DateTimeOffset At, DateTimeOffset? Shows, int Runs, int Sessions, int Held, DateTimeOffset? ReleasedAt = null);

/// <summary>
/// Tells a restored copy from the database that it was made of, and makes the copy safe before anything works on it: what was half done in the original is over, what would be sent
/// is held, who was signed in signs in again. The original may have gone on for hours after the backup.
/// </summary>
/// <remarks>A database is known by its server's identifier and its own number there: a restore changes at least one of them, a restart and a failover to a physical replica neither.</remarks>
public static class RecoveryEpoch
{
    public const string IdentitySetting = "database-identity", Setting = "recovery";

    /// <summary>Of the database that $1 names.</summary>
    internal const string IdentityOf = "select (select system_identifier from pg_control_system())::text || '/' || oid::text || '/' || current_setting('server_version_num')::int / 10000 from pg_database where datname = $1";

    static readonly string Identity = IdentityOf.Replace("$1", "current_database()", StringComparison.Ordinal);

    /// <param name="connection">With the lock of migrations held, so that one node does it, once.</param>
    /// <returns>Null where this is the database that it always was.</returns>
    public static async Task<Recovery?> Run(NpgsqlConnection connection, CancellationToken ct)
    {
        var own = (string)(await Scalar(connection, Identity, ct))!;
        var known = (string?)await Scalar(connection, $"select value from settings where key = '{IdentitySetting}'", ct);
        if (known == own) return null;
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await Write(connection, IdentitySetting, own, ct);
        // One that was never named is new, or was made before databases were named.
        var recovery = known is null || IsUpgrade(known, own) ? null : await Raise(connection, ct);
        await transaction.CommitAsync(ct);
        return recovery;
    }

    /// <summary>pg_upgrade makes another server of a newer version, in which databases keep their numbers.</summary>
    static bool IsUpgrade(string before, string now) =>
        (before.Split('/'), now.Split('/')) is ([_, var oid, var major], [_, var other, var newer]) && oid == other && int.Parse(newer, System.Globalization.CultureInfo.InvariantCulture) > int.Parse(major, System.Globalization.CultureInfo.InvariantCulture);

    static async Task<Recovery> Raise(NpgsqlConnection connection, CancellationToken ct)
    {
        var before = (string?)await Scalar(connection, $"select value from settings where key = '{Setting}'", ct) is { } text ? JsonSerializer.Deserialize<Recovery>(text, JsonSerializerOptions.Web)!.Number : 0;
        var shows = await Scalar(connection, "select max(at) from audit", ct) is DateTime at ? new DateTimeOffset(at, TimeSpan.Zero) : (DateTimeOffset?)null;
        // What schedules expected is expected anew from now on: the original may have done it, or not.
        await Count(connection, "delete from job_runs where state = 'Queued' and slot is not null and attempt = 0", ct);
        var runs = await Count(connection, """
            update job_runs set state = 'Interrupted', ended_at = clock_timestamp(), lease_until = null, epoch = epoch + 1, error = 'The database was restored from a backup: this run was not over when it was made.'
            where state in ('Queued', 'Running')
            """, ct);
        await Count(connection, "update job_schedules set settled_until = clock_timestamp()", ct);
        await Count(connection, "delete from live_nodes", ct);
        var sessions = await Count(connection, "delete from sessions", ct);
        var held = await Count(connection, "update outbox set due_at = 'infinity', claimed_by = null where done_at is null", ct)
            + await Count(connection, "update mails set due_at = 'infinity', claimed_by = null where state = 'Waiting'", ct)
            + await Count(connection, "update deliveries set due_at = 'infinity', claimed_by = null where state = 'Waiting'", ct)
            + await Count(connection, "update escalations set next_at = 'infinity' where next_at is not null", ct);
        await AuditChain.Recover(connection, ct);
        var recovery = new Recovery(before + 1, (DateTime)(await Scalar(connection, "select clock_timestamp()", ct))!, shows, runs, sessions, held);
        await Write(connection, Setting, JsonSerializer.Serialize(recovery, JsonSerializerOptions.Web), ct);
        await Note(connection, new AuditEntry(Actor.System, "portal.recovered", "", $"restored from a backup; {runs} jobs interrupted, {held} messages held, {sessions} sessions ended", recovery.At), ct);
        return recovery;
    }

    static async Task Write(NpgsqlConnection connection, string key, string value, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("insert into settings (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value", connection) { Parameters = { new() { Value = key }, new() { Value = value } } };
        await command.ExecuteNonQueryAsync(ct);
    }

    static async Task Note(NpgsqlConnection connection, AuditEntry entry, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("insert into audit (id, at, actor_kind, actor_name, action, subject, summary) values ($1, $2, $3, $4, $5, $6, $7)", connection)
        {
            Parameters = { new() { Value = entry.Id }, new() { Value = entry.At.UtcDateTime }, new() { Value = entry.ActorKind.ToString() }, new() { Value = entry.ActorName }, new() { Value = entry.Action }, new() { Value = entry.Subject }, new() { Value = entry.Summary } },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    static async Task<int> Count(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        return await command.ExecuteNonQueryAsync(ct);
    }

    static async Task<object?> Scalar(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(ct) is var found and not DBNull ? found : null;
    }
}
