using Microsoft.EntityFrameworkCore;
using Portal.Domain.Jobs;
using Portal.Hosting;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Jobs;

/// <summary>The schedules that every installation has: each is made once, and stays as people change it.</summary>
public sealed class FirstSchedules(IDbContextFactory<PortalDbContext> contexts, PortalOptions options, TimeProvider clock) : IStartupStep
{
    static readonly JobScheduleId Weekly = new(new Guid("0198c000-0000-7000-8000-6a6f62000001"));

    public int Order => 200;

    public async Task Run(CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        if (await db.JobSchedules.AnyAsync(s => s.Id == Weekly, ct)) return;
        db.JobSchedules.Add(new JobSchedule(CheckDatabase.Kind, "The portal's own database", "{}", "30 3 * * 0", options.Public.TimeZone.Id, clock.GetUtcNow(), Weekly));
        try
        {
            await db.SaveChangesAsync(ct);
        }
        catch (DbUpdateException e) when (Contention.IsTaken(e))
        {
            // Another node made it at the same moment.
        }
    }
}
