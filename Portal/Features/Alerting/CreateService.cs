using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Audit;
using Portal.Domain.Incidents;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Security;

namespace Portal.Features.Alerting;

/// <summary>Makes a service with a routing key of its own.</summary>
public sealed class CreateService(IDbContextFactory<PortalDbContext> contexts, SecretBox box, TimeProvider clock)
{
    public async Task<ServiceId> Execute(ServiceSettings settings, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageAlerting);
        var now = clock.GetUtcNow();
        var (id, key) = (Id.New<ServiceId>(now), Secret.New());
        var service = new Service(settings, Secret.HashOf(key), box.Seal(key, id.Value), now, id);
        await using var db = await contexts.CreateDbContextAsync(ct);
        await ServiceParts.Require(db, service, ct);
        db.Services.Add(service);
        await db.Commit(new AuditEntry(actor, "service.created", id.ToString(), service.Name, now), ct);
        return id;
    }
}

/// <summary>Says whom a service's alerts page, when its people work, and what becomes an incident.</summary>
public sealed class ChangeService(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="version">The one that was edited; null takes what stands.</param>
    public async Task Execute(ServiceId id, ServiceSettings settings, uint? version, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageAlerting);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var service = await db.Services.SingleOrDefaultAsync(s => s.Id == id, ct) ?? throw new NotFoundException("service");
        if (version is { } seen && seen != service.Version) throw new ConflictException("Somebody else changed this service since you opened it. Nothing was saved: look at what stands now and decide anew.");
        service.Change(settings);
        await ServiceParts.Require(db, service, ct);
        await db.Commit(new AuditEntry(actor, "service.changed", id.ToString(), service.Name, now), ct);
    }
}

/// <summary>Gives a service a new routing key; programs that know only the one before are refused at once.</summary>
public sealed class RenewRoutingKey(IDbContextFactory<PortalDbContext> contexts, SecretBox box, TimeProvider clock)
{
    public async Task Execute(ServiceId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageAlerting);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var service = await db.Services.SingleOrDefaultAsync(s => s.Id == id, ct) ?? throw new NotFoundException("service");
        var key = Secret.New();
        service.Rekey(Secret.HashOf(key), box.Seal(key, id.Value));
        await db.Commit(new AuditEntry(actor, "service.key-renewed", id.ToString(), service.Name, now), ct);
    }
}

static class ServiceParts
{
    /// <exception cref="DomainException">The short name is taken, or something that it names does not exist.</exception>
    public static async Task Require(PortalDbContext db, Service service, CancellationToken ct)
    {
        if (await db.Services.AnyAsync(s => s.Slug == service.Slug && s.Id != service.Id, ct)) throw new DomainException($"Another service has the short name \"{service.Slug}\".", "slug");
        var (policies, components) = (Enum.GetValues<Severity>().Select(service.Policies.Of).OfType<EscalationPolicyId>().Distinct().ToList(), service.Components.ToList());
        if (await db.EscalationPolicies.CountAsync(p => policies.Contains(p.Id), ct) < policies.Count) throw new DomainException("A policy that it goes by does not exist any more.", "policies");
        if (await db.Components.CountAsync(c => components.Contains(c.Id), ct) < components.Count) throw new DomainException("A component that it names does not exist any more.", "components");
    }
}
