using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>Whether this database was restored, and what waits for somebody's word since.</summary>
public sealed class RecoveryState(IDbContextFactory<PortalDbContext> contexts)
{
    /// <param name="Shows">What came later is lost; null where nobody had done anything yet.</param>
    /// <param name="Held">Messages.</param>
    public sealed record View(DateTimeOffset? Shows, int Runs, int Sessions, int Held);

    /// <returns>Null where it never was, or all was released.</returns>
    public async Task<View?> Load(Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewBackups);
        await using var db = await contexts.CreateDbContextAsync(ct);
        return await db.Settings.AsNoTracking().Where(s => s.Key == RecoveryEpoch.Setting).Select(s => s.Value).SingleOrDefaultAsync(ct) is { } text
            && JsonSerializer.Deserialize<Recovery>(text, JsonSerializerOptions.Web) is { ReleasedAt: null } found ? new View(found.Shows, found.Runs, found.Sessions, found.Held) : null;
    }
}
