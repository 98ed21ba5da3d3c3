using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Audit;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.OnCall;

/// <summary>Makes, changes and deletes schedules: name, zone and layers. For a time only, see <see cref="StandIns"/>.</summary>
public sealed class EditOnCallSchedules(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="Zone">IANA id.</param>
    /// <param name="Layers">The highest first.</param>
    public sealed record Request(string? Name, string? Zone, IReadOnlyList<OnCallLayer> Layers);

    public async Task<OnCallScheduleId> Make(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageAlerting);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        await RequireThere(db, request.Layers, [], ct);
        var schedule = new OnCallSchedule(request.Name!, request.Zone!, request.Layers, now);
        db.OnCallSchedules.Add(schedule);
        await db.Commit(new AuditEntry(actor, "oncall_schedule.made", schedule.Id.ToString(), schedule.Name, now), ct);
        return schedule.Id;
    }

    /// <param name="version">What the caller has seen; null takes what stands.</param>
    public async Task Change(OnCallScheduleId id, Func<Request, Request> change, uint? version, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageAlerting);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var schedule = await db.OnCallSchedules.SingleOrDefaultAsync(s => s.Id == id, ct) ?? throw new NotFoundException("schedule");
        Existing.RequireSeen(version, schedule.Version, $"{schedule.Name}: {string.Join(", ", schedule.Layers.Select(l => l.Name))}");
        var request = change(new(schedule.Name, schedule.Zone, schedule.Layers));
        await RequireThere(db, request.Layers, schedule.Layers, ct);
        schedule.Change(request.Name!, request.Zone!, request.Layers);
        await db.Commit(new AuditEntry(actor, "oncall_schedule.changed", id.ToString(), $"{schedule.Name}: {string.Join(", ", schedule.Layers.Select(l => l.Name))}", clock.GetUtcNow()), ct);
    }

    public async Task Delete(OnCallScheduleId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageAlerting);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var schedule = await db.OnCallSchedules.SingleOrDefaultAsync(s => s.Id == id, ct) ?? throw new NotFoundException("schedule");
        var target = EscalationTarget.Of(id);
        var policies = await db.EscalationPolicies.AsNoTracking().ToListAsync(ct);
        if (policies.Find(p => p.Current.Steps.Any(s => s.Targets.Contains(target))) is { } user)
            throw new DomainException($"{user.Name} tells whoever is on call in {schedule.Name}: take it out of that policy first.");
        var open = await db.Escalations.Where(e => e.State != EscalationState.Resolved).Select(e => new { e.PolicyId, e.PolicyNumber }).Distinct().ToListAsync(ct);
        if (open.Any(o => policies.Single(p => p.Id == o.PolicyId).Numbered(o.PolicyNumber).Steps.Any(s => s.Targets.Contains(target))))
            throw new DomainException($"An open alert still goes by a policy that names {schedule.Name}. Delete it when that is resolved.");
        db.OnCallSchedules.Remove(schedule);
        await db.Commit(new AuditEntry(actor, "oncall_schedule.deleted", id.ToString(), schedule.Name, clock.GetUtcNow()), ct);
    }

    static async Task RequireThere(PortalDbContext db, IReadOnlyList<OnCallLayer> layers, IReadOnlyList<OnCallLayer> before, CancellationToken ct)
    {
        await Existing.People(db, [.. layers.Select(l => l.Person).OfType<PersonId>().Distinct()], [.. before.Select(l => l.Person).OfType<PersonId>()], "layers", ct);
        var rotations = layers.Select(l => l.Rotation).OfType<RotationId>().Distinct().ToList();
        if (await db.Rotations.CountAsync(r => rotations.Contains(r.Id), ct) < rotations.Count) throw new DomainException("A rotation of these layers is gone. Choose again.", "layers");
    }
}
