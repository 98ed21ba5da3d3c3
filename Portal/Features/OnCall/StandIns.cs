using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Audit;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.OnCall;

/// <summary>Who is on call instead of somebody else for a time: overrides, exchanged shifts, temporary schedules. Two who change a schedule at once see each other's change.</summary>
public sealed class StandIns(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="Remove">Who is not on call; null only adds.</param>
    /// <param name="Add">Who is; null only removes.</param>
    public sealed record Request(OnCallScheduleId Schedule, Interval Time, PersonId? Remove, PersonId? Add);

    public Task<OnCallOverrideId> Override(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.HandleAlerts);
        return Changed(request.Schedule, async (db, schedule, now) =>
        {
            await Existing.People(db, request.Add is { } add ? [add] : [], [], "add", ct);
            var made = schedule.Override(request.Time, request.Remove, request.Add, actor.Name, now);
            var names = await Names(db, [request.Remove, request.Add], ct);
            var who = (request.Remove, request.Add) switch
            {
                ({ } leaves, { } comes) => $"{names[comes]} instead of {names.GetValueOrDefault(leaves, "somebody who is gone")}",
                (_, { } comes) => $"{names[comes]} as well",
                ({ } leaves, _) => $"not {names.GetValueOrDefault(leaves, "somebody who is gone")}",
                _ => "",
            };
            await db.Commit(new AuditEntry(actor, "override.made", schedule.Id.ToString(), $"{schedule.Name}, {OnCallWords.Span(made.Time, schedule.Zone)}: {who}", now), ct);
            return made.Id;
        }, ct);
    }

    /// <summary>Two people have each other's shift.</summary>
    public Task<SwapId> Swap(OnCallScheduleId id, Shift mine, Shift theirs, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.HandleAlerts);
        return Changed(id, async (db, schedule, now) =>
        {
            await Existing.People(db, [mine.Person, theirs.Person], [], "theirs", ct);
            var ids = schedule.Layers.Select(l => l.Rotation).OfType<RotationId>().ToList();
            var rotations = await db.Rotations.AsNoTracking().Where(r => ids.Contains(r.Id)).ToDictionaryAsync(r => r.Id, ct);
            var swap = schedule.Swap(mine, theirs, schedule.Roster(rotations.GetValueOrDefault), actor.Name, now);
            var names = await Names(db, [mine.Person, theirs.Person], ct);
            await db.Commit(new AuditEntry(actor, "shifts.exchanged", id.ToString(), $"{schedule.Name}: {names[theirs.Person]} takes {OnCallWords.Span(mine.Time, schedule.Zone)}, {names[mine.Person]} takes {OnCallWords.Span(theirs.Time, schedule.Zone)}", now), ct);
            return swap;
        }, ct);
    }

    /// <summary>Takes an override back, of exchanged shifts both; one that has begun ends now.</summary>
    public Task Withdraw(OnCallScheduleId id, OnCallOverrideId which, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.HandleAlerts);
        return Changed(id, async (db, schedule, now) =>
        {
            var time = schedule.Overrides.FirstOrDefault(o => o.Id == which)?.Time;
            schedule.Withdraw(which, now);
            await db.Commit(new AuditEntry(actor, "override.withdrawn", id.ToString(), $"{schedule.Name}, {OnCallWords.Span(time!.Value, schedule.Zone)}", now), ct);
            return id;
        }, ct);
    }

    /// <summary>For a range fixed shifts count instead of everything else.</summary>
    public Task<TemporaryScheduleId> Plan(OnCallScheduleId id, Interval time, IReadOnlyList<Shift> shifts, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageAlerting);
        return Changed(id, async (db, schedule, now) =>
        {
            await Existing.People(db, [.. shifts.Select(s => s.Person).Distinct()], [], "shifts", ct);
            var made = schedule.Plan(time, shifts, actor.Name, now);
            await db.Commit(new AuditEntry(actor, "temporary_schedule.made", id.ToString(), $"{schedule.Name}, {OnCallWords.Span(made.Time, schedule.Zone)}, {shifts.Count} shifts", now), ct);
            return made.Id;
        }, ct);
    }

    public Task Withdraw(OnCallScheduleId id, TemporaryScheduleId which, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageAlerting);
        return Changed(id, async (db, schedule, now) =>
        {
            schedule.Withdraw(which, now);
            await db.Commit(new AuditEntry(actor, "temporary_schedule.withdrawn", id.ToString(), schedule.Name, now), ct);
            return id;
        }, ct);
    }

    Task<T> Changed<T>(OnCallScheduleId id, Func<PortalDbContext, OnCallSchedule, DateTimeOffset, Task<T>> change, CancellationToken ct) => Contention.Settle(async () =>
    {
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var schedule = await Rosters.Open(db, id, now, ct);
        // The rows that change are others: who changes the same schedule at this moment has not seen this.
        db.Entry(schedule).Property(s => s.Name).IsModified = true;
        return await change(db, schedule, now);
    });

    static async Task<Dictionary<PersonId, string>> Names(PortalDbContext db, IEnumerable<PersonId?> people, CancellationToken ct)
    {
        var ids = people.OfType<PersonId>().ToList();
        return await db.People.AsNoTracking().Where(p => ids.Contains(p.Id)).ToDictionaryAsync(p => p.Id, p => p.Name, ct);
    }
}
