using System.Globalization;
using System.Text;
using Npgsql;
using Portal.Domain.Backups;

namespace Portal.Tests.Backups;

/// <summary>A table that nobody can read until it is disposed: a dump waits before its first byte.</summary>
sealed class HeldTable : IAsyncDisposable
{
    readonly NpgsqlConnection connection;

    HeldTable(NpgsqlConnection connection) => this.connection = connection;

    public static async Task<HeldTable> Hold(string way, string table)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(way) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var hold = new NpgsqlCommand($"begin; lock table {table} in access exclusive mode", connection);
        await hold.ExecuteNonQueryAsync();
        return new(connection);
    }

    public ValueTask DisposeAsync() => connection.DisposeAsync();
}

/// <summary>A role for as long as which every restore of a database waits at its last step: a view that is filled then, by a function that looks for the role.</summary>
sealed class HeldRestore : IAsyncDisposable
{
    readonly string way, role;

    HeldRestore(string way, string role) => (this.way, this.role) = (way, role);

    /// <summary>To be planted before the database is backed up.</summary>
    /// <param name="way">To the database.</param>
    public static async Task<HeldRestore> Plant(string way)
    {
        var role = $"hold_{Guid.CreateVersion7():N}";
        await OddDatabase.Execute(way, $"""
            create function waits() returns boolean language plpgsql as $$
                begin while exists (select from pg_catalog.pg_roles where rolname = '{role}') loop perform pg_catalog.pg_sleep(0.02); end loop; return true; end $$;
            create materialized view waited as select waits();
            """);
        return new(way, role);
    }

    public async Task<HeldRestore> Begin()
    {
        await OddDatabase.Execute(way, $"create role {role}");
        return this;
    }

    /// <summary>The database that waits so; null while none does.</summary>
    public async Task<string?> Waiting() =>
        await OddDatabase.Execute(way, $"select datname from pg_stat_activity where datname like '{Restore.UnfinishedName(default)[..^32]}%' and query ilike 'refresh materialized view%' and state = 'active'") as string;

    public async ValueTask DisposeAsync() => await OddDatabase.Execute(way, $"drop role if exists {role}");
}

/// <summary>Programs of PostgreSQL that work on a database just now, whosever children they are.</summary>
static class DatabasePrograms
{
    /// <returns>The numbers of their processes.</returns>
    public static IReadOnlyList<int> On(string database)
    {
        var found = new List<int>();
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(d => Path.GetFileName(d).All(char.IsAsciiDigit)))
            try
            {
                var words = Encoding.UTF8.GetString(File.ReadAllBytes(Path.Combine(process, "cmdline"))).Split('\0');
                if ((words[0].EndsWith("/pg_dump", StringComparison.Ordinal) || words[0].EndsWith("/pg_restore", StringComparison.Ordinal)) && words.Any(w => w.Contains($"dbname='{database}'", StringComparison.Ordinal)))
                    found.Add(int.Parse(Path.GetFileName(process), CultureInfo.InvariantCulture));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It ended just now.
                continue;
            }
        return found;
    }
}
