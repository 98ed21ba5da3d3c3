using Portal.Domain.Backups;
using Portal.Infrastructure;
using Portal.Infrastructure.Backups.Drills;
using Portal.Infrastructure.Postgres;

namespace Portal.Features.Drills;

/// <summary>Where drills of this node have their scratch servers.</summary>
public sealed class ScratchPlace(DataFolder data, TimeProvider clock, ILogger<ScratchClusters> log)
{
    /// <exception cref="BackupFailedException">No server can run on this machine.</exception>
    public async Task<ScratchClusters> Open(CancellationToken ct)
    {
        try
        {
            return await ScratchClusters.Of(data, ServerAccount.Find(), clock, log, ct);
        }
        catch (CannotStartException e)
        {
            throw new BackupFailedException(BackupFailure.Refused, $"The drill is impossible because no PostgreSQL can be started on this machine: {e.Message}", e);
        }
    }
}
