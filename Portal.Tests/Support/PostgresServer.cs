using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.Infrastructure.Persistence;

namespace Portal.Tests.Support;

/// <summary>The one real PostgreSQL of a test run: started on first use, stopped with the process. A migrated template is cloned for each class.</summary>
/// <remarks><c>PORTAL_TEST_POSTGRES</c> names a server that is there already (a superuser's connection string); then none is started.</remarks>
static class PostgresServer
{
    static readonly Lazy<Task<string>> Started = new(Start);
    static readonly string Template = $"template_{Environment.ProcessId}";
    static int clones;

    public static async Task<string> Clone()
    {
        var admin = await Started.Value;
        var name = $"test_{Environment.ProcessId}_{Interlocked.Increment(ref clones)}";
        await Execute(admin, $"create database {name} template {Template}");
        return new NpgsqlConnectionStringBuilder(admin) { Database = name }.ConnectionString;
    }

    /// <summary>A database without any schema.</summary>
    public static async Task<string> Empty()
    {
        var admin = await Started.Value;
        var name = $"empty_{Environment.ProcessId}_{Interlocked.Increment(ref clones)}";
        await Execute(admin, $"create database {name}");
        return new NpgsqlConnectionStringBuilder(admin) { Database = name }.ConnectionString;
    }

    public static async Task Drop(string connection)
    {
        var admin = await Started.Value;
        await Execute(admin, $"drop database if exists {new NpgsqlConnectionStringBuilder(connection).Database} with (force)");
    }

    static async Task<string> Start()
    {
        var admin = Environment.GetEnvironmentVariable("PORTAL_TEST_POSTGRES") ?? StartServer();
        await Execute(admin, $"create database {Template}");
        var template = new NpgsqlConnectionStringBuilder(admin) { Database = Template, Pooling = false }.ConnectionString;
        await using (var source = Database.Connect(template))
        await using (var db = new PortalDbContext(Database.OptionsFor(source)))
            await db.Database.MigrateAsync();
        NpgsqlConnection.ClearAllPools();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Execute(admin, $"drop database if exists {Template} with (force)").GetAwaiter().GetResult();
        return admin;
    }

    static string StartServer() => StartOne(Directory.CreateTempSubdirectory("portal-tests-").FullName);

    /// <summary>PostgreSQL refuses to run as root.</summary>
    internal static string Programs => $"{(Environment.UserName == "root" ? "setpriv --reuid=postgres --regid=postgres --clear-groups " : "")}{Directory.GetDirectories("/usr/lib/postgresql").OrderByDescending(d => d, StringComparer.Ordinal).First()}/bin";

    /// <returns>A superuser's way to it.</returns>
    internal static string StartOne(string folder)
    {
        var port = PortalProcess.FreePort();
        Shell($"chown postgres {folder} 2>/dev/null; cd / && {Programs}/initdb -D {folder}/data -A trust -U postgres -E UTF8 --no-locale --no-sync >/dev/null && " +
              $"{Programs}/pg_ctl -D {folder}/data -o '-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=300' -l {folder}/log -w start >/dev/null");
        // Ended together with the test process even if that is killed: a watcher waits for our end.
        Process.Start(new ProcessStartInfo("setsid", ["bash", "-c", $"while kill -0 {Environment.ProcessId} 2>/dev/null && [ -d {folder} ]; do sleep 1; done; cd /; [ ! -d {folder} ] || {Programs}/pg_ctl -D {folder}/data -m immediate stop; rm -rf {folder}"])
        { RedirectStandardOutput = true, RedirectStandardError = true });
        return $"Host=127.0.0.1;Port={port};Username=postgres;Database=postgres;Include Error Detail=true";
    }

    internal static void Shell(string command)
    {
        using var process = Process.Start(new ProcessStartInfo("bash", ["-c", command]) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"PostgreSQL for the tests did not start: {error}");
    }

    static async Task Execute(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
