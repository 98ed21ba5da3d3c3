using Microsoft.EntityFrameworkCore;
using Portal.Features.Access;
using Portal.Features.Audit;
using Portal.Features.Backups;
using Portal.Infrastructure;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Postgres;
using Portal.Infrastructure.Security;

namespace Portal.Hosting;

/// <summary>What the program does instead of serving, by its first word.</summary>
public static class Commands
{
    const string Known = "Commands are: migrate status|up|down [NAME]|script, doctor, admin reset EMAIL, audit verify [--anchors PATH], restore [list | BACKUP], probe --server URL --key KEY. Without a command the portal starts.";

    /// <returns>The exit code.</returns>
    public static async Task<int> Run(CommandLine line)
    {
        using var configuration = new ConfigurationManager();
        if (Startup.ReadOptions(configuration, line) is not { } options) return Startup.Refused;
        using var stop = new CancellationTokenSource();
        Console.CancelKeyPress += (_, pressed) => { pressed.Cancel = true; stop.Cancel(); };
        using var tools = new Toolbox(options);
        try
        {
            return line switch
            {
                { Word: "migrate" } => await new MigrateCommand(tools, Console.Out).Run(line.Rest, stop.Token),
                { Word: "admin" } => await new AdminCommand(tools, Console.Out).Run(line.Rest, stop.Token),
                { Word: "restore" } => await new RestoreCommand(tools, line.Settings, Console.Out).Run(line.Rest, stop.Token),
                { Word: "audit" } => await new AuditCommand(tools, Console.Out).Run(line.Rest, line.Settings.GetValueOrDefault("Audit:Anchors"), stop.Token),
                { Word: "probe" } => await ProbeCommand.Run(line.Settings, stop.Token),
                { Word: "doctor" } => await new DoctorCommand(tools, Console.Out).Run(stop.Token),
                _ => throw new CannotStartException($"There is no command \"{line.Word}\". {Known}"),
            };
        }
        catch (CannotStartException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return Startup.Refused;
        }
        catch (Exception e) when (Components.Refusal.IsDatabaseAway(e) || e is IOException)
        {
            await Console.Error.WriteLineAsync($"The database cannot be reached: {e.Message}");
            return 1;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return 130;
        }
        finally
        {
            await tools.Postgres.Stop();
        }
    }
}

/// <summary>What commands work with: the same parts as the server's, without a host.</summary>
public sealed class Toolbox : IDisposable
{
    readonly ILoggerFactory logs = LoggerFactory.Create(b => b
        .AddSimpleConsole(c => c.SingleLine = true).AddConsole(c => c.LogToStandardErrorThreshold = LogLevel.Trace).SetMinimumLevel(LogLevel.Warning));

    public Toolbox(PortalOptions options)
    {
        (Options, Folder) = (options, new DataFolder(options.DataPath));
        Postgres = new EmbeddedPostgres(Folder, TimeProvider.System, logs.CreateLogger<EmbeddedPostgres>());
        Migrator = new Migrator(logs.CreateLogger<Migrator>());
        Dump = new DatabaseDump(Folder, TimeProvider.System);
        Key = new MasterKey(options.MasterKeyFile ?? Folder.DefaultMasterKeyFile);
    }

    public PortalOptions Options { get; }
    public DataFolder Folder { get; }
    public EmbeddedPostgres Postgres { get; }
    public Migrator Migrator { get; }
    public DatabaseDump Dump { get; }
    public MasterKey Key { get; }

    /// <summary>The configured database, or the data folder's own, started for as long as the command lasts.</summary>
    public async Task<string> Connection(CancellationToken ct)
    {
        if (Options.Database.ConnectionString is { } configured) return configured;
        Folder.Claim();
        return await Postgres.Start(ct);
    }

    /// <summary>As <see cref="Connection"/>; where a portal runs on the data folder, its server is used and left running.</summary>
    public async Task<string> ConnectionBeside(CancellationToken ct)
    {
        try
        {
            return await Connection(ct);
        }
        catch (FolderInUseException) when (Postgres.Beside() is { } running) { return running; }
    }

    public Task KeepCopy(string connection, CancellationToken ct) => Options.Database.DumpBeforeMigration ? Dump.Keep(connection, ct) : Task.CompletedTask;

    public void Dispose()
    {
        Postgres.Dispose();
        Folder.Dispose();
        logs.Dispose();
    }
}
