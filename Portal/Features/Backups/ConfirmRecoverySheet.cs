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
public sealed class ConfirmRecoverySheet(IDbContextFactory<PortalDbContext> contexts, SecretBox box, TimeProvider clock)
{
    public async Task Execute(BackupStoreId id, string? typed, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageBackups);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var store = await db.BackupStores.SingleOrDefaultAsync(s => s.Id == id && s.RetiredAt == null, ct) ?? throw new NotFoundException("store");
        if (store.SheetProof is not { } proof) throw new DomainException("There is no recovery sheet that waits for this: make one first.");
        var said = string.Concat((typed ?? "").ToUpperInvariant().Where(char.IsLetterOrDigit));
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(said), Encoding.UTF8.GetBytes(box.Open(proof, id.Value))))
            throw new DomainException($"These are not groups {MakeRecoverySheet.FirstAsked} and {MakeRecoverySheet.SecondAsked} of the sheet that was made last. Compare them letter by letter, or make a new sheet.", "groups");
        store.ConfirmSheet(actor, now);
        await db.Commit(new AuditEntry(actor, "backup_store.sheet_confirmed", id.ToString(), store.Name, now), ct);
    }
}
