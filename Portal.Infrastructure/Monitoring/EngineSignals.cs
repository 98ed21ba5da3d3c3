using Microsoft.EntityFrameworkCore;
using Portal.Domain.Monitoring;
using Portal.Infrastructure.Persistence;

namespace Portal.Infrastructure.Monitoring;

/// <summary>How use cases and the engine of whichever node meet: through the database, inside the caller's transaction.</summary>
public static class EngineSignals
{
    /// <summary>The payload is a monitor's id: the node that runs it checks it now.</summary>
    public const string CheckNow = "portal_check_now";

    /// <summary>Some place found something: whoever runs its monitors takes it in.</summary>
    public const string Heard = "portal_heard";

    /// <summary>Heard when the transaction is committed.</summary>
    public static Task TellOfHeard(this PortalDbContext db, CancellationToken ct) => db.Database.ExecuteSqlAsync($"select pg_notify({Heard}, '')", ct);

    /// <summary>Heard when the transaction is committed.</summary>
    public static Task AskForCheck(this PortalDbContext db, MonitorId monitor, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"select pg_notify({CheckNow}, {monitor.ToString()})", ct);

    /// <summary>The engine takes the same lock before it writes an outage: until the transaction ends none can begin or end.</summary>
    public static Task HoldState(this PortalDbContext db, MonitorId monitor, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"select 1 from monitor_states where monitor_id = {monitor.Value} for update", ct);
}
