using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Hosting;
using Portal.Infrastructure.Persistence;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring;

/// <summary>Where customers reach the portal over https, its certificate is watched too: made once, and it follows <c>Public:BaseUrl</c>. Whoever deletes it is not given it again.</summary>
public sealed class OwnCertificate(IDbContextFactory<PortalDbContext> contexts, PortalOptions options, TimeProvider clock) : IStartupStep
{
    public const string SettingKey = "monitoring.own-certificate";
    const long AdvisoryLock = 0x506F7274616C02;

    public int Order => FirstMonitors.Place + 1;

    public async Task Run(CancellationToken ct)
    {
        if (options.Public.BaseUrl is not { Scheme: "https" } address) return;
        var (now, target) = (clock.GetUtcNow(), $"tls://{address.IdnHost}:{address.Port}");
        await using var db = await contexts.CreateDbContextAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // Two nodes may start at once.
        await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock({AdvisoryLock})", ct);
        var own = await db.Monitors.SingleOrDefaultAsync(m => m.BuiltIn && m.Kind == MonitorKind.Tls, ct);
        if (own?.Target == target || own is null && await db.Settings.AnyAsync(s => s.Key == SettingKey, ct)) return;
        if (own is not null) own.Follow(target, now);
        else
        {
            // The operator named this address: it may be a private one.
            own = new Monitor(new MonitorSettings("Own certificate", MonitorKind.Tls, target, TimeSpan.FromMinutes(10), TimeSpan.FromSeconds(10), null, AllowPrivate: true), now, builtIn: true);
            db.Add(own);
            db.Add(new MonitorState(own.Id, now));
            db.Add(new Setting { Key = SettingKey, Value = now.ToString("O", System.Globalization.CultureInfo.InvariantCulture) });
        }
        await db.Commit(new AuditEntry(Actor.System, "monitors.seeded", "monitors", $"{own.Name}: {target}", now), ct);
        await transaction.CommitAsync(ct);
    }
}
