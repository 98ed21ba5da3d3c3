using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Incidents;
using Portal.Domain.Maintenance;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Maintenance;

/// <summary>Writes to the timeline of a window: a word to customers, or a note for the team.</summary>
public sealed class PostMaintenanceUpdate(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="Id">Made with the form: sent twice, the second answer is the first update.</param>
    public sealed record Request(MaintenanceId Window, string Message, UpdateVisibility Visibility, MaintenanceUpdateId? Id = null);

    public async Task<MaintenanceUpdateId> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.RunMaintenance);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var window = await db.MaintenanceWindows.Include(w => w.Updates).SingleOrDefaultAsync(w => w.Id == request.Window, ct) ?? throw new NotFoundException("maintenance window");
        if (request.Id is { } sent && window.Updates.Any(u => u.Id == sent)) return sent;
        var update = window.Post(request.Message, request.Visibility, actor, now, request.Id);
        var action = update.Visibility == UpdateVisibility.Internal ? "maintenance.noted" : "maintenance.updated";
        await db.Commit(new AuditEntry(actor, action, window.Id.ToString(), $"{window.Title}: {update.Body}", now), ct);
        return update.Id;
    }
}
