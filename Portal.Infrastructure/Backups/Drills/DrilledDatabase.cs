using System.Security.Cryptography;
using Npgsql;
using Portal.Domain.Backups;
using Portal.Domain.Drills;

namespace Portal.Infrastructure.Backups.Drills;

/// <summary>A database that a drill restores on its scratch server: with the roles that it needs, and asked as somebody who may read everything and change nothing.</summary>
public sealed class DrilledDatabase(ScratchCluster cluster)
{
    public const string Name = "restored";
    const string Reader = "portal_drill_reader";
    const int AnswerLength = 200;
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    readonly string password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));

    /// <summary>As a superuser.</summary>
    public string Connection => cluster.ConnectionTo(Name);

    /// <summary>Owners and grantees of the original, who can do nothing here but be named: so its grants are proven too.</summary>
    /// <returns>The server's version.</returns>
    public async Task<string> Prepare(DatabaseContents expected, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(cluster.Server);
        await connection.OpenAsync(ct);
        foreach (var role in expected.Roles.Where(r => !r.StartsWith("pg_", StringComparison.Ordinal)))
            await Execute(connection, $"do $do$ begin create role {ContentsComparison.Quoted(role)}; exception when duplicate_object then null; end $do$", ct);
        await Execute(connection, $"create role {Reader} login bypassrls password '{password}'; grant pg_read_all_data to {Reader}; alter role {Reader} set default_transaction_read_only = on; alter role {Reader} set statement_timeout = '{Patience.TotalSeconds:0}s'", ct);
        return connection.PostgreSqlVersion.ToString();
    }

    /// <summary>One that cannot be asked has not passed.</summary>
    public async Task<CheckedAnswer> Ask(DrillCheck check, CancellationToken ct)
    {
        try
        {
            await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(Connection) { Username = Reader, Password = password }.ConnectionString);
            await connection.OpenAsync(ct);
            // Every type has a text, also those that only this database knows.
            await using var command = new NpgsqlCommand(check.Sql, connection) { AllResultTypesAreUnknown = true, CommandTimeout = (int)(Patience * 1.2).TotalSeconds };
            await using var reader = await command.ExecuteReaderAsync(ct);
            var answer = reader.FieldCount > 0 && await reader.ReadAsync(ct) && !reader.IsDBNull(0) ? reader.GetString(0) : null;
            return new(check.Name, check.Sql, check.Expectation, answer?.Length > AnswerLength ? answer[..AnswerLength] : answer, check.Accepts(answer), null);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            return new(check.Name, check.Sql, check.Expectation, null, false, e is PostgresException p ? $"{p.MessageText} ({p.SqlState})" : e.Message);
        }
    }

    static async Task Execute(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }
}
