using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Monitoring;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Alerting;

/// <summary>All alert rules by name; there are as many as people write.</summary>
public sealed class RuleList(IDbContextFactory<PortalDbContext> contexts)
{
    public const int Most = 500;

    /// <param name="Open">How many alerts of it are open.</param>
    /// <param name="Tells">Names of the channels and groups.</param>
    public sealed record Row(AlertRule Rule, string ServiceName, int Open, IReadOnlyList<string> Tells);

    public async Task<IReadOnlyList<Row>> Load(Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var rules = await (from r in db.AlertRules.AsNoTracking() join s in db.Services on r.ServiceId equals s.Id orderby r.Name, r.Id select new { Rule = r, s.Name }).Take(Most).ToListAsync(ct);
        var open = await db.Alerts.Where(a => a.RuleId != null && a.State != AlertState.Resolved).GroupBy(a => a.RuleId!.Value).Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, ct);
        var names = (await RuleChoices.Places(db, ct)).ToDictionary(p => p.Target, p => p.Name);
        return [.. rules.Select(r => new Row(r.Rule, r.Name, open.GetValueOrDefault(r.Rule.Id), [.. r.Rule.Tells.Select(t => names.GetValueOrDefault(t, "one that was deleted"))]))];
    }

    public async Task<AlertRule> LoadOne(AlertRuleId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        await using var db = await contexts.CreateDbContextAsync(ct);
        return await db.AlertRules.AsNoTracking().SingleOrDefaultAsync(r => r.Id == id, ct) ?? throw new NotFoundException("alert rule");
    }
}

/// <summary>What an editor of rules or services chooses from, by name.</summary>
public sealed class RuleChoices(IDbContextFactory<PortalDbContext> contexts)
{
    const int Most = 2_000;

    public sealed record View(IReadOnlyList<(ServiceId Id, string Name)> Services, IReadOnlyList<(EscalationTarget Target, string Name)> Places, IReadOnlyList<(MonitorId Id, string Name)> Monitors, IReadOnlyList<(EscalationPolicyId Id, string Name)> Policies);

    public async Task<View> Load(Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var services = await db.Services.OrderBy(s => s.Name).Select(s => new { s.Id, s.Name }).ToListAsync(ct);
        var monitors = await db.Monitors.OrderBy(m => m.Name).Take(Most).Select(m => new { m.Id, m.Name }).ToListAsync(ct);
        var policies = await db.EscalationPolicies.OrderBy(p => p.Name).Select(p => new { p.Id, p.Name }).ToListAsync(ct);
        return new([.. services.Select(s => (s.Id, s.Name))], await Places(db, ct), [.. monitors.Select(m => (m.Id, m.Name))], [.. policies.Select(p => (p.Id, p.Name))]);
    }

    /// <summary>Contact groups and channels.</summary>
    internal static async Task<IReadOnlyList<(EscalationTarget Target, string Name)>> Places(PortalDbContext db, CancellationToken ct)
    {
        var groups = await db.ContactGroups.OrderBy(g => g.Name).Select(g => new { g.Id, g.Name }).ToListAsync(ct);
        var channels = await db.Channels.OrderBy(c => c.Name).Select(c => new { c.Id, c.Name }).ToListAsync(ct);
        return [.. groups.Select(g => (EscalationTarget.Of(g.Id), g.Name)), .. channels.Select(c => (EscalationTarget.Of(c.Id), c.Name))];
    }
}
