using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Features.Access;
using Portal.Infrastructure.Persistence;
using Portal.Live;

namespace Portal.Features.Alerting;

/// <summary>Which service a key belongs to, without a query for each event.</summary>
public sealed class KnownKeys : IDisposable
{
    /// <summary>A key that was renewed works for so long at most, where the news of it was lost.</summary>
    static readonly TimeSpan Kept = TimeSpan.FromSeconds(5);
    const int MostKept = 10_000, LongestKey = 100;

    readonly IDbContextFactory<PortalDbContext> contexts;
    readonly TimeProvider clock;
    readonly IDisposable subscription;
    readonly ConcurrentDictionary<string, (Service? Service, long At)> known = new();

    public KnownKeys(IDbContextFactory<PortalDbContext> contexts, ChangeFeed feed, TimeProvider clock)
    {
        (this.contexts, this.clock) = (contexts, clock);
        subscription = feed.Subscribe("services", () =>
        {
            known.Clear();
            return Task.CompletedTask;
        }, TimeSpan.Zero);
    }

    /// <returns>Null for a key that is none.</returns>
    public async Task<Service?> Find(string? key, CancellationToken ct)
    {
        if (key is not { Length: > 0 and <= LongestKey }) return null;
        var hash = Secret.HashOf(key);
        var name = Convert.ToHexString(hash);
        if (known.TryGetValue(name, out var found) && clock.GetElapsedTime(found.At) < Kept) return found.Service;
        await using var db = await contexts.CreateDbContextAsync(ct);
        var service = await db.Services.AsNoTracking().SingleOrDefaultAsync(s => s.RoutingKeyHash == hash, ct);
        // Guesses must not fill the memory.
        if (known.Count >= MostKept) known.Clear();
        known[name] = (service, clock.GetTimestamp());
        return service;
    }

    public void Dispose() => subscription.Dispose();
}
