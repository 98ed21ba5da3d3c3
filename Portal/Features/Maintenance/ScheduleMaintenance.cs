using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Maintenance;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Maintenance;

/// <summary>Announces work to customers.</summary>
public sealed class ScheduleMaintenance(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="Id">Made with the form: sent twice, the second answer is the first window.</param>
    public sealed record Request(MaintenancePlan Plan, MaintenanceId? Id = null);

    public async Task<MaintenanceId> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.RunMaintenance);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        if (request.Id is { } sent && await db.MaintenanceWindows.AnyAsync(w => w.Id == sent, ct)) return sent;
        await PlannedComponents.Require(db, request.Plan.Components, ct);
        var window = new MaintenanceWindow(request.Plan, actor, now, request.Id);
        db.MaintenanceWindows.Add(window);
        try
        {
            await db.Commit(new AuditEntry(actor, "maintenance.scheduled", window.Id.ToString(), PlanWords.Of(window.Plan), now), ct);
        }
        catch (DbUpdateException e) when (request.Id is not null && Contention.IsTaken(e))
        {
            // The same form was sent twice at the same moment; the other one is saved.
            return window.Id;
        }
        return window.Id;
    }
}

static class PlannedComponents
{
    /// <exception cref="DomainException">A component does not exist (any more).</exception>
    public static async Task Require(PortalDbContext db, IReadOnlyList<ComponentId> ids, CancellationToken ct)
    {
        if (ids.Count == 0) return;
        var known = await db.Components.Where(c => ids.Contains(c.Id)).Select(c => c.Id).ToListAsync(ct);
        for (var i = 0; i < ids.Count; i++)
            if (!known.Contains(ids[i])) throw new DomainException("This component does not exist any more. Load the screen again to see those that do.", $"components[{i}]");
    }
}

/// <summary>A plan in one line, for the audit log and for whoever has to choose between two.</summary>
static class PlanWords
{
    public static string Of(MaintenancePlan plan) =>
        $"{plan.Title}: {Stamp(plan.StartsAt)} – {Stamp(plan.EndsAt)}, {(plan.Components.Count == 1 ? "1 component" : $"{plan.Components.Count} components")}{(plan.VerifyFor > TimeSpan.Zero ? $", verifying for the last {plan.VerifyFor.TotalMinutes:0} min" : "")}";

    /// <summary>With the message to customers: the whole that a second editor would overwrite.</summary>
    public static string Whole(MaintenancePlan plan) => $"{Of(plan)}\n{plan.Message}";

    public static string Between(MaintenancePlan before, MaintenancePlan after) =>
        $"{Of(before)} → {Of(after)}{(before.Message == after.Message ? "" : $". {after.Message}")}";

    static string Stamp(DateTimeOffset at) => at.UtcDateTime.ToString("d MMM yyyy, HH:mm 'UTC'", System.Globalization.CultureInfo.InvariantCulture);
}
