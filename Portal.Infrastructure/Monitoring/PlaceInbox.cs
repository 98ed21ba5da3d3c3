using Microsoft.EntityFrameworkCore;
using Portal.Infrastructure.Persistence;

namespace Portal.Infrastructure.Monitoring;

/// <summary>What places found and nobody has taken in yet.</summary>
public sealed class PlaceInbox(IDbContextFactory<PortalDbContext> contexts)
{
    const int AtOnce = 2_000;

    /// <summary>Takes the oldest of these shards out, in their order. From here on they are as safe as what this node finds itself: in memory, for at most half a second.</summary>
    public async Task<IReadOnlyList<HeardCheck>> Take(int[] shards, CancellationToken ct)
    {
        await using var db = contexts.CreateDbContext();
        var taken = await db.HeardChecks.FromSql($"""
            with oldest as (select id from heard_checks where shard = any ({shards}) order by id limit {AtOnce} for update skip locked)
            delete from heard_checks h using oldest o where h.id = o.id returning h.*
            """).AsNoTracking().ToListAsync(ct);
        return [.. taken.OrderBy(c => c.Id)];
    }
}
