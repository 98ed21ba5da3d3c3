using Microsoft.EntityFrameworkCore;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Jobs;

/// <summary>Runs, the one queued last first.</summary>
public sealed class JobList(IDbContextFactory<PortalDbContext> contexts)
{
    public sealed record Filter(RunState? State = null, string? Kind = null, bool? Over = null);

    /// <param name="after">The last row of the part before.</param>
    /// <param name="take">How many rows; one more than is shown tells whether there are more.</param>
    public async Task<IReadOnlyList<JobRun>> Load(Filter filter, JobRunId? after, int take, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var runs = db.JobRuns.AsNoTracking();
        if (after is { } last)
        {
            var at = await db.JobRuns.Where(r => r.Id == last).Select(r => (DateTimeOffset?)r.QueuedAt).SingleOrDefaultAsync(ct)
                ?? throw new DomainException("The value of after must be the next of an earlier answer, unchanged.", "after");
            runs = db.JobRuns.FromSql($"select r.*, r.xmin from job_runs r where (r.queued_at, r.id) < ({at}, {last.Value})").AsNoTracking();
        }
        if (filter.State is { } state) runs = runs.Where(r => r.State == state);
        if (filter.Kind is { } kind) runs = runs.Where(r => r.Kind == kind);
        if (filter.Over is { } over) runs = over ? runs.Where(r => r.EndedAt != null) : runs.Where(r => r.EndedAt == null);
        return await runs.OrderByDescending(r => r.QueuedAt).ThenByDescending(r => r.Id).Take(take).ToListAsync(ct);
    }

    public async Task<JobRun> Find(JobRunId id, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        return await db.JobRuns.AsNoTracking().SingleOrDefaultAsync(r => r.Id == id, ct) ?? throw new NotFoundException("job");
    }

    /// <summary>The last lines of its log, in their order.</summary>
    /// <param name="after">The line after which they are wanted; 0 for none.</param>
    public async Task<IReadOnlyList<JobLogLine>> Tail(JobRunId id, int lines, long after, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var last = await db.JobLog.AsNoTracking().Where(l => l.RunId == id && l.Id > after).OrderByDescending(l => l.Id).Take(lines).ToListAsync(ct);
        return [.. last.AsEnumerable().Reverse()];
    }
}
