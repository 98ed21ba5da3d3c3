using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Audit;
using Portal.Domain.Notifications;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.OnCall;

/// <summary>Makes, changes and deletes escalation policies. A change is a new version: alerts that are under way keep theirs.</summary>
public sealed class EditPolicies(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public sealed record Request(string? Name, IReadOnlyList<EscalationStep> Steps, int Repeat);

    public async Task<EscalationPolicyId> Make(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageAlerting);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        await RequireThere(db, request.Steps, [], ct);
        var policy = new EscalationPolicy(request.Name!, request.Steps, request.Repeat, actor.Name, now);
        db.EscalationPolicies.Add(policy);
        await db.Commit(new AuditEntry(actor, "policy.made", policy.Id.ToString(), Words(policy), now), ct);
        return policy.Id;
    }

    /// <param name="version">Of the row, as the caller has seen it; null takes what stands.</param>
    public async Task Change(EscalationPolicyId id, Func<Request, Request> change, uint? version, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageAlerting);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var policy = await db.EscalationPolicies.SingleOrDefaultAsync(p => p.Id == id, ct) ?? throw new NotFoundException("policy");
        Existing.RequireSeen(version, policy.Version, Words(policy));
        var request = change(new(policy.Name, policy.Current.Steps, policy.Current.Repeat));
        await RequireThere(db, request.Steps, policy.Current.Steps, ct);
        policy.Rename(request.Name!);
        policy.Change(request.Steps, request.Repeat, actor.Name, now);
        await db.Commit(new AuditEntry(actor, "policy.changed", id.ToString(), Words(policy), now), ct);
    }

    public async Task Delete(EscalationPolicyId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageAlerting);
        await using var db = await contexts.CreateDbContextAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var policy = await db.EscalationPolicies.SingleOrDefaultAsync(p => p.Id == id, ct) ?? throw new NotFoundException("policy");
        if (await db.Services.Where(s => s.PolicyP0 == id || s.PolicyP1 == id || s.PolicyP2 == id || s.PolicyP3 == id).Select(s => s.Name).FirstOrDefaultAsync(ct) is { } service)
            throw new DomainException($"{service} pages by this policy: give that service another one first.");
        if (await db.Escalations.AnyAsync(e => e.PolicyId == id && e.State != EscalationState.Resolved, ct)) throw new DomainException("An open alert goes by this policy. Delete it when that is resolved, or reassign the alert.");
        // Of those that are over the alert itself tells who was paged and when.
        await db.Escalations.Where(e => e.PolicyId == id && e.State == EscalationState.Resolved).ExecuteDeleteAsync(ct);
        db.EscalationPolicies.Remove(policy);
        await db.Commit(new AuditEntry(actor, "policy.deleted", id.ToString(), policy.Name, clock.GetUtcNow()), ct);
        await transaction.CommitAsync(ct);
    }

    static string Words(EscalationPolicy policy) => $"{policy.Name}, version {policy.Current.Number}: {policy.Current.Steps.Count} {(policy.Current.Steps.Count == 1 ? "step" : "steps")}{(policy.Current.Repeat > 0 ? $", repeated {policy.Current.Repeat} times" : "")}";

    /// <summary>What is named anew must be there; what was named before may have gone, and the checks of the path say so.</summary>
    static async Task RequireThere(PortalDbContext db, IReadOnlyList<EscalationStep> steps, IReadOnlyList<EscalationStep> before, CancellationToken ct)
    {
        var added = steps.SelectMany(s => s.Targets).Except(before.SelectMany(s => s.Targets)).ToLookup(t => t.Kind, t => t.Id);
        await Existing.People(db, [.. added[EscalationTargetKind.Person].Select(PersonId.From)], [], "steps", ct);
        var schedules = added[EscalationTargetKind.Schedule].Select(OnCallScheduleId.From).ToList();
        var channels = added[EscalationTargetKind.Channel].Select(ChannelId.From).ToList();
        var groups = added[EscalationTargetKind.ContactGroup].Select(ContactGroupId.From).ToList();
        var found = (schedules.Count == 0 ? 0 : await db.OnCallSchedules.CountAsync(s => schedules.Contains(s.Id), ct))
            + (channels.Count == 0 ? 0 : await db.Channels.CountAsync(c => channels.Contains(c.Id), ct))
            + (groups.Count == 0 ? 0 : await db.ContactGroups.CountAsync(g => groups.Contains(g.Id), ct));
        if (found < schedules.Count + channels.Count + groups.Count) throw new DomainException("A schedule, channel or contact group of these steps is gone. Choose again.", "steps");
    }
}
