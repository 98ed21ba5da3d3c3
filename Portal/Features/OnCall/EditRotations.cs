using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Audit;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.OnCall;

/// <summary>Makes, changes and deletes rotations.</summary>
public sealed class EditRotations(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="Start">Local time of the zone.</param>
    /// <param name="Times">Where it hands over at times of the week.</param>
    public sealed record Request(string? Name, string? Zone, DateTime? Start, HandOverRhythm Rhythm, int Every, IReadOnlyList<WeekTime>? Times, IReadOnlyList<PersonId> Participants)
    {
        public HandOvers HandOvers => HandOvers.Of(Rhythm, Rhythm == HandOverRhythm.WeekTimes ? 1 : Every, Times);

        /// <summary>What stands, to be changed in parts.</summary>
        public static Request Of(Rotation r) => new(r.Name, r.Zone, r.Start, r.HandOvers.Rhythm, r.HandOvers.Every, r.HandOvers.Times, r.Participants);

        internal DateTime Begins => Start ?? throw new DomainException("Say when the first turn begins.", "start");
    }

    public async Task<RotationId> Make(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageAlerting);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        await Existing.People(db, request.Participants, [], "participants", ct);
        var rotation = new Rotation(request.Name!, request.Zone!, request.Begins, request.HandOvers, request.Participants, now);
        db.Rotations.Add(rotation);
        await db.Commit(new AuditEntry(actor, "rotation.made", rotation.Id.ToString(), rotation.Name, now), ct);
        return rotation.Id;
    }

    /// <param name="version">What the caller has seen; null takes what stands.</param>
    public async Task Change(RotationId id, Func<Request, Request> change, uint? version, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageAlerting);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var rotation = await db.Rotations.SingleOrDefaultAsync(r => r.Id == id, ct) ?? throw new NotFoundException("rotation");
        Existing.RequireSeen(version, rotation.Version, $"{rotation.Name} {OnCallWords.Of(rotation)}");
        var request = change(Request.Of(rotation));
        await Existing.People(db, request.Participants, rotation.Participants, "participants", ct);
        rotation.Change(request.Name!, request.Zone!, request.Begins, request.HandOvers, request.Participants, now);
        await db.Commit(new AuditEntry(actor, "rotation.changed", id.ToString(), $"{rotation.Name} {OnCallWords.Of(rotation)}, {request.Participants.Count} people", now), ct);
    }

    public async Task Delete(RotationId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageAlerting);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var rotation = await db.Rotations.SingleOrDefaultAsync(r => r.Id == id, ct) ?? throw new NotFoundException("rotation");
        if ((await db.OnCallSchedules.AsNoTracking().ToListAsync(ct)).Find(s => s.Layers.Any(l => l.Rotation == id)) is { } user)
            throw new DomainException($"{user.Name} uses this rotation: take it out of its layers first.");
        db.Rotations.Remove(rotation);
        await db.Commit(new AuditEntry(actor, "rotation.deleted", id.ToString(), rotation.Name, clock.GetUtcNow()), ct);
    }
}

/// <summary>That what somebody names is there.</summary>
static class Existing
{
    /// <param name="before">Who is named already may stay, also when they are not active any more.</param>
    public static async Task People(PortalDbContext db, IReadOnlyCollection<PersonId> named, IReadOnlyCollection<PersonId> before, string field, CancellationToken ct)
    {
        var added = named.Except(before).ToList();
        if (added.Count > 0 && await db.People.CountAsync(p => added.Contains(p.Id) && p.DeactivatedAt == null, ct) < added.Count)
            throw new DomainException("Somebody of these is not active, or does not exist. Choose again.", field);
    }

    /// <param name="stands">What stands now, in words.</param>
    /// <exception cref="ConflictException">Somebody else changed it since.</exception>
    public static void RequireSeen(uint? seen, uint version, string stands)
    {
        if (seen is { } known && known != version) throw new ConflictException("Somebody else changed this meanwhile. Nothing was saved: look at what stands now and try again.", stands);
    }
}
