using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Features.Notifications;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Alerting;

/// <summary>Lets alerts page as their services say, or says why they do not.</summary>
sealed class AlertRouting(PortalDbContext db, HeldAlerts held, Quietness quietness, IReadOnlyDictionary<EscalationPolicyId, EscalationPolicy> policies, DateTimeOffset now)
{
    /// <summary>By target of a rule, where that leads.</summary>
    ILookup<EscalationTarget, WaysToReach.Way> ways = Array.Empty<WaysToReach.Way>().ToLookup(w => w.Told.Target);

    /// <param name="services">Of all that may be routed.</param>
    /// <param name="rules">Likewise.</param>
    public static async Task<AlertRouting> Load(PortalDbContext db, HeldAlerts held, Quietness quietness, IReadOnlyCollection<Service> services, IEnumerable<AlertRule> rules, DateTimeOffset now, CancellationToken ct)
    {
        var named = services.SelectMany(s => new[] { s.PolicyP0, s.PolicyP1, s.PolicyP2, s.PolicyP3 }).OfType<EscalationPolicyId>().ToHashSet();
        var policies = await db.EscalationPolicies.AsNoTracking().Where(p => named.Contains(p.Id)).ToDictionaryAsync(p => p.Id, ct);
        var told = rules.SelectMany(r => r.Tells).Distinct().Select(t => new Told(t, null)).ToList();
        var routing = new AlertRouting(db, held, quietness, policies, now);
        if (told.Count > 0) routing.ways = (await WaysToReach.LoadAll(db, told, ct)).ToLookup(w => w.Told.Target);
        return routing;
    }

    /// <summary>An alert that is new, or whose silence is over.</summary>
    /// <param name="head">The one that it may join; null where there is none.</param>
    /// <param name="told">Keys of what a rule told before.</param>
    public void Route(Alert alert, Service service, Alert? head, IReadOnlySet<string>? told = null)
    {
        if (quietness.Of(alert, service) is { } quiet)
        {
            Hush(alert, quiet.Why, quiet.Because);
            return;
        }
        if (alert.Quiet != AlertQuiet.No)
        {
            alert.Speak();
            held.Note(alert, AlertEventKind.Spoke, null, "What kept it quiet is over", now);
        }
        var rule = quietness.RuleOf(alert);
        if (rule is not null)
            foreach (var to in rule.Tells.SelectMany(t => ways[t]).Select(w => w.Address).DistinctBy(ToldPlaces.KeyOf))
                if (told?.Contains(ToldPlaces.RuleKey(alert, to)) != true) db.Deliveries.Add(ToldPlaces.OfRule(alert, to, rule.Runbook, now));
        if (rule is { Pages: false }) Hush(alert, AlertQuiet.Unrouted, "Its rule pages nobody");
        else if (PolicyOf(alert, service) is not { } policy) Hush(alert, AlertQuiet.Unrouted, Unrouted(alert, service));
        else if (head is not null)
        {
            alert.Join(head, now);
            held.Note(alert, AlertEventKind.Grouped, null, alert.QuietBecause!, now);
        }
        else Begin(alert, service, policy);
    }

    /// <summary>It became worse: by another policy it begins anew, and what waited for the morning or for the first of its group waits no longer.</summary>
    public void Worsen(Alert alert, Service service)
    {
        if (quietness.RuleOf(alert) is { Pages: false } || PolicyOf(alert, service) is not { } policy) return;
        switch (alert.Quiet)
        {
            case AlertQuiet.Grouped when alert.GroupId is { } id && held.Find(id) is { } head && alert.Severity < head.Severity:
                alert.Leave(head);
                Begin(alert, service, policy);
                break;
            case AlertQuiet.Unrouted:
                alert.Speak();
                Begin(alert, service, policy);
                break;
            case AlertQuiet.No when held.EscalationOf(alert) is { } running:
                var firstAt = FirstAt(alert, service);
                if (running.PolicyId == policy.Id && !(running.LastPosition is null && running.State == EscalationState.Running && firstAt < running.NextAt)) break;
                if (alert.State == AlertState.Acknowledged) alert.Release();
                running.Reassign(policy.Current, now, firstAt);
                held.Note(alert, AlertEventKind.Reassigned, null, $"Goes by {policy.Name} now that it is {alert.Severity}", now);
                break;
        }
    }

