using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Hosting;
using Portal.Infrastructure.Persistence;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring;

/// <summary>On the very first start: ten monitors of this installation's own parts, and the components that customers know of them. Never again.</summary>
public sealed class FirstMonitors(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock) : IStartupStep
{
    public const string SettingKey = "monitoring.seeded";
    const long AdvisoryLock = 0x506F7274616C01;

    static readonly (string Name, string Part, string? Component)[] Parts =
    [
        ("Health API", "health", "Status page"), ("Sign-in", "sign-in", "Sign-in"), ("Public API", "public-api", "Public API"), ("Database", "database", "Database"),
        ("Cache", "cache", null), ("Job worker", "job-worker", null), ("Live hub", "live-hub", null), ("Admin", "admin", null), ("Backup store", "backup-store", null), ("Mail", "mail", null),
    ];

    public int Order => 100;

    public async Task Run(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        if (await db.Settings.AnyAsync(s => s.Key == SettingKey, ct)) return;
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock({AdvisoryLock})", ct);
        // Another node may have been first while this one waited.
        if (await db.Settings.AnyAsync(s => s.Key == SettingKey, ct)) return;
        db.Add(new Setting { Key = SettingKey, Value = now.ToString("O", System.Globalization.CultureInfo.InvariantCulture) });
        if (!await db.Monitors.AnyAsync(ct)) await Add(db, now, ct);
        await db.Commit(new AuditEntry(Actor.System, "monitors.seeded", "monitors", "The first monitors", now), ct);
        await transaction.CommitAsync(ct);
    }

    static async Task Add(PortalDbContext db, DateTimeOffset now, CancellationToken ct)
    {
        var empty = !await db.Components.AnyAsync(ct);
        var (position, made) = (0, now.AddMilliseconds(-Parts.Length));
        foreach (var (name, part, watches) in Parts)
        {
            var component = empty && watches is not null ? new Component(watches, null, null, null, position++, now) : null;
            if (component is not null) db.Add(component);
            var interval = TimeSpan.FromSeconds(part == "admin" ? 120 : 60);
            var monitor = new Monitor(new MonitorSettings(
                name, MonitorKind.Http, $"self:/health/parts/{part}", interval, TimeSpan.FromSeconds(10), component?.Id, Critical: part == "database"), made, builtIn: true);
            db.Add(monitor);
            db.Add(new MonitorState(monitor.Id, now));
            // Lists are by age: the order above is the order on the screen.
            made = made.AddMilliseconds(1);
        }
    }
}
