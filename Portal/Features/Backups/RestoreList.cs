using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>Restores, the one asked for last first.</summary>
public sealed class RestoreList(IDbContextFactory<PortalDbContext> contexts)
{
    /// <param name="Run">Null once its run is forgotten.</param>
    public sealed record Row(Restore Restore, string Target, JobRun? Run)
    {
        public RestoreBackup.Report? Report => Restore.Report is { } text ? JsonSerializer.Deserialize<RestoreBackup.Report>(text, JsonSerializerOptions.Web) : null;
    }

    /// <param name="backup">Only those of this one; null for all.</param>
    /// <param name="take">How many rows at most.</param>
    public async Task<IReadOnlyList<Row>> Load(BackupId? backup, JobRunId? after, int take, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewBackups);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var restores = db.Restores.AsNoTracking();
        if (after is { } last)
        {
            var at = await db.Restores.Where(r => r.Id == last).Select(r => (DateTimeOffset?)r.QueuedAt).SingleOrDefaultAsync(ct)
                ?? throw new DomainException("The value of after must be the next of an earlier answer, unchanged.", "after");
            restores = db.Restores.FromSql($"select r.*, r.xmin from restores r where (r.queued_at, r.id) < ({at}, {last.Value})").AsNoTracking();
        }
        if (backup is { } one) restores = restores.Where(r => r.BackupId == one);
        var rows = await restores.OrderByDescending(r => r.QueuedAt).ThenByDescending(r => r.Id).Take(take).ToListAsync(ct);
        var (ids, targets) = (rows.Select(r => r.Id).ToList(), rows.Select(r => r.TargetId).Distinct().ToList());
        var runs = await db.JobRuns.AsNoTracking().Where(r => ids.Contains(r.Id)).ToDictionaryAsync(r => r.Id, ct);
        var names = await db.BackupTargets.Where(t => targets.Contains(t.Id)).ToDictionaryAsync(t => t.Id, t => t.Name, ct);
        return [.. rows.Select(r => new Row(r, names[r.TargetId], runs.GetValueOrDefault(r.Id)))];
    }
}
