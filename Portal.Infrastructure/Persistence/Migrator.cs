using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Portal.Infrastructure.Persistence;

/// <summary>Which migrations a database has, and which of this program it lacks; oldest first.</summary>
/// <param name="Unknown">Applied by a newer program.</param>
public sealed record MigrationState(IReadOnlyList<string> Applied, IReadOnlyList<string> Pending, IReadOnlyList<string> Unknown);

/// <summary>Brings the schema up or down, one node at a time.</summary>
public sealed class Migrator(ILogger<Migrator> log)
{
    /// <summary>Any number that nothing else in this database locks.</summary>
    const long Lock = 0x706F7274616C;

    static readonly TimeSpan Patience = TimeSpan.FromMinutes(30);

    /// <summary>Up to the newest. An existing database is copied first.</summary>
    /// <param name="keepCopy">Called before an existing database is changed.</param>
    /// <param name="afterwards">Called with the lock still held, also when there was nothing to do.</param>
    public Task Up(NpgsqlDataSource source, Func<CancellationToken, Task> keepCopy, Func<NpgsqlConnection, CancellationToken, Task> afterwards, CancellationToken ct) =>
        Locked(source, async (db, connection) =>
        {
            var state = await State(db, ct);
            if (state.Unknown.Count > 0)
                throw new CannotStartException($"The database was migrated by a newer version of the portal ({state.Unknown[^1]}): start that version, or take the database back with its \"portal migrate down\".");
            if (state.Pending.Count > 0)
            {
                if (await HoldsTables(connection, ct)) await keepCopy(ct);
                log.LogInformation("Migrating the database: {Migrations}", string.Join(", ", state.Pending));
                await db.Database.MigrateAsync(ct);
            }
            await afterwards(connection, ct);
        }, ct);

    /// <param name="target">The migration to end at, by name or id; <c>0</c> removes everything; null goes one step back.</param>
    /// <returns>What was taken back, newest first.</returns>
    public async Task<IReadOnlyList<string>> Down(NpgsqlDataSource source, string? target, Func<CancellationToken, Task> keepCopy, CancellationToken ct)
    {
        IReadOnlyList<string> undone = [];
        await Locked(source, async (db, _) =>
        {
            var applied = (await State(db, ct)).Applied;
            var to = target switch
            {
                null => applied.Count > 1 ? applied[^2] : "0",
                "0" => "0",
                _ => applied.FirstOrDefault(m => m == target || NameOf(m) == target)
                    ?? throw new CannotStartException($"There is no applied migration \"{target}\". Applied are: {string.Join(", ", applied)}."),
            };
            undone = [.. applied.SkipWhile(m => to != "0" && m != to).Skip(to == "0" ? 0 : 1).Reverse()];
            if (undone.Count == 0) return;
            await keepCopy(ct);
            log.LogWarning("Taking the database back: {Migrations}", string.Join(", ", undone));
            await db.GetService<IMigrator>().MigrateAsync(to == "0" ? Migration.InitialDatabase : to, ct);
        }, ct);
        return undone;
    }

    public static async Task<MigrationState> State(PortalDbContext db, CancellationToken ct)
    {
        var known = db.Database.GetMigrations().ToList();
        var applied = (await db.Database.GetAppliedMigrationsAsync(ct)).ToList();
        return new MigrationState([.. applied.Where(known.Contains)], [.. known.Except(applied)], [.. applied.Except(known)]);
    }

    /// <summary>SQL that brings a database of any older version up.</summary>
    public static string Script(PortalDbContext db) => db.GetService<IMigrator>().GenerateScript(options: MigrationsSqlGenerationOptions.Idempotent);

    static string NameOf(string id) => id[(id.IndexOf('_', StringComparison.Ordinal) + 1)..];

    static async Task Locked(NpgsqlDataSource source, Func<PortalDbContext, NpgsqlConnection, Task> work, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await Execute(connection, "select pg_advisory_lock($1)", ct);
        try
        {
            await using var db = new PortalDbContext(Database.OptionsFor(source));
            db.Database.SetCommandTimeout(Patience);
            await work(db, connection);
        }
        finally
        {
            // Where the connection broke the server has released it already.
            if (connection.State == System.Data.ConnectionState.Open) await Execute(connection, "select pg_advisory_unlock($1)", CancellationToken.None);
        }
    }

    static async Task<bool> HoldsTables(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select exists (select from pg_tables where schemaname not in ('pg_catalog', 'information_schema'))", connection);
        return (bool)(await command.ExecuteScalarAsync(ct))!;
    }

    static async Task Execute(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = (int)Patience.TotalSeconds, Parameters = { new() { Value = Lock } } };
        await command.ExecuteNonQueryAsync(ct);
    }
}
