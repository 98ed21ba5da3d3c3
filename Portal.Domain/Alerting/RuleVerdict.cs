namespace Portal.Domain.Alerting;

/// <summary>What a rule's figures say of it at an instant.</summary>
public enum RuleVerdict
{
    /// <summary>Too little was measured, or the figure lies between firing and being well again: what stands stays.</summary>
    Undecided,
    Good,
    Bad,
}

/// <summary>What was measured over a rule's windows.</summary>
/// <param name="Value">Over the window, in the figure's unit; null where too little was measured to say.</param>
/// <param name="Shorter">Over the short window of a burn rate.</param>
/// <param name="IsHeard">Whether anything at all was heard of the figure within the window.</param>
public sealed record RuleReading(double? Value, double? Shorter = null, bool IsHeard = true);

/// <summary>Decides by what was measured. Between the limit and <see cref="Margin"/> short of it nothing changes, so that a figure on the limit does not page again and again.</summary>
public static class RuleJudgement
{
    /// <summary>So much of the limit must a figure have gone back behind it before it is well again.</summary>
    public const double Margin = 0.1;

    public static RuleVerdict Judge(this RuleCondition condition, RuleReading reading) => condition.Kind switch
    {
        AlertRuleKind.MissingData => reading.IsHeard ? RuleVerdict.Good : RuleVerdict.Bad,
        AlertRuleKind.Threshold => Beyond(condition, reading.Value),
        AlertRuleKind.BurnRate => Both(Beyond(condition, Burn(condition, reading.Value)), Beyond(condition, Burn(condition, reading.Shorter))),
        _ => RuleVerdict.Undecided,
    };

    /// <summary>How many times faster than sustainable the budget is used up.</summary>
    /// <param name="percent">The share of bad requests.</param>
    public static double? Burn(RuleCondition condition, double? percent) => percent / 100 / (1 - condition.Objective);

    static RuleVerdict Beyond(RuleCondition condition, double? value)
    {
        if (value is not { } measured || !double.IsFinite(measured)) return RuleVerdict.Undecided;
        // As if it were wrong above, whichever side it is.
        var sign = condition.Kind == AlertRuleKind.BurnRate || condition.Comparison == RuleComparison.Above ? 1 : -1;
        var over = sign * (measured - condition.Limit);
        return over > 0 ? RuleVerdict.Bad : over <= -Margin * Math.Abs(condition.Limit) ? RuleVerdict.Good : RuleVerdict.Undecided;
    }

    /// <summary>It burns while both windows say so, and is over when one of them says that it is.</summary>
    static RuleVerdict Both(RuleVerdict longer, RuleVerdict shorter) =>
        longer == RuleVerdict.Bad && shorter == RuleVerdict.Bad ? RuleVerdict.Bad : longer == RuleVerdict.Good || shorter == RuleVerdict.Good ? RuleVerdict.Good : RuleVerdict.Undecided;
}
