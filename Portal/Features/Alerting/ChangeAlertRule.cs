using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Alerting;

/// <summary>Edits a rule, pauses and resumes it. What it has raised is over when it watches something else, belongs to another service, or is paused.</summary>
public sealed class ChangeAlertRule(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="Settings">Null edits nothing.</param>
    /// <param name="Paused">Null leaves it as it is.</param>
    /// <param name="Version">The version that was edited; null takes what stands.</param>
    public sealed record Request(AlertRuleId Rule, AlertRuleSettings? Settings = null, bool? Paused = null, uint? Version = null);

    public async Task Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageAlerting);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var rule = await db.AlertRules.SingleOrDefaultAsync(r => r.Id == request.Rule, ct) ?? throw new NotFoundException("alert rule");
        if (request.Version is { } seen && seen != rule.Version)
            throw new ConflictException("Somebody else changed this rule since you opened it. Nothing was saved: look at what stands now and decide anew.");
        var done = new List<AuditEntry>();
        if (request.Settings is { } settings)
        {
            await settings.Require(db, ct);
            var (condition, service) = (rule.Condition, rule.ServiceId);
            rule.Change(settings.Name, settings.Service, settings.Severity, settings.Condition, settings.Tells, settings.Pages, settings.Runbook);
            if (rule.Condition != condition || rule.ServiceId != service) await RuleSignals.End(db, rule, "was changed", now, ct);
            Note("alert_rule.changed", settings.Summary);
        }
        if (request.Paused == true && rule.PausedAt is null)
        {
            rule.Pause(now);
            await RuleSignals.End(db, rule, "was paused", now, ct);
            Note("alert_rule.paused", rule.Name);
        }
        else if (request.Paused == false && rule.PausedAt is not null)
        {
            rule.Resume();
            Note("alert_rule.resumed", rule.Name);
        }
        if (done.Count > 0) await db.Commit(done, ct);

        void Note(string action, string words) => done.Add(new AuditEntry(actor, action, rule.Id.ToString(), words, now));
    }
}

/// <summary>Asks a rule no more; what it has raised is over.</summary>
public sealed class DeleteAlertRule(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task Execute(AlertRuleId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageAlerting);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var rule = await db.AlertRules.SingleOrDefaultAsync(r => r.Id == id, ct) ?? throw new NotFoundException("alert rule");
        await RuleSignals.End(db, rule, "was deleted", now, ct);
        db.AlertRules.Remove(rule);
        await db.Commit(new AuditEntry(actor, "alert_rule.deleted", id.ToString(), $"{rule.Name}: {RuleWords.InWords(rule.Condition)}", now), ct);
    }
}
