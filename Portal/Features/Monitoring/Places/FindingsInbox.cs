using Microsoft.EntityFrameworkCore;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Infrastructure.Monitoring;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Monitoring.Places;

/// <summary>Takes in what a place found. The same finding twice is taken once; what is of no monitor of its is left out.</summary>
/// <remarks>Findings are no person's change and are not audited.</remarks>
public sealed class FindingsInbox(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public const int AtOnce = 1_000;
    const int LongestDetail = 500, LongestLook = 64;
    /// <summary>No time-out is longer; what says so is no finding.</summary>
    static readonly TimeSpan LongestCheck = TimeSpan.FromMinutes(2);

    /// <param name="Sequence">Rises by one with each finding of a session.</param>
    /// <param name="Age">How long ago the check began, by the place's monotonic clock: what time it is there does not matter.</param>
    /// <param name="Look">As it was given with the work.</param>
    public sealed record Finding(long Sequence, MonitorId Monitor, TimeSpan Age, TimeSpan Duration, CheckOutcome Outcome, int? StatusCode, string? Detail, string Look);

    /// <returns>The last sequence that is safe here.</returns>
    public async Task<long> Take(Guid session, IReadOnlyList<Finding> findings, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.RunProbe);
        if (findings.Count > AtOnce) throw new DomainException($"At most {AtOnce} findings are taken at once.", "findings");
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // A report and its repetition are taken one after the other.
        var place = (await db.ProbePlaces.FromSql($"select * from probe_places where name = {actor.Name} for update").ToListAsync(ct)).SingleOrDefault() ?? throw new NotFoundException("place");
        if (place.Session != session) throw new ConflictException("Another program runs with this key since. Give each place a key of its own.");
        var ids = findings.Select(f => f.Monitor).Distinct().ToList();
        var shards = await db.Monitors.Where(m => ids.Contains(m.Id) && m.PausedAt == null).Select(m => new { m.Id, m.Shard }).ToDictionaryAsync(m => m.Id, m => m.Shard, ct);
        foreach (var finding in findings.OrderBy(f => f.Sequence))
            if (place.Take(finding.Sequence) && shards.TryGetValue(finding.Monitor, out var shard) && Place(finding, place, shard, now) is { } check) db.Add(check);
        await db.TellOfHeard(ct);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return place.LastSequence;
    }

    static HeardCheck? Place(Finding f, ProbePlace place, int shard, DateTimeOffset now)
    {
        if (f.Look.Length > LongestLook || f.Age < TimeSpan.Zero || f.Age > ProbePlace.OldestResult || f.Duration < TimeSpan.Zero || f.Duration > LongestCheck) return null;
        var at = now - f.Age;
        return new HeardCheck
        {
            Shard = shard,
            MonitorId = f.Monitor,
            PlaceId = place.Id,
            PlaceName = place.Name,
            // Microseconds, as they are stored.
            At = new DateTimeOffset(at.UtcTicks - at.UtcTicks % 10, TimeSpan.Zero),
            Milliseconds = (float)f.Duration.TotalMilliseconds,
            Outcome = f.Outcome,
            StatusCode = f.StatusCode is >= 100 and <= 599 ? (short)f.StatusCode.Value : null,
            Detail = Storable(f.Detail),
            Look = Storable(f.Look)!,
        };
    }

    /// <summary>The database takes neither a zero nor half of a character; for the sake of one the others would never be taken.</summary>
    static string? Storable(string? text)
    {
        if (text is null) return null;
        var end = text.Length <= LongestDetail ? text.Length : char.IsHighSurrogate(text[LongestDetail - 1]) ? LongestDetail - 1 : LongestDetail;
        return text[..end].Replace('\0', ' ');
    }
}
