namespace Portal.Tests.Support;

/// <summary>A PostgreSQL that a test class has for itself, because it is stopped in the midst of work.</summary>
public sealed class OwnPostgres : IAsyncLifetime
{
    readonly string folder = Directory.CreateTempSubdirectory("portal-own-postgres-").FullName;

    /// <summary>A superuser's way to it.</summary>
    public string ConnectionString { get; private set; } = "";

    public async Task InitializeAsync() => ConnectionString = await Task.Run(() => PostgresServer.StartOne(folder));

    /// <summary>Ends every connection and serves again when this returns.</summary>
    /// <param name="mode">fast, as an administrator does it, or immediate, as after a crash.</param>
    public Task Restart(string mode) => Task.Run(() => PostgresServer.Shell($"cd / && {PostgresServer.Programs}/pg_ctl -D {folder}/data -m {mode} -l {folder}/log -w restart >/dev/null"));

    public Task DisposeAsync() => Task.Run(() => PostgresServer.Shell($"cd / && {PostgresServer.Programs}/pg_ctl -D {folder}/data -m immediate -w stop >/dev/null; rm -rf {folder}"));
}
