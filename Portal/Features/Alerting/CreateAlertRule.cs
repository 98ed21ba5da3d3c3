using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Audit;
using Portal.Domain.Incidents;
using Portal.Domain.Notifications;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Alerting;

/// <summary>Says when the portal raises an alert by itself.</summary>
public sealed class CreateAlertRule(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task<AlertRuleId> Execute(AlertRuleSettings settings, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageAlerting);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        await settings.Require(db, ct);
        var rule = new AlertRule(settings.Name, settings.Service, settings.Severity, settings.Condition, settings.Tells, settings.Pages, settings.Runbook, now);
        db.AlertRules.Add(rule);
        await db.Commit(new AuditEntry(actor, "alert_rule.created", rule.Id.ToString(), settings.Summary, now), ct);
        return rule.Id;
    }
}

/// <summary>What people set of a rule. See <see cref="AlertRule"/> for each.</summary>
public sealed record AlertRuleSettings(string Name, ServiceId Service, Severity Severity, RuleCondition Condition, IReadOnlyList<EscalationTarget> Tells, bool Pages, string? Runbook)
{
    public string Summary => $"{Name}: {Severity}, {RuleWords.InWords(Condition)}";

    /// <exception cref="DomainException">What it names is not there (any more).</exception>
    public async Task Require(PortalDbContext db, CancellationToken ct)
    {
        if (!await db.Services.AnyAsync(s => s.Id == Service, ct)) throw new DomainException("There is no such service.", "service");
        var channels = Tells.Where(t => t.Kind == EscalationTargetKind.Channel).Select(t => new ChannelId(t.Id)).ToList();
        var groups = Tells.Where(t => t.Kind == EscalationTargetKind.ContactGroup).Select(t => new ContactGroupId(t.Id)).ToList();
        var known = await db.Channels.CountAsync(c => channels.Contains(c.Id), ct) + await db.ContactGroups.CountAsync(g => groups.Contains(g.Id), ct);
        if (known < Tells.Distinct().Count()) throw new DomainException("A channel or group that it tells does not exist any more.", "tells");
    }
}