    /// <summary>The first of a group is over: the oldest that is open takes its place, acknowledged if the first was.</summary>
    public void Promote(Alert first)
    {
        var service = held.ServiceOf(first);
        foreach (var next in held.GroupOf(first))
        {
            if (quietness.Of(next, service) is { } quiet)
            {
                next.Speak();
                Hush(next, quiet.Why, quiet.Because);
            }
            else if (PolicyOf(next, service) is not { } policy)
            {
                next.Speak();
                Hush(next, AlertQuiet.Unrouted, Unrouted(next, service));
            }
            else
            {
                next.TakeOver(first, [.. held.GroupOf(first).Where(a => a.Id != next.Id)]);
                held.Note(next, AlertEventKind.Spoke, null, $"Takes the place of what it had joined, which is over: {first.Summary}", now);
                if (first.AcknowledgedBy is { } holder && next.State == AlertState.Triggered)
                {
                    next.Acknowledge(Holder(holder), now);
                    held.Note(next, AlertEventKind.Acknowledged, holder, $"{holder} had what it had joined, and has this one now", now);
                }
                Begin(next, service, policy);
                return;
            }
        }
    }

    /// <summary>Somebody silenced it while it paged. Who was told already has it, as it were, until the silence ends; what told nobody yet begins anew then.</summary>
    public void Silence(Alert alert, Silence silence)
    {
        if (held.EscalationOf(alert) is not { LastPosition: not null } running)
        {
            held.Cease(alert);
            Hush(alert, AlertQuiet.Silenced, Quietness.Words(silence));
            return;
        }
        var until = silence.To < now + Longest ? silence.To : now + Longest;
        alert.Snooze(until, Holder(HolderOf(silence)), now);
        running.Acknowledge(now, Holder(HolderOf(silence)), until);
        held.Note(alert, AlertEventKind.Snoozed, null, Quietness.Words(silence), now);
    }

    /// <summary>The silence that snoozed it ended before its time: it pages again.</summary>
    public void Wake(Alert alert)
    {
        alert.Release();
        held.EscalationOf(alert)?.Unacknowledge(now);
        held.Note(alert, AlertEventKind.Released, null, "The silence is over", now);
    }

    /// <summary>Who has what a silence snoozed.</summary>
    public const string SilenceHolds = "Silence by ";

    static readonly TimeSpan Longest = TimeSpan.FromDays(7);

    static string HolderOf(Silence silence) => $"{SilenceHolds}{silence.MadeBy}" is { Length: > Text.NameLength } name ? name[..Text.NameLength] : $"{SilenceHolds}{silence.MadeBy}";

    void Begin(Alert alert, Service service, EscalationPolicy policy)
    {
        held.Begin(alert, policy.Current, now, FirstAt(alert, service));
        if (alert.State == AlertState.Acknowledged) held.EscalationOf(alert)!.Acknowledge(now, Holder(alert.AcknowledgedBy!), held.Until(alert, now));
    }

    void Hush(Alert alert, AlertQuiet why, string because)
    {
        alert.Hush(why, because);
        held.Note(alert, AlertEventKind.Hushed, null, because, now);
    }

    EscalationPolicy? PolicyOf(Alert alert, Service service) => service.Policies.Of(alert.Severity) is { } id ? policies.GetValueOrDefault(id) : null;

    DateTimeOffset FirstAt(Alert alert, Service service) => SupportHours.FirstAt(service.Hours, alert.Severity, now);

    static string Unrouted(Alert alert, Service service) => $"{service.Name} has no policy for {alert.Severity}";

    /// <summary>Whoever has it already, without doing anything now.</summary>
    static Actor Holder(string name) => new(ActorKind.System, null, name, new HashSet<Permission>());
}
