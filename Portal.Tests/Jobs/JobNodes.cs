using System.Text.RegularExpressions;
using Portal.Tests.Support;

namespace Portal.Tests.Jobs;

/// <summary>Processes that work on the jobs of one database, each with a data folder of its own, and soon notice that another one has ended.</summary>
sealed class JobNodes(string connection, string masterKey, IReadOnlyDictionary<string, string> settings) : IAsyncDisposable
{
    readonly List<(PortalProcess Process, ScratchFolder Folder)> started = [];

    public static string NameOf(PortalProcess node) => Regex.Match(node.Output, @"Node (\S+) runs").Groups[1].Value;

    public async Task<PortalProcess> Start()
    {
        var folder = new ScratchFolder();
        var process = PortalProcess.Serve(folder.Path, new(settings)
        {
            ["Database:ConnectionString"] = connection,
            ["Security:MasterKeyFile"] = masterKey,
            ["Timing:JobLeaseSeconds"] = "2",
            ["Timing:JobSweepSeconds"] = "0.5",
            ["Timing:JobCheckInSeconds"] = "1",
            ["Timing:JobCheckInThresholdSeconds"] = "2",
            ["Timing:BackupUpkeepSeconds"] = "0.5",
            ["Logging:Format"] = "plain",
        });
        lock (started) started.Add((process, folder));
        await process.Ready();
        return process;
    }

    /// <summary>Nothing of them is left to be ended well.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var (process, folder) in started)
        {
            if (!process.HasExited) process.Signal("KILL");
            await process.DisposeAsync();
            folder.Dispose();
        }
    }
}
