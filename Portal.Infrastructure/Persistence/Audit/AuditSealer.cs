using Npgsql;
using Portal.Domain.Audit;

namespace Portal.Infrastructure.Persistence.Audit;

/// <summary>Seals what was added to the audit log, one node at a time.</summary>
/// <remarks>
/// Places in the chain are given here, not when a row is written: a transaction that took long shows its row after later ones are sealed, and it simply comes after them.
/// The head is read under the lock that is held until the commit, so two nodes never continue from the same row; the unique index would refuse it besides.
/// </remarks>
public sealed class AuditSealer(Database database)
{
    /// <summary>So many rows are sealed in one transaction.</summary>
    public const int AtOnce = 1_000;

    /// <summary>Any number that nothing else in this database locks.</summary>
    const long Lock = 0x706F7274616E;

    /// <summary>Seals everything that can be seen now; nothing where another node is at it.</summary>
    /// <returns>How many rows.</returns>
    public async Task<int> Seal(CancellationToken ct)
    {
        var (sealedRows, after) = (0, 0L);
        while (await Pending(after, ct))
        {
            var (count, last) = await Batch(after, ct);
            sealedRows += count;
            if (count < AtOnce) break;
            // Entries of the index that were just left are not gone over again and again.
            after = last;
        }
        return sealedRows;
    }

    /// <summary>The one question of an idle second.</summary>
    public const string PendingSql = "select exists (select from audit where position is null and sequence > $1)";

    async Task<bool> Pending(long after, CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand(PendingSql);
        command.Parameters.Add(new() { Value = after });
        return (bool)(await command.ExecuteScalarAsync(ct))!;
    }

    async Task<(int Count, long Last)> Batch(long after, CancellationToken ct)
    {
        await using var connection = await database.Source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await IdleLimit.Set(connection, ct);
        await using (var locking = new NpgsqlCommand("select pg_try_advisory_xact_lock($1)", connection) { Parameters = { new() { Value = Lock } } })
            if (!(bool)(await locking.ExecuteScalarAsync(ct))!) return (0, after);
        var (position, hash) = await Head(connection, ct);
        await using var reading = new NpgsqlCommand($"select {AuditRow.Columns} from audit where position is null and sequence > $1 order by audit.sequence limit {AtOnce}", connection) { Parameters = { new() { Value = after } } };
        var rows = await AuditRow.Read(reading, ct);
        if (rows.Count == 0) return (0, after);
        if (position == 0) await Name(connection, ct);
        var (sequences, positions, hashes) = (new long[rows.Count], new long[rows.Count], new byte[rows.Count][]);
        for (var i = 0; i < rows.Count; i++)
        {
            hash = AuditSeal.Of(hash, ++position, rows[i].Fields);
            (sequences[i], positions[i], hashes[i]) = (rows[i].Sequence, position, hash);
        }
        await using var writing = new NpgsqlCommand("update audit a set position = s.position, hash = s.hash from unnest($1, $2, $3) as s(sequence, position, hash) where a.sequence = s.sequence", connection)
        { Parameters = { new() { Value = sequences }, new() { Value = positions }, new() { Value = hashes } } };
        await writing.ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(ct);
        return (rows.Count, sequences[^1]);
    }

    static async Task<(long Position, byte[] Hash)> Head(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(AuditChain.HeadSql, connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? (reader.GetInt64(0), reader.GetFieldValue<byte[]>(1)) : (0, AuditSeal.Beginning);
    }

    /// <summary>The log is named when its first row is sealed, and never again: one whose name was taken away shall be noticed.</summary>
    static async Task Name(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand($"insert into settings (key, value) values ('{AuditChain.NameSetting}', replace(gen_random_uuid()::text, '-', '')) on conflict do nothing", connection);
        await command.ExecuteNonQueryAsync(ct);
    }
}
