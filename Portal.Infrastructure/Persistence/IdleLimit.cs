using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;

namespace Portal.Infrastructure.Persistence;

/// <summary>
/// The server ends a transaction of a process that fell silent in its midst: frozen or cut off, it would hold its locks until somebody ends it, and every node that wants them would wait.
/// Said in each transaction, because a pooler forgets, or refuses, what is said of a connection.
/// </summary>
public sealed class IdleLimit : DbTransactionInterceptor
{
    /// <summary>As long as a lease: who is silent for longer has lost its shards too.</summary>
    const string Sql = "set local idle_in_transaction_session_timeout = '8s'";

    public static async Task Set(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }

    public override DbTransaction TransactionStarted(DbConnection connection, TransactionEndEventData eventData, DbTransaction result)
    {
        using var command = Command(connection, result);
        command.ExecuteNonQuery();
        return result;
    }

    public override async ValueTask<DbTransaction> TransactionStartedAsync(DbConnection connection, TransactionEndEventData eventData, DbTransaction result, CancellationToken cancellationToken = default)
    {
        await using var command = Command(connection, result);
        await command.ExecuteNonQueryAsync(cancellationToken);
        return result;
    }

    static DbCommand Command(DbConnection connection, DbTransaction transaction)
    {
        var command = connection.CreateCommand();
        (command.CommandText, command.Transaction) = (Sql, transaction);
        return command;
    }
}
