using Npgsql;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Postgres;
using Portal.Infrastructure.Security;

namespace Portal.Hosting;

/// <summary>One attempt to open the database: start or reach the server, keep a copy, migrate, check the master key.</summary>
public sealed class DatabaseOpening(PortalOptions options, EmbeddedPostgres postgres, DatabaseDump dump, Migrator migrator, KeyCheck keyCheck, Database database, ILogger<DatabaseOpening> log)
{
    public bool IsEmbedded => options.Database.ConnectionString is null;

    public async Task<string> Connection(CancellationToken ct) => options.Database.ConnectionString ?? await postgres.Start(ct);

    public async Task Open(CancellationToken ct)
    {
        var connection = await Connection(ct);
        await using (var source = Database.Connect(connection, "portal start"))
            await migrator.Up(source, token => KeepCopy(connection, token), keyCheck.Run, ct);
        database.Open(Database.Connect(connection));
    }

    /// <summary>After the private server was started again: on another port if somebody took the old one.</summary>
    public async Task Reopen(CancellationToken ct)
    {
        var connection = await Connection(ct);
        if (!database.IsOpen) return;
        if (new NpgsqlConnectionStringBuilder(connection).Port == new NpgsqlConnectionStringBuilder(database.Source.ConnectionString).Port) database.Source.Clear();
        else database.Open(Database.Connect(connection));
    }

    public async Task KeepCopy(string connection, CancellationToken ct)
    {
        if (!options.Database.DumpBeforeMigration) return;
        var file = await dump.Keep(connection, ct);
        log.LogInformation("Kept a copy of the database before the migration: {File}", file);
    }
}
