using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Maintenance;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Maintenance;

/// <summary>Changes a plan: everything until it begins, afterwards its words, components and end.</summary>
public sealed class ChangeMaintenance(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="Edit">From the plan that stands to the new one.</param>
    /// <param name="Version">What the editor saw; any change since is a conflict. Null takes what stands.</param>
    public sealed record Request(MaintenanceId Window, Func<MaintenancePlan, MaintenancePlan> Edit, uint? Version = null);

    /// <exception cref="ConflictException">Somebody changed it meanwhile; it carries what stands.</exception>
    public async Task Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.RunMaintenance);
        var now = clock.GetUtcNow();
        await Contention.Settle(async () =>
        {
            await using var db = await contexts.CreateDbContextAsync(ct);
            var window = await Windows.Find(db, request.Window, ct);
            Windows.RequireSeen(window, request.Version);
            var (before, after) = (window.Plan, request.Edit(window.Plan));
            await PlannedComponents.Require(db, after.Components, ct);
            window.Change(after, actor, now);
            await db.Commit(new AuditEntry(actor, "maintenance.changed", window.Id.ToString(), PlanWords.Between(before, window.Plan), now), ct);
            return window.Id;
        });
    }
}

static class Windows
{
    /// <summary>With its components and without its timeline: what a change needs.</summary>
    /// <exception cref="NotFoundException">There is none.</exception>
    public static async Task<MaintenanceWindow> Find(PortalDbContext db, MaintenanceId id, CancellationToken ct) =>
        await db.MaintenanceWindows.Include(w => w.Scope).SingleOrDefaultAsync(w => w.Id == id, ct) ?? throw new NotFoundException("maintenance window");

    /// <exception cref="ConflictException">It was changed since; it carries what stands.</exception>
    public static void RequireSeen(MaintenanceWindow window, uint? version)
    {
        if (version is { } seen && seen != window.Version)
            throw new ConflictException("Somebody else changed this maintenance while you were editing. Nothing was saved; both versions are shown.", PlanWords.Whole(window.Plan));
    }
}
