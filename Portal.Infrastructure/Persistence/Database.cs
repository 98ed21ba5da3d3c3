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

    /// <summary>Short time-outs, so that a screen says what is wrong instead of hanging: 3 s to connect, 10 s a command, and half a second more for a cancelled one to say so.</summary>
    public static NpgsqlDataSource Connect(string connectionString, string applicationName = "portal")
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString) { ApplicationName = applicationName };
        if (!connectionString.Contains("Timeout", StringComparison.OrdinalIgnoreCase)) (builder.Timeout, builder.CommandTimeout, builder.CancellationTimeout) = (3, 10, 500);
        // Finds out, for who only listens, that the other side is gone without a word.
        if (!connectionString.Contains("Keepalive", StringComparison.OrdinalIgnoreCase)) builder.KeepAlive = 5;
        return new NpgsqlDataSourceBuilder(builder.ConnectionString).Build();
    }

    public static DbContextOptions<PortalDbContext> OptionsFor(NpgsqlDataSource source) =>
        new DbContextOptionsBuilder<PortalDbContext>().UseNpgsql(source).Options;

    public void Open(NpgsqlDataSource dataSource)
    {
        source = dataSource;
        options = OptionsFor(dataSource);
        opened.TrySetResult();
    }

    public PortalDbContext CreateDbContext() => new(options ?? throw new DatabaseAwayException());

    public async ValueTask DisposeAsync()
    {
        if (source is not null) await source.DisposeAsync();
    }
}

/// <summary>PostgreSQL has not been reached yet since the start.</summary>
public sealed class DatabaseAwayException() : Exception("The database cannot be reached at the moment.");
