using System.Security.Cryptography;
using Npgsql;
using Portal.Domain.Backups;
using Portal.Domain.Drills;

namespace Portal.Infrastructure.Backups.Drills;

/// <summary>A database that a drill restores on its scratch server: with the roles that it needs, and asked as somebody who may read everything and change nothing.</summary>
public sealed class DrilledDatabase(ScratchCluster cluster)
{
    public const string Name = "restored";
    const int AnswerLength = 200;
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>No role of the original has this name.</summary>
    readonly string reader = $"portal_drill_reader_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}";
    readonly string password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));

    string AsReader => new NpgsqlConnectionStringBuilder(cluster.ConnectionTo(Name)) { Username = reader, Password = password }.ConnectionString;

    /// <summary>Owners and grantees of the original, who can do nothing here but be named: so its grants are proven too.</summary>
    /// <returns>The server's version.</returns>
    public async Task<string> Prepare(DatabaseContents expected, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(cluster.Server);
        await connection.OpenAsync(ct);
        foreach (var role in expected.Roles.Where(r => !r.StartsWith("pg_", StringComparison.Ordinal))) await Execute(connection, $"create role {ContentsComparison.Quoted(role)}", ct);
        await Execute(connection, $"create role {reader} login bypassrls password '{password}'; grant pg_read_all_data to {reader}; alter role {reader} set statement_timeout = '{Patience.TotalSeconds:0}s'", ct);
        return connection.PostgreSqlVersion.ToString();
    }

    public Task<CanaryBeat?> Canary(CancellationToken ct) => Drills.Canary.Newest(AsReader, ct);

    /// <summary>One that cannot be asked has not passed.</summary>
    public async Task<CheckedAnswer> Ask(DrillCheck check, CancellationToken ct)
    {
        try
        {
            await using var connection = new NpgsqlConnection(AsReader);
            await connection.OpenAsync(ct);
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await Execute(connection, "set transaction read only", ct);
            // Every type has a text, also those that only this database knows.
            await using var command = new NpgsqlCommand(check.Sql, connection, transaction) { AllResultTypesAreUnknown = true, CommandTimeout = (int)(Patience * 1.2).TotalSeconds };
            await using var rows = await command.ExecuteReaderAsync(ct);
            var answer = rows.FieldCount > 0 && await rows.ReadAsync(ct) && !rows.IsDBNull(0) ? rows.GetString(0) : null;
            return new(check.Name, check.Sql, check.Expectation, Cut(answer), check.Accepts(answer), null);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            return new(check.Name, check.Sql, check.Expectation, null, false, e is PostgresException p ? $"{p.MessageText} ({p.SqlState})" : e.Message);
        }
    }

    /// <summary>Never in the middle of a character.</summary>
    static string? Cut(string? text) => text is null || text.Length <= AnswerLength ? text : text[..(char.IsHighSurrogate(text[AnswerLength - 1]) ? AnswerLength - 1 : AnswerLength)];

    static async Task Execute(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }
}
