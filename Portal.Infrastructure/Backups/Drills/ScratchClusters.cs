using System.Text.Json;
using Microsoft.Extensions.Logging;
using Portal.Domain.Backups;
using Portal.Infrastructure.Postgres;

namespace Portal.Infrastructure.Backups.Drills;

/// <summary>Where drills have their private PostgreSQL: a folder a run, with a mark of whose it is, so that what a crash leaves is found and removed.</summary>
/// <param name="root">PostgreSQL's user must be able to pass it.</param>
public sealed class ScratchClusters(string root, ServerAccount account, TimeProvider clock, ILogger<ScratchClusters> log)
{
    public static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(10);
    /// <summary>One without a mark may just be coming about.</summary>
    static readonly TimeSpan Young = TimeSpan.FromMinutes(10);
    const UnixFileMode Passable = PrivateFile.FolderMode | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
    const string Mark = "owner.json";

    /// <summary>Whose a scratch cluster is.</summary>
    /// <param name="Run">The run that drills.</param>
    public sealed record Ownership(string Run, ProcessMark Owner, DateTimeOffset MadeAt);

    public string Root => root;

    /// <summary>Who runs them.</summary>
    public string AccountName => account.Name ?? Environment.UserName;

    /// <summary>In the data folder, unless PostgreSQL's user cannot get there.</summary>
    public static async Task<ScratchClusters> Of(DataFolder data, ServerAccount account, TimeProvider clock, ILogger<ScratchClusters> log, CancellationToken ct)
    {
        var reachable = await account.CanEnter(data.Root, ct);
        return new ScratchClusters(reachable ? Path.Combine(data.Root, "drills") : Path.Combine(ClusterPlace.Elsewhere, $"{data.Hash}.drills"), account, clock, log);
    }

    /// <summary>A running server for one run, empty. What an earlier attempt of the run left is removed first.</summary>
    /// <param name="run">Lower-case letters, digits and hyphens.</param>
    /// <param name="owner">The process with whose end it loses its right to be; as a rule our own.</param>
    /// <exception cref="BackupFailedException">It does not come about; nothing is left behind.</exception>
    public async Task<ScratchCluster> Make(string run, ProcessMark owner, PostgresBinaries binaries, CancellationToken ct)
    {
        if (run.Length is 0 or > 64 || !run.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')) throw new ArgumentException($"\"{run}\" is no name of a run.", nameof(run));
        var cluster = new ScratchCluster(run, Path.Combine(root, run), account, clock, log);
        try
        {
            MakeRoot();
            await cluster.Remove();
            Directory.CreateDirectory(cluster.Folder);
            File.SetUnixFileMode(cluster.Folder, account.Name is null ? PrivateFile.FolderMode : Passable);
            PrivateFile.Write(Path.Combine(cluster.Folder, Mark), JsonSerializer.SerializeToUtf8Bytes(new Ownership(run, owner, clock.GetUtcNow())));
            await cluster.Start(binaries, ct);
            return cluster;
        }
        catch (Exception e)
        {
            await cluster.Remove();
            if (e is CannotStartException or UnauthorizedAccessException) throw new BackupFailedException(BackupFailure.Refused, $"No scratch server could be made: {e.Message}", e);
            if (e is IOException) throw new BackupFailedException(BackupFailure.Passing, $"No scratch server could be made: {e.Message}", e);
            throw;
        }
    }

    /// <summary>Removes every cluster whose owner is gone or whose run is over.</summary>
    /// <returns>How many.</returns>
    public async Task<int> Sweep(Func<string, CancellationToken, Task<bool>> isOver, CancellationToken ct)
    {
        if (!Directory.Exists(root)) return 0;
        var removed = 0;
        foreach (var folder in new DirectoryInfo(root).EnumerateDirectories().ToList())
        {
            if (await IsOwned(folder, isOver, ct)) continue;
            try
            {
                await new ScratchCluster(folder.Name, folder.FullName, account, clock, log).Remove();
                log.LogWarning("Removed the scratch server {Folder}: its drill is over or its portal has ended", folder.FullName);
                removed++;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                log.LogError(e, "The scratch server {Folder} cannot be removed; tried again later", folder.FullName);
            }
        }
        return removed;
    }

    /// <summary>Sweeps now and every ten minutes, until it is cancelled.</summary>
    public async Task KeepSwept(Func<string, CancellationToken, Task<bool>> isOver, CancellationToken ct)
    {
        using var timer = new PeriodicTimer(SweepEvery, clock);
        do
        {
            try
            {
                await Sweep(isOver, ct);
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                log.LogWarning(e, "Scratch servers could not be looked through; tried again later");
            }
        }
        while (await timer.WaitForNextTickAsync(ct));
    }

    async Task<bool> IsOwned(DirectoryInfo folder, Func<string, CancellationToken, Task<bool>> isOver, CancellationToken ct) =>
        Read(folder) is { } known ? known.Owner.IsAlive() && !await isOver(known.Run, ct) : clock.GetUtcNow() - folder.LastWriteTimeUtc < Young;

    static Ownership? Read(DirectoryInfo folder)
    {
        try
        {
            return JsonSerializer.Deserialize<Ownership>(File.ReadAllBytes(Path.Combine(folder.FullName, Mark)));
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return null;
        }
    }

    void MakeRoot()
    {
        if (account.Name is not null && Path.GetDirectoryName(root) == ClusterPlace.Elsewhere)
        {
            Directory.CreateDirectory(ClusterPlace.Elsewhere);
            File.SetUnixFileMode(ClusterPlace.Elsewhere, Passable);
        }
        Directory.CreateDirectory(root);
        File.SetUnixFileMode(root, account.Name is null ? PrivateFile.FolderMode : Passable);
    }
}
