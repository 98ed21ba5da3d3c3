using System.Globalization;
using Portal.Components.Ui;
using Portal.Domain.Alerting;

namespace Portal.Features.Alerting;

/// <summary>What rules watch and what they found, in words.</summary>
public static class RuleWords
{
    /// <summary>"Error rate above 5 % over 5 min".</summary>
    /// <param name="monitors">How an outage's monitors are called.</param>
    public static string InWords(RuleCondition condition, Func<int, string>? monitors = null) => condition.Kind switch
    {
        AlertRuleKind.Outage => condition.Monitors.Count == 0 ? "Any monitor is down that no other rule names" : monitors?.Invoke(condition.Monitors.Count) ?? (condition.Monitors.Count == 1 ? "1 monitor is down" : $"One of {condition.Monitors.Count} monitors is down"),
        AlertRuleKind.Threshold => $"{Figure(condition).Title} {Side(condition)} {Figure(condition).InWords(condition.Limit)} over {Minutes(condition.WindowMinutes)}",
        AlertRuleKind.MissingData => $"Nothing heard of \"{Figure(condition).Title}\" for {Minutes(condition.WindowMinutes)}",
        _ => $"{Figure(condition).Title} uses up the budget of {Objective(condition)} more than {Number(condition.Limit)} times too fast, over {Minutes(condition.WindowMinutes)} and {Minutes(condition.ShortMinutes ?? 0)}",
    };

    /// <summary>Why it fires, for whoever is paged.</summary>
    public static string Why(RuleCondition condition, RuleReading reading) => condition.Kind switch
    {
        AlertRuleKind.MissingData => $"nothing was heard of \"{Figure(condition).Title}\" for {Minutes(condition.WindowMinutes)}",
        AlertRuleKind.BurnRate => $"the budget of {Objective(condition)} is used up {Number(RuleJudgement.Burn(condition, reading.Value))} times too fast over {Minutes(condition.WindowMinutes)}, {Number(RuleJudgement.Burn(condition, reading.Shorter))} times over {Minutes(condition.ShortMinutes ?? 0)}",
        _ => $"{Lower(Figure(condition).Title)} is {Figure(condition).InWords(reading.Value ?? 0)}, {Side(condition)} {Figure(condition).InWords(condition.Limit)} over {Minutes(condition.WindowMinutes)}",
    };

    /// <summary>The name of the rule and why it fires; once where both say the same.</summary>
    public static string Summary(AlertRule rule, RuleReading reading) => Why(rule.Condition, reading) is var why && why.StartsWith(rule.Name, StringComparison.OrdinalIgnoreCase) ? char.ToUpperInvariant(why[0]) + why[1..] : $"{rule.Name}: {why}";

    public static string Name(AlertRuleKind kind) => kind switch
    {
        AlertRuleKind.Outage => "A monitor is down",
        AlertRuleKind.Threshold => "A figure is beyond a limit",
        AlertRuleKind.MissingData => "Nothing is heard of a figure",
        _ => "Errors use up a budget too fast",
    };

    static RuleFigure Figure(RuleCondition condition) => RuleFigures.Find(condition.Figure ?? "");

    static string Side(RuleCondition condition) => condition.Comparison == RuleComparison.Above ? "above" : "below";

    static string Objective(RuleCondition condition) => string.Create(CultureInfo.InvariantCulture, $"{100 * condition.Objective:0.####} %");

    static string Number(double? value) => string.Create(CultureInfo.InvariantCulture, $"{value:0.##}");

    static string Minutes(int minutes) => SpanWords.Of(TimeSpan.FromMinutes(minutes));

    /// <summary>Within a sentence.</summary>
    static string Lower(string title) => char.ToLowerInvariant(title[0]) + title[1..];
}
