using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Monitoring.Places;

/// <summary>Machines that look at targets from elsewhere, by name.</summary>
public sealed class PlaceList(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public sealed record Row(ProbePlace Place, int Monitors, bool IsLost);

    public async Task<IReadOnlyList<Row>> Load(Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewMonitors);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var places = await db.ProbePlaces.AsNoTracking().OrderBy(p => p.Name).ToListAsync(ct);
        if (places.Count == 0) return [];
        var used = (await db.Database.SqlQuery<Guid>($"select unnest(places) as \"Value\" from monitors where places <> '{{}}'").ToListAsync(ct)).GroupBy(id => id).ToDictionary(g => g.Key, g => g.Count());
        return [.. places.Select(p => new Row(p, used.GetValueOrDefault(p.Id.Value), p.IsLost(now)))];
    }

    /// <summary>By names or ids; null where none are given.</summary>
    /// <exception cref="DomainException">There is no such place.</exception>
    public async Task<IReadOnlyList<ProbePlaceId>?> Find(IReadOnlyList<string>? namesOrIds, CancellationToken ct)
    {
        if (namesOrIds is null) return null;
        if (namesOrIds.Count > Domain.Monitoring.Monitor.MostPlaces) throw new DomainException($"At most {Domain.Monitoring.Monitor.MostPlaces} other places look at one target.", "places");
        if (namesOrIds.Any(n => n is null)) throw new DomainException("A place is given by its name or id, not null.", "places");
        await using var db = await contexts.CreateDbContextAsync(ct);
        var ids = namesOrIds.Select(n => Id.TryParse<ProbePlaceId>(n, out var id) ? id : default).ToList();
        var found = await db.ProbePlaces.AsNoTracking().Where(p => namesOrIds.Contains(p.Name) || ids.Contains(p.Id)).ToListAsync(ct);
        return [.. namesOrIds.Zip(ids).Select(n => (found.Find(p => p.Name == n.First || p.Id == n.Second) ?? throw new DomainException($"There is no place \"{(n.First.Length > 60 ? n.First[..60] : n.First)}\".", "places")).Id)];
    }
}

/// <summary>Nobody looks from there any more. Its monitors go on without it; what it found stays.</summary>
public sealed class RemovePlace(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task Execute(ProbePlaceId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageMonitors);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // Whoever chooses it waits until it is gone, and whoever has chosen it is seen.
        await db.Database.ExecuteSqlAsync($"select 1 from probe_places where id = {id.Value} for update", ct);
        var place = await db.ProbePlaces.SingleOrDefaultAsync(p => p.Id == id, ct) ?? throw new NotFoundException("place");
        foreach (var monitor in await db.Monitors.FromSql($"select *, xmin from monitors where places @> array[{id.Value}]").ToListAsync(ct))
        {
            monitor.Leave(id, now, out var looksHereNow);
            // The same private address is another machine from here, which nobody consented to.
            if (looksHereNow && monitor.AllowPrivate && !actor.May(Permission.ProbePrivateAddresses))
                throw new DomainException($"{monitor.Name} reaches a private address from this place alone, and would be looked at from the portal without it. Ask an administrator to remove the place, or delete that monitor first.");
        }
        db.Remove(place);
        await db.Commit(new AuditEntry(actor, "place.removed", id.ToString(), place.Name, now), ct);
        await transaction.CommitAsync(ct);
    }
}

static class WatchingPlaces
{
    /// <summary>Needs a transaction, until whose end none of them is removed. To be called before monitors are locked.</summary>
    /// <returns>Those that there are.</returns>
    public static async Task<IReadOnlySet<ProbePlaceId>> Hold(PortalDbContext db, CancellationToken ct) =>
        (await db.Database.SqlQuery<Guid>($"select id as \"Value\" from probe_places for key share").ToListAsync(ct)).Select(id => new ProbePlaceId(id)).ToHashSet();

    /// <exception cref="DomainException">One of them does not exist.</exception>
    public static async Task Require(PortalDbContext db, Domain.Monitoring.Monitor monitor, CancellationToken ct)
    {
        if (monitor.Places.Count > 0 && !monitor.Places.All((await Hold(db, ct)).Contains)) throw new DomainException("One of the places does not exist any more. Choose again.", "places");
    }
}
