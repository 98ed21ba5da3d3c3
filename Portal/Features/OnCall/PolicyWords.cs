using Portal.Components.Ui;
using Portal.Domain.OnCall;

namespace Portal.Features.OnCall;

/// <summary>What a policy does, for whoever reads it.</summary>
public static class PolicyWords
{
    public static string Of(EscalationStep step, int index, EscalationPolicyVersion version, OnCallDesk.View view)
    {
        var targets = step.Targets.Select(t => t.Kind switch
        {
            EscalationTargetKind.Schedule => $"whoever is on call in {view.NameOf(t)}",
            EscalationTargetKind.ContactGroup => $"the contact group {view.NameOf(t)}",
            _ => view.NameOf(t),
        }).ToList();
        var told = targets.Count == 0 ? "nobody" : targets.Count == 1 ? targets[0] : $"{string.Join(", ", targets.SkipLast(1))} and {targets[^1]}";
        var isLast = index == version.Steps.Count - 1;
        var wait = SpanWords.Of(TimeSpan.FromMinutes(step.DelayMinutes));
        return $"Tells {told}{(!isLast ? $", and goes on after {wait}" : version.Repeat > 0 ? $", and begins again after {wait}" : "")}.";
    }
}
