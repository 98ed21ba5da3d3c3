using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Alerting;
using Portal.Domain.Audit;
using Portal.Domain.Incidents;
using Portal.Domain.Monitoring;
using Portal.Domain.Notifications;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Features.Monitoring;
using Portal.Hosting;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Security;

namespace Portal.Features.Alerting;

/// <summary>On the first start, and on the first one after an upgrade to alerting: three rotations with their schedules, three policies, six services, four contact groups, and the rules that raise alerts of them. Never again: everything is edited afterwards. Source: seeds 8, 10-13, 16.</summary>
public sealed class FirstAlerting(IDbContextFactory<PortalDbContext> contexts, PortalOptions options, SecretBox box, TimeProvider clock) : IStartupStep
{
    public const string SettingKey = "alerting.seeded";
    const long AdvisoryLock = 0x506F7274616C11;
    /// <summary>Minutes: alerts of a service that come within these of each other page once; an acknowledgement that leads to nothing pages again.</summary>
    const int GroupFor = 5, AcknowledgedFor = 60;

    /// <summary>The ten first monitors by the part that they look at, and how bad it is when one of them is down.</summary>
    static readonly (string Service, string Name, Severity Severity, string[] Targets)[] Outages =
    [
        ("api", "The API is down", Severity.P1, ["self:/health/parts/health", "self:/health/parts/public-api", "self:/hubs/status"]),
        ("database", "The database is down", Severity.P0, ["self:/health/parts/database"]),
        ("jobs", "Jobs stand still", Severity.P1, ["self:/health/parts/job-worker"]),
        ("authentication", "Nobody can sign in", Severity.P1, ["self:/health/parts/sign-in", "self:/health/parts/admin"]),
        ("infrastructure", "Infrastructure is down", Severity.P2, ["self:/health/parts/cache", "self:/health/parts/backup-store", "self:/health/parts/mail"]),
    ];

    /// <summary>After the monitors that its rules name, and after the first administrator.</summary>
    public int Order => 230;

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
        if (!await db.Services.AnyAsync(ct)) await Add(db, now, ct);
        await db.Commit(new AuditEntry(Actor.System, "alerting.seeded", "services", "The first services, policies, rotations and rules", now), ct);
        await transaction.CommitAsync(ct);
    }

    async Task Add(PortalDbContext db, DateTimeOffset now, CancellationToken ct)
    {
        var administrators = await db.People.AsNoTracking().Where(p => p.Role == Role.Admin && p.DeactivatedAt == null).OrderBy(p => p.CreatedAt).ThenBy(p => p.Id).Select(p => new { p.Id, p.Email }).ToListAsync(ct);
        var zone = options.Public.TimeZone.Id;
        var onCall = FirstOnCall.Of([.. administrators.Select(a => a.Id)], zone, Actor.System.Name, now);
        db.AddRange(onCall.Rotations);
        db.AddRange(onCall.Schedules);
        db.AddRange(onCall.Policies);
        var services = FirstOnCall.Services.ToDictionary(s => s.Slug, s => ServiceOf(s, onCall, zone, now));
        db.AddRange(services.Values);

        // Whoever administers the portal reads first what goes to a team; PagerDuty and whoever else are for the company to enter.
        IReadOnlyList<GroupMember> team = [.. administrators.Select(a => new GroupMember(null, a.Email))];
        ContactGroup development = new("Development", team, now), operations = new("Operations", team, now), engineer = new("On-call engineer", [], now), pagerDuty = new("PagerDuty", [], now);
        db.AddRange(development, operations, engineer, pagerDuty);

        var monitors = await db.Monitors.AsNoTracking().Where(m => m.BuiltIn).Select(m => new { m.Id, m.Target }).ToListAsync(ct);
        foreach (var (service, name, severity, targets) in Outages)
        {
            var named = monitors.Where(m => targets.Contains(m.Target)).Select(m => m.Id).ToList();
            // A rule without monitors would be about all others.
            if (named.Count > 0) db.Add(new AlertRule(name, services[service].Id, severity, new(AlertRuleKind.Outage, new(named)), [], pages: true, null, now));
        }
        db.Add(new AlertRule("Another monitor is down", services["infrastructure"].Id, Severity.P1, new(AlertRuleKind.Outage, new([])), [], pages: true, null, now));
        // Source: seeds 10. Their addresses stand in groups, which a company fills; whoever is on call is paged in any case.
        db.AddRange(
            new AlertRule("Error rate", services["api"].Id, Severity.P1, Threshold("error-rate", 5, 5), Tells(operations, development), pages: true, null, now),
            new AlertRule("Slow responses", services["api"].Id, Severity.P2, Threshold("response-time", 500, 10), Tells(operations), pages: true, null, now),
            new AlertRule("Database errors", services["database"].Id, Severity.P0, Threshold("database-errors", 10, 5), Tells(operations, development, engineer, pagerDuty), pages: true, null, now));
    }

    Service ServiceOf(ServiceSeed seed, FirstOnCall onCall, string zone, DateTimeOffset now)
    {
        EscalationPolicyId By(Severity severity) => onCall[seed.PolicyFor(severity)].Id;
        var (id, key) = (Id.New<ServiceId>(now), Secret.New());
        var settings = new ServiceSettings(seed.Name, seed.Slug, null, new(By(Severity.P0), By(Severity.P1), By(Severity.P2), By(Severity.P3)), FirstOnCall.Hours(zone), AcknowledgedFor, GroupFor, DeclareFrom: null, []);
        return new(settings, Secret.HashOf(key), box.Seal(key, id.Value), now, id);
    }

    static RuleCondition Threshold(string figure, double limit, int minutes) => new(AlertRuleKind.Threshold, new([]), figure, RuleComparison.Above, limit, minutes);

    static IReadOnlyList<EscalationTarget> Tells(params ContactGroup[] groups) => [.. groups.Select(g => EscalationTarget.Of(g.Id))];
}
