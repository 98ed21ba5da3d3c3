using Microsoft.EntityFrameworkCore;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>What a plan's retention will delete on which day.</summary>
public sealed class RetentionForecast(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    const int Days = 60, MostSlots = 3_000;

    public sealed record View(string Store, int Kept, IReadOnlyList<(DateOnly Day, IReadOnlyList<RetainedBackup> Goes)> Days);

    public async Task<IReadOnlyList<View>> Load(BackupPlan plan, JobSchedule schedule, IReadOnlyList<BackupStore> stores, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewBackups);
        var now = clock.GetUtcNow();
        var zone = TimeZoneInfo.FindSystemTimeZoneById(schedule.Zone);
        var slots = schedule.After(now).TakeWhile(s => s < now.AddDays(Days)).Take(MostSlots).ToList();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var views = new List<View>();
        foreach (var store in stores)
        {
            var kept = await ApplyRetention.Kept(db, plan.Id, store.Id, ct);
            views.Add(new(store.Name, kept.Count, plan.Retention.Forecast(kept, slots, zone)));
        }
        return views;
    }
}
