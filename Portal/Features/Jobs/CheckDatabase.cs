using System.Globalization;
using System.Text.Json;
using Npgsql;
using Portal.Domain.Jobs;
using Portal.Infrastructure.Jobs;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Jobs;

/// <summary>Reads every table of the portal's own database to its end: with checksums on, PostgreSQL refuses a page that the disk gave back otherwise than it was written.</summary>
public sealed class CheckDatabase(Database database) : JobKind
{
    public const string Kind = "database-check";

    /// <param name="Tables">How many were read.</param>
    /// <param name="Rows">In all of them.</param>
    /// <param name="Checksums">Whether damage of the disk would have been noticed.</param>
    public sealed record Found(int Tables, long Rows, bool Checksums);

    public override string Name => Kind;

    public override string Title => "Check of the database";

    /// <summary>A large table takes its time, and nothing can be said before its end.</summary>
    public override TimeSpan StallLimit => TimeSpan.FromHours(2);

    public override string? InWords(JsonElement result) => result.Deserialize<Found>(JsonSerializerOptions.Web) is not { } found ? null
        : string.Create(CultureInfo.InvariantCulture, $"{found.Rows:N0} rows of {found.Tables:N0} tables were read to their end, {(found.Checksums ? "and no checksum was wrong" : "but checksums are off, so damage may go unnoticed")}");

    public override RunRules Rules(string arguments) => new(Attempts: 3, Repeatable: true, Alone: Kind);

    public override async Task<object?> Run(RunContext run, CancellationToken ct)
    {
        await using var connection = await database.Source.OpenConnectionAsync(ct);
        var checksums = (string)(await Scalar(connection, "show data_checksums", ct))! == "on";
        var tables = await Tables(connection, ct);
        run.Phase("Reading", $"{tables.Count} tables");
        var (total, read, rows) = (Math.Max(1, tables.Sum(t => t.Bytes)), 0L, 0L);
        foreach (var (name, bytes) in tables)
        {
            run.Report((double)read / total, name);
            rows += (long)(await Scalar(connection, $"select count(*) from {name}", ct))!;
            read += bytes;
        }
        run.Say($"Read {rows} rows of {tables.Count} tables to their end; checksums are {(checksums ? "on" : "off")}.");
        return new Found(tables.Count, rows, checksums);
    }

    static async Task<List<(string Name, long Bytes)>> Tables(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            select format('%I.%I', n.nspname, c.relname), pg_table_size(c.oid) from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind = 'r' and n.nspname not like 'pg\_%' and n.nspname <> 'information_schema' order by 2, 1
            """, connection)
        { CommandTimeout = 0 };
        var tables = new List<(string, long)>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct)) tables.Add((reader.GetString(0), reader.GetInt64(1)));
        return tables;
    }

    static async Task<object?> Scalar(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        return await command.ExecuteScalarAsync(ct);
    }
}
