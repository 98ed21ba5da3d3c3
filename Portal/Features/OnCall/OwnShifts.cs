using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.OnCall;

/// <summary>How a person hears of their own shifts.</summary>
public sealed class OwnShifts(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <summary>Makes the address of their calendar, or a new one in its place.</summary>
    /// <returns>The address as a path, shown once: only its hash is kept.</returns>
    public Task<string> RenewCalendar(Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        var person = actor.OwnAccount();
        return Contention.Settle(async () =>
        {
            var (now, secret) = (clock.GetUtcNow(), Secret.New());
            await using var db = await contexts.CreateDbContextAsync(ct);
            (await Settings(db, person, ct)).Renew(Secret.HashOf(secret), now);
            await db.Commit(new AuditEntry(actor, "shift_calendar.renewed", person.ToString(), actor.Name, now), ct);
            return $"/on-call/{secret}.ics";
        });
    }

    public Task Tell(bool ofShifts, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        var person = actor.OwnAccount();
        return Contention.Settle(async () =>
        {
            await using var db = await contexts.CreateDbContextAsync(ct);
            (await Settings(db, person, ct)).Tell(ofShifts);
            await db.Commit(new AuditEntry(actor, "shift_notice.changed", person.ToString(), ofShifts ? "tells of shifts by mail" : "tells of no shifts", clock.GetUtcNow()), ct);
            return true;
        });
    }

    static async Task<ShiftSettings> Settings(PortalDbContext db, Domain.Access.PersonId person, CancellationToken ct)
    {
        if (await db.ShiftSettings.SingleOrDefaultAsync(s => s.PersonId == person, ct) is { } found) return found;
        var made = new ShiftSettings(person);
        db.ShiftSettings.Add(made);
        return made;
    }
}

/// <summary>What a person has set of that.</summary>
public sealed class OwnShiftSettings(IDbContextFactory<PortalDbContext> contexts)
{
    public async Task<(bool TellsOfShifts, DateTimeOffset? CalendarMadeAt)> Load(Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        var person = actor.OwnAccount();
        await using var db = await contexts.CreateDbContextAsync(ct);
        return await db.ShiftSettings.AsNoTracking().SingleOrDefaultAsync(s => s.PersonId == person, ct) is { } found ? (found.TellsOfShifts, found.CalendarMadeAt) : (true, null);
    }
}
