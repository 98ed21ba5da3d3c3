using Microsoft.EntityFrameworkCore;
using Portal.Components;
using Portal.Domain.Alerting;
using Portal.Features.Monitoring.Engine;
using Portal.Hosting;
using Portal.Infrastructure.Persistence;
using Portal.Live;

namespace Portal.Features.Alerting;

/// <summary>Asks every ten seconds what the rules say of the stored figures, on one node at a time, and tells the intake what changed. It remembers nothing that another node would miss.</summary>
public sealed class RuleWatch(IDbContextFactory<PortalDbContext> contexts, RuleFigures figures, StartupState state, TimeProvider clock, ILogger<RuleWatch> log) : BackgroundService
{
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(10);
    const long AdvisoryLock = 0x506F7274616C10;
    /// <summary>A long window hardly moves in ten seconds: it is read anew after this part of it, and at least once a minute.</summary>
    const int PartOfWindow = 120;
    static readonly TimeSpan LongestRest = TimeSpan.FromMinutes(1);

    readonly DateTimeOffset began = clock.GetUtcNow();
    readonly Dictionary<RuleCondition, DateTimeOffset> asked = [];
    readonly DatabaseContact contact = new("The watch over alert rules", clock, log);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await state.Prepared.WaitAsync(stoppingToken);
        using var timer = new PeriodicTimer(Every, clock);
        do
            try
            {
                await Turn(stoppingToken);
                contact.Found();
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                if (Refusal.IsDatabaseAway(e)) contact.Lost(e);
                else log.LogError(e, "The alert rules could not be looked at and are tried again");
            }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <returns>How many signals were added; 0 also where another node does it.</returns>
    public async Task<int> Turn(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (!(await db.Database.SqlQuery<bool>($"select pg_try_advisory_xact_lock({AdvisoryLock}) as \"Value\"").ToListAsync(ct))[0]) return 0;
        var caughtUp = await OutageAlerts.CatchUp(db, now, ct);
        var rules = (await db.AlertRules.AsNoTracking().Where(r => r.PausedAt == null).ToListAsync(ct)).Where(r => r.Condition.Kind != AlertRuleKind.Outage && IsDue(r.Condition, now)).ToList();
        if (rules.Count > 0) await Judge(db, rules, now, ct);
        var added = db.ChangeTracker.Entries().Count(e => e.State == EntityState.Added);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        foreach (var rule in rules) asked[rule.Condition] = now;
        return Math.Max(added, caughtUp);
    }

    async Task Judge(PortalDbContext db, List<AlertRule> rules, DateTimeOffset now, CancellationToken ct)
    {
        var readings = await figures.Load([.. rules.Select(r => r.Condition)], now, ct);
        var firing = await RuleSignals.Firing(db, ct);
        foreach (var rule in rules)
        {
            var (reading, services) = (readings[rule.Condition], firing[RuleSignals.KeyOf(rule.Id)].ToList());
            var verdict = rule.Condition.Judge(reading);
            if (verdict == RuleVerdict.Bad && services.Count == 0) RuleSignals.Trigger(db, rule, reading, now);
            else if (verdict == RuleVerdict.Good) RuleSignals.Resolve(db, rule, services, "is over", now);
        }
    }

    bool IsDue(RuleCondition condition, DateTimeOffset now)
    {
        // Nobody could have been heard while the portal was not there.
        if (condition.Kind == AlertRuleKind.MissingData && now - began < TimeSpan.FromMinutes(condition.WindowMinutes)) return false;
        var rest = TimeSpan.FromMinutes(condition.WindowMinutes) / PartOfWindow;
        return !asked.TryGetValue(condition, out var last) || now < last || now - last >= (rest < LongestRest ? rest : LongestRest);
    }
}
