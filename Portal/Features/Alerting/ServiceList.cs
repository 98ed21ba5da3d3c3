using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Security;

namespace Portal.Features.Alerting;

/// <summary>All services by name; there are as many as teams look after.</summary>
public sealed class ServiceList(IDbContextFactory<PortalDbContext> contexts, SecretBox box)
{
    public const int Most = 1_000;

    public sealed record Row(Service Service, int Open);

    public sealed record View(IReadOnlyList<Row> Rows, IReadOnlyDictionary<EscalationPolicyId, string> Policies);

    public async Task<View> Load(Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var services = await db.Services.AsNoTracking().OrderBy(s => s.Name).ThenBy(s => s.Id).Take(Most).ToListAsync(ct);
        var open = await db.Alerts.Where(a => a.State != AlertState.Resolved && a.GroupId == null).GroupBy(a => a.ServiceId).Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, ct);
        var policies = await db.EscalationPolicies.Select(p => new { p.Id, p.Name }).ToDictionaryAsync(p => p.Id, p => p.Name, ct);
        return new([.. services.Select(s => new Row(s, open.GetValueOrDefault(s.Id)))], policies);
    }

    public async Task<Service> LoadOne(ServiceId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        await using var db = await contexts.CreateDbContextAsync(ct);
        return await db.Services.AsNoTracking().SingleOrDefaultAsync(s => s.Id == id, ct) ?? throw new NotFoundException("service");
    }

    /// <summary>Under which programs raise its alerts: for those who manage alerting.</summary>
    public async Task<string> LoadKey(ServiceId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageAlerting);
        var service = await LoadOne(id, actor, ct);
        return KeyOf(service);
    }

    /// <summary>The caller asks first whether the actor may see it.</summary>
    internal string KeyOf(Service service) => box.Open(service.SealedRoutingKey, service.Id.Value);
}
