using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Maintenance;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Maintenance;

/// <summary>What a person does to a window at the moment.</summary>
public enum MaintenanceStep { Start, Verify, Complete, Cancel, Reinstate }

/// <summary>Starts, verifies, ends or cancels a window now, or takes a cancellation back.</summary>
public sealed class MoveMaintenance(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public sealed record Request(MaintenanceId Window, MaintenanceStep Step, uint? Version = null);

    public async Task Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.RunMaintenance);
        var now = clock.GetUtcNow();
        await Contention.Settle(async () =>
        {
            await using var db = await contexts.CreateDbContextAsync(ct);
            var window = await Windows.Find(db, request.Window, ct);
            Windows.RequireSeen(window, request.Version);
            Move(window, request.Step, actor, now);
            await db.Commit(new AuditEntry(actor, Deed(request.Step), window.Id.ToString(), window.Title, now), ct);
            return window.Id;
        });
    }

    static void Move(MaintenanceWindow window, MaintenanceStep step, Actor actor, DateTimeOffset now)
    {
        switch (step)
        {
            case MaintenanceStep.Start: window.Start(actor, now); break;
            case MaintenanceStep.Verify: window.Verify(actor, now); break;
            case MaintenanceStep.Complete: window.Complete(actor, now); break;
            case MaintenanceStep.Cancel: window.Cancel(actor, now); break;
            default: window.Reinstate(actor, now); break;
        }
    }

    static string Deed(MaintenanceStep step) => step switch
    {
        MaintenanceStep.Start => "maintenance.started",
        MaintenanceStep.Verify => "maintenance.verified",
        MaintenanceStep.Complete => "maintenance.ended",
        MaintenanceStep.Cancel => "maintenance.cancelled",
        _ => "maintenance.reinstated",
    };
}
