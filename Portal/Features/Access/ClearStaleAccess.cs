using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Access;

/// <summary>Every hour: forgets failed sign-ins that no longer count, and sessions and links that ended a month ago.</summary>
public sealed class ClearStaleAccess(Database database, TimeProvider clock, ILogger<ClearStaleAccess> log) : BackgroundService
{
    static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await database.Opened.WaitAsync(stoppingToken);
        using var timer = new PeriodicTimer(TimeSpan.FromHours(1), clock);
        do
        {
            try { await Clear(stoppingToken); }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested) { log.LogWarning(e, "What is stale stays for another hour"); }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    public async Task Clear(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var (quiet, old) = (now - SignInThrottle.Memory - SignInThrottle.LongestWait, now - Kept);
        await using var db = database.CreateDbContext();
        await db.SignInThrottles.Where(t => t.LastFailureAt < quiet).ExecuteDeleteAsync(ct);
        await db.Sessions.Where(s => s.ExpiresAt < old || s.RevokedAt < old).ExecuteDeleteAsync(ct);
        await db.OneTimeLinks.Where(l => l.ExpiresAt < old).ExecuteDeleteAsync(ct);
    }
}
