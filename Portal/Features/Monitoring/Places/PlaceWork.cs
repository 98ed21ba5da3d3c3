using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Infrastructure.Monitoring;
using Portal.Infrastructure.Persistence;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring.Places;

/// <summary>A program at another place asks what to look at from there, again and again: that is how it is known to live. The first time the place comes into being.</summary>
/// <remarks>That it asks is no person's change: only a new place is audited.</remarks>
public sealed class PlaceWork(IDbContextFactory<PortalDbContext> contexts, SealedSecrets secrets, TimeProvider clock, ILogger<PlaceWork> log)
{
    /// <param name="Session">One start of the program; random.</param>
    /// <param name="Clock">What time it is there.</param>
    /// <param name="Dropped">Results that it gave up since its start.</param>
    /// <param name="Known">The <see cref="Work.Tag"/> of the work that it has.</param>
    public sealed record Request(Guid Session, string? ProgramVersion, DateTimeOffset Clock, long Dropped, string? Known);

    /// <summary>One monitor as a place needs it. Its secrets are in clear: the place sends them.</summary>
    public sealed record Item(MonitorId Monitor, MonitorSettings Settings, string Look, IReadOnlyDictionary<string, string> Secrets);

    /// <param name="Items">Null when nothing has changed since the tag that it knows.</param>
    public sealed record Work(string Place, string Tag, IReadOnlyList<Item>? Items);

    public async Task<Work> Ask(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.RunProbe);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var place = await Find();
        if (place is null)
        {
            // Of two programs that bring the same new key, one brings the place.
            await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock(hashtext('portal.new-place'))", ct);
            place = await Find();
        }
        var isNew = place is null;
        place ??= db.Add(new ProbePlace(actor.Name, now)).Entity;
        var version = request.ProgramVersion is { Length: > 100 } long_ ? long_[..100] : request.ProgramVersion;
        place.See(request.Session, version, request.Clock - now, request.Dropped, now);
        if (isNew) await db.Commit(new AuditEntry(actor, "place.joined", place.Id.ToString(), place.Name, now), ct);
        else await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        var wanted = db.Monitors.FromSql($"select *, xmin from monitors where places @> array[{place.Id.Value}] and paused_at is null").AsNoTracking().OrderBy(m => m.Id);
        // Read first: what changes between the two is given twice rather than not.
        var versions = await wanted.Select(m => new { m.Id, m.Version }).ToListAsync(ct);
        var tag = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', versions.Select(m => $"{m.Id} {m.Version}")))))[..32];
        if (request.Known == Tag(versions.Count)) return new(place.Name, request.Known, null);
        var (items, closed) = (new List<Item>(), new List<MonitorId>());
        foreach (var monitor in await wanted.ToListAsync(ct))
            if (ItemOf(monitor) is { } item) items.Add(item); else closed.Add(monitor.Id);
        if (request.Known == Tag(items.Count)) return new(place.Name, request.Known, null);
        if (closed.Count > 0) log.LogError("The secrets of these monitors cannot be opened with this node's master key, so {Place} does not look at them: {Monitors}. Enter them again", place.Name, string.Join(", ", closed));
        return new(place.Name, Tag(items.Count), items);

        // With the number that could be read: a node that reads more gives the rest.
        string Tag(int read) => $"{tag}.{read}";
        Task<ProbePlace?> Find() => db.ProbePlaces.SingleOrDefaultAsync(p => p.Name == actor.Name, ct);
    }

    /// <returns>Null for one that this node cannot read: the place looks at the others.</returns>
    Item? ItemOf(Monitor monitor)
    {
        try
        {
            return new(monitor.Id, monitor.Settings, monitor.Look, secrets.Open(monitor));
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
