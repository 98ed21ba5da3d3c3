using Npgsql;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Postgres;
using Portal.Infrastructure.Security;

namespace Portal.Hosting;

/// <summary>One attempt to open the database: start or reach the server, keep a copy, migrate, check the master key.</summary>
public sealed class DatabaseOpening(
    PortalOptions options, EmbeddedPostgres postgres, DatabaseDump dump, Migrator migrator, KeyCheck keyCheck, Database database, TimeProvider clock, ILogger<DatabaseOpening> log) : IAsyncDisposable
{
    /// <summary>Whoever began with the old way to the database has failed by then: connecting ends after 3 s, a command after 10 s.</summary>
    static readonly TimeSpan LongestUse = TimeSpan.FromMinutes(1);

    readonly CancellationTokenSource closing = new();
    readonly List<Task> retiring = [];

    public bool IsEmbedded => options.Database.ConnectionString is null;

    public async Task<string> Connection(CancellationToken ct) => options.Database.ConnectionString ?? await postgres.Start(ct);

    public async Task Open(CancellationToken ct)
    {
        var connection = await Connection(ct);
        await using (var source = Database.Connect(connection, "portal start"))
            await migrator.Up(source, token => KeepCopy(connection, token), Prepare, ct);
        database.Open(Database.Connect(connection));
    }

    async Task Prepare(NpgsqlConnection connection, CancellationToken ct)
    {
        await keyCheck.Run(connection, ct);
        if (await RecoveryEpoch.Run(connection, ct) is { } recovery)
            log.LogWarning("This database was restored from a backup that shows {Shows}: {Runs} jobs were interrupted, {Held} messages are held, {Sessions} sessions ended", recovery.Shows, recovery.Runs, recovery.Held, recovery.Sessions);
    }

    /// <summary>After the private server was started again: on another port if somebody took the old one.</summary>
    public async Task Reopen(CancellationToken ct)
    {
        var connection = await Connection(ct);
        if (!database.IsOpen) return;
        var old = database.Source;
        if (new NpgsqlConnectionStringBuilder(connection).Port != new NpgsqlConnectionStringBuilder(old.ConnectionString).Port)
        {
            database.Open(Database.Connect(connection));
            retiring.RemoveAll(t => t.IsCompleted);
            retiring.Add(Retire(old));
        }
        old.Clear();
    }

    /// <summary>Not at once: an operation that still holds it shall hear that the database is away, not that something of ours is broken.</summary>
    async Task Retire(NpgsqlDataSource old)
    {
        await Task.Delay(LongestUse, clock, closing.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await old.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await Task.WhenAll(retiring);
        closing.Dispose();
    }

    public async Task KeepCopy(string connection, CancellationToken ct)
    {
        if (!options.Database.DumpBeforeMigration) return;
        var file = await dump.Keep(connection, ct);
        log.LogInformation("Kept a copy of the database before the migration: {File}", file);
    }
}
