using Microsoft.EntityFrameworkCore;
using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>What a plan is to be.</summary>
/// <param name="Cron">When, as a crontab writes it.</param>
/// <param name="Zone">IANA id.</param>
/// <param name="TellsSuccess">Whether each good backup is told by mail; what goes wrong always is.</param>
public sealed record PlanRequest(
    string Name, BackupTargetId Target, IReadOnlyCollection<BackupStoreId> Stores, string Cron, string Zone, int GzipLevel, VerificationLevel VerifyTo, Retention Retention, int TargetLossMinutes, bool Paused = false, bool TellsSuccess = false)
{
    /// <exception cref="DomainException">A store is none, or none that is written to.</exception>
    internal async Task CheckStores(PortalDbContext db, CancellationToken ct)
    {
        foreach (var id in Stores)
            if (!await db.BackupStores.AnyAsync(s => s.Id == id && s.RetiredAt == null, ct)) throw new DomainException($"There is no store {id} that is written to.", "stores");
    }

    internal void ApplyTo(BackupPlan plan, DateTimeOffset now)
    {
        plan.Change(Name, Stores, GzipLevel, VerifyTo, Retention, TargetLossMinutes);
        plan.TellSuccess(TellsSuccess, now);
    }

    /// <summary>For the audit log: what is not as usual.</summary>
    internal string Words => $"{(TellsSuccess ? ", a mail on every success" : "")}{(Paused ? ", paused" : "")}";
}
