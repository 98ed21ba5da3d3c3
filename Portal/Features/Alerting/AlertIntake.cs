using Microsoft.EntityFrameworkCore;
using Portal.Components;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Alerting;

/// <summary>Makes alerts of what was heard: one node at a time, in the order of hearing, each batch in one transaction with what it took.</summary>
public sealed class AlertIntake(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock, ILogger<AlertIntake> log)
{
    public const int AtOnce = 2_000;

    /// <returns>How many signals were taken in; null where another node is at it.</returns>
    public async Task<int?> Take(CancellationToken ct)
    {
        try
        {
            return await Take(AtOnce, ct);
        }
        catch (Exception e) when (!ct.IsCancellationRequested && !Refusal.IsDatabaseAway(e) && !Database.IsLostRace(e) && e is not DbUpdateConcurrencyException)
        {
            // One that cannot be stored must not hold up the others: each by itself, until the one is found.
            log.LogError(e, "Signals could not be taken in together, and are taken one by one");
            return await OneByOne(ct);
        }
    }

    async Task<int?> OneByOne(CancellationToken ct)
    {
        for (var taken = 0; taken < AtOnce;)
            try
            {
                if (await Take(1, ct) is not { } one) return null;
                if (one == 0) return taken;
                taken++;
            }
            catch (Exception e) when (!ct.IsCancellationRequested && !Refusal.IsDatabaseAway(e) && !Database.IsLostRace(e) && e is not DbUpdateConcurrencyException)
            {
                log.LogError(e, "A signal could not be taken in: it goes to the end of the queue");
                await using var db = await contexts.CreateDbContextAsync(ct);
                await db.Database.ExecuteSqlAsync($"update heard_signals set id = nextval(pg_get_serial_sequence('heard_signals', 'id')) where id = (select min(id) from heard_signals)", ct);
                return taken;
            }
        return AtOnce;
    }

    async Task<int?> Take(int most, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (!await IsOurTurn(db, ct)) return null;
        var heard = await db.HeardSignals.AsNoTracking().OrderBy(s => s.Id).Take(most).ToListAsync(ct);
        if (heard.Count == 0) return 0;
        var batch = await IntakeBatch.Load(db, heard, clock.GetUtcNow(), ct);
        foreach (var signal in heard) batch.Hear(signal);
        await batch.Finish(ct);
        await db.SaveChangesAsync(ct);
        var ids = heard.Select(s => s.Id).ToArray();
        await db.Database.ExecuteSqlAsync($"delete from heard_signals where id = any ({ids})", ct);
        await transaction.CommitAsync(ct);
        if (batch.Late > 0) log.LogInformation("{Late} triggers came after the end of what they tell of and were left out", batch.Late);
        return heard.Count;
    }

    /// <summary>What was silenced, under maintenance or in a group, and is so no more, pages now; nothing that is open is forgotten.</summary>
    /// <returns>How many changed; null where another node is at it.</returns>
    public async Task<int?> Sweep(CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (!await IsOurTurn(db, ct)) return null;
        var changed = await QuietSweep.Run(db, clock.GetUtcNow(), ct);
        if (changed > 0) await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return changed;
    }

    static async Task<bool> IsOurTurn(PortalDbContext db, CancellationToken ct) =>
        (await db.Database.SqlQuery<bool>($"select pg_try_advisory_xact_lock(hashtext('portal.alert-intake')) as \"Value\"").ToListAsync(ct))[0];
}
