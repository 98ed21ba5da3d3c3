using Portal.Domain.Incidents;
using Portal.Domain.Monitoring;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;

namespace Portal.Domain.Alerting;

public readonly record struct AlertRuleId(Guid Value) : IId<AlertRuleId>
{
    public static AlertRuleId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>What a rule watches.</summary>
public enum AlertRuleKind
{
    /// <summary>A monitor is down: the outage is confirmed, not one failed check.</summary>
    Outage,
    /// <summary>A figure over a window lies beyond a limit.</summary>
    Threshold,
    /// <summary>Nothing was heard of a figure for a window.</summary>
    MissingData,
    /// <summary>Errors use up the budget of an objective so fast that it will not last: over a long and a short window at once.</summary>
    BurnRate,
}

/// <summary>On which side of the limit it is wrong.</summary>
public enum RuleComparison { Above, Below }

/// <summary>When a rule fires.</summary>
/// <param name="Monitors">Of an outage: those monitors; empty means every one that no other rule names.</param>
/// <param name="Figure">Of the others: a name that <c>Measurements</c> knows.</param>
/// <param name="Limit">In the unit of the figure; of a burn rate: how many times faster than sustainable, such as 14.4.</param>
/// <param name="WindowMinutes">1 to 1,440; of a burn rate the long window.</param>
/// <param name="ShortMinutes">Of a burn rate, where both must burn: 1 to <paramref name="WindowMinutes"/>.</param>
/// <param name="Objective">Of a burn rate: the share of good requests that was promised, such as 0.999.</param>
public sealed record RuleCondition(AlertRuleKind Kind, Listed<MonitorId> Monitors, string? Figure = null, RuleComparison Comparison = RuleComparison.Above, double Limit = 0, int WindowMinutes = 5, int? ShortMinutes = null, double? Objective = null)
{
    public const int LongestWindow = 1_440;
    public const int MostMonitors = 1_000;

    /// <exception cref="DomainException">Names the field.</exception>
    public RuleCondition Checked()
    {
        if (Kind == AlertRuleKind.Outage) return Monitors.Count <= MostMonitors ? this with { Figure = null } : throw new DomainException($"A rule names at most {MostMonitors} monitors.", "monitors");
        if (string.IsNullOrWhiteSpace(Figure)) throw new DomainException("Choose the figure that the rule watches.", "figure");
        if (WindowMinutes is < 1 or > LongestWindow) throw new DomainException($"The window is 1 to {LongestWindow:N0} minutes.", "windowMinutes");
        if (Kind != AlertRuleKind.MissingData && !double.IsFinite(Limit)) throw new DomainException("The limit is a number.", "limit");
        if (Kind != AlertRuleKind.BurnRate) return this with { Monitors = new([]), ShortMinutes = null, Objective = null };
        if (Limit <= 0) throw new DomainException("The burn rate is above zero: 1 uses up the budget exactly in its time.", "limit");
        if (ShortMinutes is not { } shorter || shorter < 1 || shorter > WindowMinutes) throw new DomainException("The short window is 1 minute up to the long one.", "shortMinutes");
        if (Objective is not (> 0 and < 1)) throw new DomainException("The objective is a share below 1, such as 0.999.", "objective");
        return this with { Monitors = new([]) };
    }
}

/// <summary>When the portal raises an alert by itself, of which service and how bad; and who else is told at once.</summary>
public sealed class AlertRule
{
    public const int MostTold = 20;

    AlertRule() { }

    /// <param name="tells">Channels and contact groups that are told when it fires and when it is over, beside the service's policy.</param>
    /// <param name="pages">Whether the service's policy pages people; else only <paramref name="tells"/> hear of it.</param>
    /// <exception cref="DomainException">Names the field.</exception>
    public AlertRule(string name, ServiceId service, Severity severity, RuleCondition condition, IReadOnlyList<EscalationTarget> tells, bool pages, string? runbook, DateTimeOffset now, AlertRuleId? id = null)
    {
        Id = id ?? Shared.Id.New<AlertRuleId>(now);
        CreatedAt = now;
        Change(name, service, severity, condition, tells, pages, runbook);
    }

    public AlertRuleId Id { get; private set; }
    public string Name { get; private set; } = "";
    public ServiceId ServiceId { get; private set; }
    public Severity Severity { get; private set; }
    public RuleCondition Condition { get; private set; } = new(AlertRuleKind.Outage, new([]));
    public IReadOnlyList<EscalationTarget> Tells { get; private set; } = [];
    public bool Pages { get; private set; }
    /// <summary>Where whoever is paged reads on; http or https.</summary>
    public string? Runbook { get; private set; }
    /// <summary>Since when it is not asked any more; null while it is.</summary>
    public DateTimeOffset? PausedAt { get; private set; }
    public DateTimeOffset CreatedAt { get; private set; }
    public uint Version { get; private set; }

    /// <exception cref="DomainException">Names the field.</exception>
    public void Change(string name, ServiceId service, Severity severity, RuleCondition condition, IReadOnlyList<EscalationTarget> tells, bool pages, string? runbook)
    {
        if (tells.Count > MostTold) throw new DomainException($"A rule tells at most {MostTold} places.", "tells");
        if (tells.Any(t => t.Kind is not (EscalationTargetKind.Channel or EscalationTargetKind.ContactGroup))) throw new DomainException("A rule tells channels and contact groups; people are paged by the policy.", "tells");
        var link = Text.Optional(runbook, "runbook", "The runbook", AlertSignal.LinkLength);
        if (link is not null && !(Uri.TryCreate(link, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https")) throw new DomainException("The runbook is an address that begins with https:// or http://.", "runbook");
        (Name, ServiceId, Severity, Condition) = (Text.Required(name, "name", "The name", Text.NameLength), service, severity, condition.Checked());
        (Pages, Runbook) = (pages, link);
        if (!Tells.SequenceEqual(tells)) Tells = [.. tells.Distinct()];
    }

    public void Pause(DateTimeOffset now) => PausedAt ??= now;

    public void Resume() => PausedAt = null;
}
