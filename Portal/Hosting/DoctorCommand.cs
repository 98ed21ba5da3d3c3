using Npgsql;
using Portal.Infrastructure;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Postgres;
using Portal.Infrastructure.Security;

namespace Portal.Hosting;

/// <summary><c>portal doctor</c>: looks at everything that a start needs and changes nothing but a missing data folder.</summary>
public sealed class DoctorCommand(Toolbox tools, TextWriter output)
{
    bool sound = true;

    public async Task<int> Run(CancellationToken ct)
    {
        await output.WriteLineAsync($"ok       configuration: {ConfigurationSources.File}");
        var external = tools.Options.Database.ConnectionString is not null;
        if (!external) await Look("programs", () => Task.FromResult($"PostgreSQL {PostgresBinaries.Newest(PostgresBinaries.Installed()).Major} in {PostgresBinaries.Installed()[0].Folder}"));
        else if (tools.Options.Database.DumpBeforeMigration) await Look("programs", () => Task.FromResult($"pg_dump {PostgresBinaries.ForDumps().Major} in {PostgresBinaries.ForDumps().Folder}"));
        if (!external) await Look("account", () => Task.FromResult(ServerAccount.Find().Name ?? Environment.UserName));
        await Look("data folder", () =>
        {
            try
            {
                tools.Folder.Claim();
                return Task.FromResult(tools.Folder.Root);
            }
            catch (FolderInUseException e)
            {
                return Task.FromResult($"{tools.Folder.Root}, where a portal runs (process {e.Holder ?? "unknown"})");
            }
        });
        await Look("master key", () =>
        {
            if (!tools.Key.FileExists) return Task.FromResult("not made yet");
            tools.Key.Load();
            return Task.FromResult(tools.Key.File);
        });
        if (sound) await Look("database", () => LookAtDatabase(ct));
        await output.WriteLineAsync(sound ? "All is well." : "Something must be mended before the portal can start.");
        return sound ? 0 : 1;
    }

    async Task<string> LookAtDatabase(CancellationToken ct)
    {
        await using var source = Database.Connect(await tools.ConnectionBeside(ct));
        await using var db = new PortalDbContext(Database.OptionsFor(source));
        var state = await Migrator.State(db, ct);
        if (state.Unknown.Count > 0) throw new CannotStartException($"migrated by a newer version ({state.Unknown[^1]})");
        if (state.Applied.Count == 0) return "reachable, still empty";
        await using var connection = await source.OpenConnectionAsync(ct);
        if (tools.Key.FileExists) await new KeyCheck(tools.Key, new SecretBox(tools.Key)).Run(connection, ct);
        return $"{state.Applied.Count} migrations applied, {state.Pending.Count} pending, PostgreSQL {connection.PostgreSqlVersion}";
    }

    async Task Look(string part, Func<Task<string>> look)
    {
        try
        {
            await output.WriteLineAsync($"ok       {part}: {await look()}");
        }
        catch (Exception e) when (e is CannotStartException or IOException or NpgsqlException or UnauthorizedAccessException)
        {
            sound = false;
            await output.WriteLineAsync($"problem  {part}: {e.Message}");
        }
    }
}
