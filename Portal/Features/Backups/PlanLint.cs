using Portal.Components.Ui;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;

namespace Portal.Features.Backups;

/// <summary>A promise that a plan cannot keep, or a danger that it leaves, said while it is written.</summary>
/// <param name="IsGrave">What is promised is not kept; otherwise it is advice.</param>
public sealed record PlanWarning(bool IsGrave, string Text);

/// <summary>Looks over a plan.</summary>
public static class PlanLint
{
    /// <summary>Every rhythm that repeats within five weeks shows its longest gap.</summary>
    const int MostSlots = 24 * 7 * 5;

    /// <param name="takes">The longest of its last backups; null where there is none yet.</param>
    public static TimeSpan MostLoss(JobSchedule schedule, DateTimeOffset now, TimeSpan? takes)
    {
        var slots = schedule.After(now).TakeWhile(s => s < now.AddDays(800)).Take(MostSlots).ToList();
        // One alone tells of no gap: a time that comes once in years.
        return slots.Count < 2 ? TimeSpan.FromDays(800) : BackupPlan.MostLoss(slots, takes ?? TimeSpan.Zero);
    }

    /// <param name="data">Folder of the portal's own data.</param>
    public static IEnumerable<PlanWarning> Of(TimeSpan mostLoss, TimeSpan? takes, int targetMinutes, IReadOnlyCollection<BackupStore> stores, bool isPaused, DateTimeOffset? restoreProvenAt, DateTimeOffset now)
    {
        var target = TimeSpan.FromMinutes(targetMinutes);
        if (isPaused) yield return new(true, "This plan is paused: nothing is backed up by itself.");
        else if (mostLoss > target)
            yield return new(true, $"This plan can lose up to {SpanWords.Of(mostLoss)}; the target is {SpanWords.Of(target)}.{(takes is null ? " How long a backup takes is added once there is one." : "")}");
        foreach (var store in stores.Where(s => s.Problem is not null)) yield return new(true, $"The store {store.Name} did not work when it was tried last: {store.Problem}");
        foreach (var store in stores.Where(s => !s.HasSheet))
            yield return new(true, $"Nobody has the recovery sheet of the store {store.Name}: without this portal's master key its backups open for nobody.");
        if (stores.Count > 0 && stores.All(s => s.Place.Folder is not null))
            yield return new(false, "All of its stores are folders of this machine: what takes the machine may take its backups too. Add a store elsewhere.");
        if (restoreProvenAt is null || restoreProvenAt < now - Backup.ProofLasts)
            yield return new(false, restoreProvenAt is null ? "No backup of it was ever restored: nothing proves yet that one can be." : "That a backup of it can be restored was last proven more than 30 days ago.");
    }
}
