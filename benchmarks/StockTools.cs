using System.Diagnostics;
using Portal.E2E.Support;

namespace Portal.Benchmarks;

/// <summary>What every machine has, run in a shell in a folder on the portal's disk, with the way to the portal's own server in its environment.</summary>
sealed class StockTools(string folder, string port, string password)
{
    const string Cipher = "-aes-256-cbc -pbkdf2 -iter 10000 -md sha256 -pass file:key";

    public string Connection(string database) => $"Host=127.0.0.1;Port={port};Database={database};Username=portal;Password={password}";

    public static async Task<StockTools> Of(PortalProcess portal)
    {
        var tools = new StockTools(Directory.CreateDirectory(Path.Combine(portal.Data, "stock")).FullName,
            File.ReadLines(Path.Combine(portal.Data, "postgres", "postmaster.pid")).ElementAt(3), (await File.ReadAllTextAsync(Path.Combine(portal.Data, "keys", "postgres.password"))).Trim());
        await tools.Run("openssl rand -hex 32 > key");
        return tools;
    }

    /// <returns>What the statement answers.</returns>
    public async Task<string> Ask(string database, string statement) => (await Run("psql -v ON_ERROR_STOP=1 -qAt -d \"$1\" -c \"$2\"", database, statement)).Said;

    /// <summary>What was done before is on the disk, and is not written while something else is measured.</summary>
    public Task Settle() => Run("psql -qc checkpoint -d portal; sync");

    public async Task<(string Sum, TimeSpan Took)> BackUp(string database, int level) =>
        await Run($"pg_dump -Fc -Z0 -d \"$1\" | gzip -{level} | openssl enc {Cipher} -salt | tee backup | sha256sum | cut -c 1-64", database);

    public long BackupBytes => new FileInfo(Path.Combine(folder, "backup")).Length;

    /// <summary>The checksum first, then into a database that does not exist yet; at the end every table is counted.</summary>
    public async Task<Restored> Restore(string sum, string database, IReadOnlyList<string> tables)
    {
        var (found, checking) = await Run("sha256sum < backup | cut -c 1-64");
        if (found != sum) throw new InvalidOperationException("The stock backup is not what was written.");
        var (_, restoring) = await Run($"psql -qd portal -c \"create database $1 template template0\"; openssl enc -d {Cipher} -in backup | gunzip | pg_restore --exit-on-error --no-owner --no-acl -d \"$1\"", database);
        var counting = Stopwatch.StartNew();
        var rows = await Count(database, tables);
        return new(checking.TotalSeconds, restoring.TotalSeconds, counting.Elapsed.TotalSeconds, rows);
    }

    /// <returns>The rows of each table.</returns>
    public async Task<string> Count(string database, IReadOnlyList<string> tables) => (await Run("printf 'select count(*) from %s;\n' \"${@:2}\" | psql -v ON_ERROR_STOP=1 -qAt -d \"$1\"", [database, .. tables])).Said;

    /// <param name="Restoring">With the making of the database.</param>
    public sealed record Restored(double Checking, double Restoring, double Counting, string Rows)
    {
        public double Whole => Checking + Restoring + Counting;
    }

    async Task<(string Said, TimeSpan Took)> Run(string script, params string[] arguments)
    {
        var start = new ProcessStartInfo("bash", ["-c", "set -euo pipefail; " + script, "bash", .. arguments]) { WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        (start.Environment["PGHOST"], start.Environment["PGPORT"], start.Environment["PGUSER"], start.Environment["PGPASSWORD"]) = ("127.0.0.1", port, "portal", password);
        var took = Stopwatch.StartNew();
        using var shell = Process.Start(start)!;
        shell.StandardInput.Close();
        var (answer, complaint) = (shell.StandardOutput.ReadToEndAsync(), shell.StandardError.ReadToEndAsync());
        await shell.WaitForExitAsync();
        took.Stop();
        return shell.ExitCode == 0 ? ((await answer).Trim(), took.Elapsed) : throw new InvalidOperationException($"{script} failed: {await complaint}");
    }
}
