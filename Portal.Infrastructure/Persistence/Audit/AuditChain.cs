using Npgsql;
using Portal.Domain.Audit;
using Portal.Domain.Backups;

namespace Portal.Infrastructure.Persistence.Audit;

/// <summary>What a look at the whole audit log came to.</summary>
/// <param name="Rows">How many sealed rows were read.</param>
/// <param name="Waiting">How many are not sealed yet.</param>
/// <param name="Anchors">How many anchors were compared.</param>
/// <param name="OfLostRows">Anchors of rows that a restore lost; they say nothing of this log.</param>
/// <param name="Problem">The first thing wrong, in words; null where all is as it was sealed.</param>
public sealed record AuditVerdict(long Rows, long Waiting, int Anchors, int OfLostRows, string? Problem);

/// <summary>The chain of seals over the audit log, as it stands in the database.</summary>
public sealed class AuditChain(Database database)
{
    public const string NameSetting = "audit.chain";

    internal const string HeadSql = "select position, hash from audit where position is not null order by position desc limit 1";

    const int AtOnce = 2_000;

    /// <summary>The newest sealed row; null while there is none.</summary>
    public async Task<AuditHead?> Head(CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand(HeadSql);
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? new AuditHead(reader.GetInt64(0), Convert.ToHexStringLower(reader.GetFieldValue<byte[]>(1))) : null;
    }

    /// <summary>The seal of one row, as hex digits; null where there is no such row.</summary>
    public async Task<string?> SealAt(long position, CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand("select encode(hash, 'hex') from audit where position = $1");
        command.Parameters.Add(new() { Value = position });
        return await command.ExecuteScalarAsync(ct) as string;
    }

    /// <summary>Null while nothing was sealed, or where its name was taken away.</summary>
    public async Task<AuditLineage?> Lineage(CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand($"select value from settings where key = '{NameSetting}'");
        return AuditLineage.Read(await command.ExecuteScalarAsync(ct) as string);
    }

    /// <summary>For a database that was restored from a backup, once, before anything is added: what was anchored after the backup is lost and is no longer expected. The chain goes on where it stands.</summary>
    /// <remarks>Whoever calls it writes an audit row that says so: it is what tells a restore from a tampering.</remarks>
    /// <returns>The row after which the log goes on under a new name; null where nothing was ever sealed.</returns>
    public async Task<long?> Recover(CancellationToken ct)
    {
        if (await Head(ct) is not { } head || await Lineage(ct) is not { } lineage) return null;
        var next = lineage.GoOnAs(Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(16)), head.Sequence);
        await using var command = database.Source.CreateCommand($"update settings set value = $1 where key = '{NameSetting}' and value = $2");
        command.Parameters.AddRange((NpgsqlParameter[])[new() { Value = next.Text }, new() { Value = lineage.Text }]);
        await command.ExecuteNonQueryAsync(ct);
        return head.Sequence;
    }

    /// <summary>Reads the log from its first sealed row to its last, makes every seal again, and compares with what was anchored outside.</summary>
    /// <param name="anchors">Read before this is called: then none can be newer than the log.</param>
    public async Task<AuditVerdict> Verify(IReadOnlyCollection<AuditAnchor> anchors, CancellationToken ct)
    {
        var lineage = await Lineage(ct);
        var known = anchors.ToLookup(a => lineage?.About(a) ?? Vouching.OfAnotherLog);
        var walk = new ChainWalk([.. known[Vouching.Counts].OrderBy(a => a.Sequence).ThenBy(a => a.At)]);
        var problem = await Walk(walk, ct);
        if (problem is null && lineage is null && walk.Rows > 0) problem = $"The name of the audit log is missing (setting {NameSetting}): somebody took it away, and without it nothing can be compared with anchors.";
        if (problem is null && anchors.Count > 0 && known[Vouching.Counts].Concat(known[Vouching.OfLostRows]).FirstOrDefault() is null)
            problem = $"There are {anchors.Count} anchors, but none is of this log: either they are of another portal, or this log was exchanged for another one.";
        return new AuditVerdict(walk.Rows, await Waiting(ct), walk.Compared, known[Vouching.OfLostRows].Count(), problem);
    }

    async Task<string?> Walk(ChainWalk walk, CancellationToken ct)
    {
        while (true)
        {
            await using var command = database.Source.CreateCommand($"select {AuditRow.Columns} from audit where position > $1 order by audit.position limit {AtOnce}");
            command.CommandTimeout = 60;
            command.Parameters.Add(new() { Value = walk.Rows });
            var rows = await AuditRow.Read(command, ct);
            foreach (var row in rows)
                if (walk.Take(row) is { } problem) return problem;
            if (rows.Count < AtOnce) return walk.End();
        }
    }

    async Task<long> Waiting(CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand("select count(*) from audit where position is null");
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }
}
