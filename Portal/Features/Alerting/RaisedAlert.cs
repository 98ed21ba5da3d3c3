using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Alerting;

/// <summary>The alert that a signal became, for whoever raised it and waits to see it.</summary>
public sealed class RaisedAlert(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5), Every = TimeSpan.FromMilliseconds(50);

    /// <returns>Null while it is not taken in: it is stored all the same.</returns>
    public async Task<AlertId?> Load(ServiceId service, string key, CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        while (true)
        {
            await using (var db = await contexts.CreateDbContextAsync(ct))
                if (await db.Alerts.Where(a => a.ServiceId == service && a.Key == key && a.State != AlertState.Resolved).Select(a => (AlertId?)a.Id).SingleOrDefaultAsync(ct) is { } found) return found;
            if (clock.GetElapsedTime(began) > Patience) return null;
            await Task.Delay(Every, clock, ct);
        }
    }
}
