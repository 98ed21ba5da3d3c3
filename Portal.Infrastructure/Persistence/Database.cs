using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Portal.Infrastructure.Persistence;

/// <summary>The way to PostgreSQL. Until the supervised start has opened it, every use answers that the database is away.</summary>
public sealed class Database : IDbContextFactory<PortalDbContext>, IAsyncDisposable
{
    readonly TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    NpgsqlDataSource? source;
    DbContextOptions<PortalDbContext>? options;

    public NpgsqlDataSource Source => source ?? throw new DatabaseAwayException();

    /// <summary>Completes when the schema is there and contexts can be made; not whether the server answers at this moment.</summary>
    public Task Opened => opened.Task;

    public bool IsOpen => opened.Task.IsCompletedSuccessfully;

    /// <summary>After so long without a notice a listening connection is asked whether it lives.</summary>
    static readonly TimeSpan Quiet = TimeSpan.FromSeconds(5);

    public const int ConnectSeconds = 3, CommandSeconds = 8;

    /// <summary>
    /// Short time-outs, so that a screen says what is wrong instead of hanging: 3 s to connect and 8 s a command. A server that hangs costs 6 s more, because the driver
    /// tries twice to connect for the cancellation. No keep-alive of the driver: it holds a connection while it asks, and who wants it waits for both.
    /// </summary>
    public static NpgsqlDataSource Connect(string connectionString, string applicationName = "portal")
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString) { ApplicationName = applicationName };
        if (!connectionString.Contains("Timeout", StringComparison.OrdinalIgnoreCase)) (builder.Timeout, builder.CommandTimeout, builder.CancellationTimeout) = (ConnectSeconds, CommandSeconds, 500);
        return new NpgsqlDataSourceBuilder(builder.ConnectionString).Build();
    }

    /// <summary>Hears notices for ever, and asks when it is quiet for long: a connection that died in silence would be waited on for ever.</summary>
    public static async Task Hear(NpgsqlConnection connection, CancellationToken ct)
    {
        while (true)
            if (!await connection.WaitAsync(Quiet, ct))
            {
                await using var alive = new NpgsqlCommand("select 1", connection) { CommandTimeout = CommandSeconds };
                await alive.ExecuteNonQueryAsync(ct);
            }
    }

    public static DbContextOptions<PortalDbContext> OptionsFor(NpgsqlDataSource source) =>
        new DbContextOptionsBuilder<PortalDbContext>().UseNpgsql(source).Options;

    public void Open(NpgsqlDataSource dataSource)
    {
        source = dataSource;
        options = new DbContextOptionsBuilder<PortalDbContext>(OptionsFor(dataSource)).AddInterceptors(new AnnounceAfterCommit(Tell), new IdleLimit()).Options;
        opened.TrySetResult();
    }

    /// <summary>Two held the same rows in different orders, or saw each other's half: whoever lost tries again.</summary>
    public static bool IsLostRace(Exception e) => e is PostgresException { SqlState: PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure } || e.InnerException is { } inner && IsLostRace(inner);

    /// <summary>Told of everything that this process committed, on the committing thread: whoever listens returns at once.</summary>
    public event Action<Announcement>? Committed;

    /// <summary>For what is written without a context, after its commit.</summary>
    public void Tell(Announcement announcement) => Committed?.Invoke(announcement);

    public PortalDbContext CreateDbContext() => new(options ?? throw new DatabaseAwayException());

    public async ValueTask DisposeAsync()
    {
        if (source is not null) await source.DisposeAsync();
    }
}

/// <summary>PostgreSQL has not been reached yet since the start.</summary>
public sealed class DatabaseAwayException() : Exception("The database cannot be reached at the moment.");
