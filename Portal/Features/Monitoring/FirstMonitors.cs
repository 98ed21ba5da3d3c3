using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Hosting;
using Portal.Infrastructure.Persistence;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring;

/// <summary>On the very first start: ten monitors of this installation's own parts, beside those of a demonstration. Never again. Which components customers are shown is the company's to say.</summary>
public sealed class FirstMonitors(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock) : IStartupStep
{
    public const string SettingKey = "monitoring.seeded";
    const long AdvisoryLock = 0x506F7274616C01;

    static readonly (string Name, string Part)[] Parts =
    [
        ("Health API", "health"), ("Sign-in", "sign-in"), ("Public API", "public-api"), ("Database", "database"),
        ("Cache", "cache"), ("Job worker", "job-worker"), ("Live hub", "live-hub"), ("Admin", "admin"), ("Backup store", "backup-store"), ("Mail", "mail"),
    ];

    static readonly MonitorOptions HubHandshake = new() { Body = "{\"protocol\":\"json\",\"version\":1}\u001e", ExpectText = "{}\u001e" };

    public const int Place = 100;

    public int Order => Place;

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
        if (!await db.Monitors.AnyAsync(m => m.BuiltIn, ct)) Add(db, now);
        await db.Commit(new AuditEntry(Actor.System, "monitors.seeded", "monitors", "The first monitors", now), ct);
        await transaction.CommitAsync(ct);
    }

    static void Add(PortalDbContext db, DateTimeOffset now)
    {
        var made = now.AddMilliseconds(-Parts.Length);
        foreach (var (name, part) in Parts)
        {
            var interval = TimeSpan.FromSeconds(part == "admin" ? 120 : 60);
            // The hub is looked at as browsers use it, over a WebSocket and with SignalR's handshake; every other part looks at itself when it is asked.
            var (kind, target, options) = part == "live-hub" ? (MonitorKind.Websocket, "self:/hubs/status", HubHandshake) : (MonitorKind.Http, $"self:/health/parts/{part}", MonitorOptions.None);
            var monitor = new Monitor(new MonitorSettings(name, kind, target, interval, TimeSpan.FromSeconds(10), null, Critical: part == "database", Options: options), made, builtIn: true);
            db.Add(monitor);
            db.Add(new MonitorState(monitor.Id, now));
            // Lists are by age: the order above is the order on the screen.
            made = made.AddMilliseconds(1);
        }
    }
}
