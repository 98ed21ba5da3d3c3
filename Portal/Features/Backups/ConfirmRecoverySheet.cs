using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Security;

namespace Portal.Features.Backups;

/// <summary>Somebody has the recovery sheet: two of its groups are typed back.</summary>
public sealed class ConfirmRecoverySheet(IDbContextFactory<PortalDbContext> contexts, StoreOpening opening, SecretBox box, TimeProvider clock)
{
    public Task Execute(BackupStoreId id, string? typed, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.RestoreBackups);
        // The upkeep and running jobs write the same rows: whoever lost that race tries again.
        return Contention.Settle(async () =>
        {
            var now = clock.GetUtcNow();
            await using var db = await contexts.CreateDbContextAsync(ct);
            var store = await db.BackupStores.SingleOrDefaultAsync(s => s.Id == id && s.RetiredAt == null, ct) ?? throw new NotFoundException("store");
            if (store.SheetProof is not { } proof) throw new DomainException("There is no recovery sheet that waits for this: make one first.");
            var said = string.Concat((typed ?? "").ToUpperInvariant().Where(char.IsLetterOrDigit));
            if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(said), Encoding.UTF8.GetBytes(box.Open(proof, id.Value))))
                throw new DomainException($"These are not groups {MakeRecoverySheet.FirstAsked} and {MakeRecoverySheet.SecondAsked} of the sheet that was made last. Compare them letter by letter, or make a new sheet.", "groups");
            store.ConfirmSheet(actor, now);
            using var open = opening.Open(store);
            try
            {
                // First there: who has the sheet can use it, whatever comes of the rest.
                await StoreOpening.KeepKeys(open, ct);
            }
            catch (BackupFailedException e)
            {
                throw new DomainException($"The keys could not be written to the store, so the sheet would open nothing yet: {e.Message} Try again once the store works.");
            }
            await db.Commit(new AuditEntry(actor, "backup_store.sheet_confirmed", id.ToString(), store.Name, now), ct);
            return id;
        });
    }
}
