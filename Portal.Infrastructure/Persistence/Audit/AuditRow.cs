using Npgsql;

namespace Portal.Infrastructure.Persistence.Audit;

/// <summary>A row of the audit log as it is sealed: every field as text, by the database itself, so that whatever stands there can be read.</summary>
/// <param name="Fields">Sequence, id, time, kind of actor, actor, name, address, action, subject, summary.</param>
sealed record AuditRow(long Sequence, long? Position, byte[]? Hash, IReadOnlyList<string?> Fields)
{
    /// <summary>The fields' order and form are part of every seal: they never change.</summary>
    public const string Columns = """
        sequence, position, hash, sequence::text, id::text, to_char(at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        actor_kind, actor_id::text, actor_name, address, action, subject, summary
        """;

    const int FirstField = 3, LastField = 12;

    public string At => Fields[2] ?? "an unknown time";

    public string Action => Fields[7] ?? "";

    public static async Task<List<AuditRow>> Read(NpgsqlCommand command, CancellationToken ct)
    {
        var rows = new List<AuditRow>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var fields = new string?[LastField - FirstField + 1];
            for (var i = 0; i < fields.Length; i++) fields[i] = reader.IsDBNull(FirstField + i) ? null : reader.GetString(FirstField + i);
            rows.Add(new AuditRow(reader.GetInt64(0), reader.IsDBNull(1) ? null : reader.GetInt64(1), reader.IsDBNull(2) ? null : reader.GetFieldValue<byte[]>(2), fields));
        }
        return rows;
    }
}
