using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Infrastructure.Backups;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Security;

namespace Portal.Features.Backups;

/// <summary>
/// Makes the passphrase that opens a store without the portal, and wraps the store's key and the master key with it. It is shown once, and holds from the moment when somebody
/// confirms to have it; until then the one before does.
/// </summary>
public sealed class MakeRecoverySheet(IDbContextFactory<PortalDbContext> contexts, StoreOpening opening, MasterKey master, SecretBox box, TimeProvider clock)
{
    /// <summary>No letter looks like a digit.</summary>
    const string Letters = "ABCDEFGHJKMNPQRSTVWXYZ23456789";
    const int Groups = 6, GroupLength = 5;
    /// <summary>Those that are typed back.</summary>
    public const int FirstAsked = 2, SecondAsked = 5;

    /// <param name="Passphrase">Six groups of five: 147 random bits.</param>
    public sealed record Sheet(string Passphrase, string Store, string Place, BackupKeyId Key, DateTimeOffset MadeAt);

    public Task<Sheet> Execute(BackupStoreId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.RestoreBackups);
        // The upkeep and running jobs write the same rows: whoever lost that race tries again.
        return Contention.Settle(async () =>
        {
            var now = clock.GetUtcNow();
            await using var db = await contexts.CreateDbContextAsync(ct);
            var store = await db.BackupStores.SingleOrDefaultAsync(s => s.Id == id && s.RetiredAt == null, ct) ?? throw new NotFoundException("store");
            using var open = opening.Open(store);
            var groups = Enumerable.Range(0, Groups).Select(_ => RandomNumberGenerator.GetString(Letters, GroupLength)).ToArray();
            var passphrase = string.Join('-', groups);
            store.MakeSheet(await open.Key.Wrap(passphrase, ct), await DataKey.Wrap(master.Bytes.ToArray(), passphrase, ct), box.Seal($"{groups[FirstAsked - 1]}{groups[SecondAsked - 1]}", id.Value), now);
            await db.Commit(new AuditEntry(actor, "backup_store.sheet_made", id.ToString(), store.Name, now), ct);
            return new Sheet(passphrase, store.Name, store.Place.Words, store.KeyId, now);
        });
    }
}
