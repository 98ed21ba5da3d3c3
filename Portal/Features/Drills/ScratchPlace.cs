using System.Globalization;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Infrastructure;
using Portal.Infrastructure.Backups.Drills;
using Portal.Infrastructure.Postgres;

namespace Portal.Features.Drills;

/// <summary>Where drills of this node have their scratch servers.</summary>
public sealed class ScratchPlace(DataFolder data, TimeProvider clock, ILogger<ScratchClusters> log)
{
    /// <summary>Each attempt has one of its own: a late one that clears away after itself touches nothing of the next.</summary>
    public static string NameOf(JobRunId run, int attempt) => string.Create(CultureInfo.InvariantCulture, $"{run}-{attempt}");

    /// <summary>Null for a name that is none of ours.</summary>
    public static JobRunId? RunOf(string name) => Id.TryParse<JobRunId>(name.Split('-')[0], out var id) ? id : null;

    /// <exception cref="BackupFailedException">No server can run on this machine.</exception>
    public async Task<ScratchClusters> Open(CancellationToken ct)
    {
        try
        {
            return await ScratchClusters.Of(data, ServerAccount.OfStrangers(), clock, log, ct);
        }
        catch (CannotStartException e)
        {
            throw new BackupFailedException(BackupFailure.Refused, $"The drill is impossible because no PostgreSQL can be started on this machine: {e.Message}", e);
        }
    }
}
