using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Access;

/// <summary>Slows down guessing: by account and network, so that nobody can lock out anybody elsewhere, and by network over all accounts.</summary>
/// <remarks>An attempt counts as failed before it is made and is taken back when it succeeds: many at once gain nothing.</remarks>
public sealed class SignInBrake(IDbContextFactory<PortalDbContext> contexts)
{
    /// <param name="WaitUntil">Not to be tried before then; null when it may be tried now.</param>
    /// <param name="Closes">Should this one fail, the next must wait.</param>
    public sealed record Attempt(DateTimeOffset? WaitUntil, bool Closes);

    /// <param name="account">What was typed as the account, in lower case.</param>
    /// <param name="knownHere">The account was signed in from this address before: strangers on the same network do not lock it out.</param>
    public async Task<Attempt> Begin(string account, Visitor visitor, bool knownHere, DateTimeOffset now, CancellationToken ct)
    {
        var (pairKey, networkKey) = Keys(account, visitor);
        byte[][] keys = [pairKey, networkKey];
        await using var db = await contexts.CreateDbContextAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // The update that changes nothing locks a row that is there already; the order keeps two attempts from waiting for each other.
        await db.Database.ExecuteSqlAsync($"""
            insert into sign_in_throttles (key, failures, last_failure_at, blocked_until)
            select k, 0, {now}, {now} from unnest({keys}) k order by k on conflict (key) do update set key = excluded.key
            """, ct);
        var rows = await db.SignInThrottles.FromSql($"select * from sign_in_throttles where key = any({keys}) order by key").ToListAsync(ct);
        var pair = rows.Single(r => r.Key.AsSpan().SequenceEqual(pairKey));
        var network = rows.Single(r => r.Key.AsSpan().SequenceEqual(networkKey));
        if (pair.IsBlocked(now)) return new(pair.BlockedUntil, false);
        if (network.IsBlocked(now) && !knownHere) return new(network.BlockedUntil, false);
        pair.Fail(now);
        if (!network.IsBlocked(now)) network.Fail(now, SignInThrottle.FreeFailuresOfAddress);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return new(null, pair.IsBlocked(now) || network.IsBlocked(now));
    }

    /// <summary>It succeeded: the account starts afresh from here, and the network has one failure less.</summary>
    public async Task Succeeded(string account, Visitor visitor, CancellationToken ct)
    {
        var (pair, network) = Keys(account, visitor);
        await using var db = await contexts.CreateDbContextAsync(ct);
        await db.Database.ExecuteSqlAsync($"update sign_in_throttles set failures = 0, blocked_until = last_failure_at where key = {pair}", ct);
        await TakeBack(db, network, SignInThrottle.FreeFailuresOfAddress, ct);
    }

    /// <summary>It was not tried at all.</summary>
    public async Task NotTried(string account, Visitor visitor, CancellationToken ct)
    {
        var (pair, network) = Keys(account, visitor);
        await using var db = await contexts.CreateDbContextAsync(ct);
        await TakeBack(db, pair, SignInThrottle.FreeFailures, ct);
        await TakeBack(db, network, SignInThrottle.FreeFailuresOfAddress, ct);
    }

    static Task<int> TakeBack(PortalDbContext db, byte[] key, int free, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"""
            update sign_in_throttles set failures = failures - 1,
                blocked_until = case when failures - 1 < {free} then last_failure_at else blocked_until end
            where key = {key} and failures > 0
            """, ct);

    static (byte[] Pair, byte[] Network) Keys(string account, Visitor visitor) =>
        (Secret.HashOf($"account {account}\n{visitor.Network}"), Secret.HashOf($"network {visitor.Network}"));
}
