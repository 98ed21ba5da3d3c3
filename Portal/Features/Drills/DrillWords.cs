using Portal.Components.Ui;
using Portal.Domain.Drills;

namespace Portal.Features.Drills;

/// <summary>How screens, notices and reports tell of drills.</summary>
public static class DrillWords
{
    /// <summary>Name of the style, and the word.</summary>
    public static (string Css, string Text) Look(Drill drill) => drill.Outcome switch
    {
        DrillOutcome.Running => ("maintenance", "Running"),
        DrillOutcome.Passed when drill.MetAll => ("operational", "Passed"),
        DrillOutcome.Passed => ("degraded", "Came back, objective missed"),
        DrillOutcome.Failed => ("major", "Failed"),
        _ => ("unknown", "Broken off"),
    };

    public static string Sentence(TimeSpan recovery, TimeSpan recoveryObjective, TimeSpan loss, TimeSpan lossObjective) =>
        $"the data was back and checked after {SpanWords.Of(recovery)} ({Against(recovery, recoveryObjective)}), and {SpanWords.Of(loss)} would have been lost ({Against(loss, lossObjective)})";

    /// <summary>One sentence that can be handed on as it is; null before its end.</summary>
    public static string? Sentence(Drill drill) => drill.Outcome switch
    {
        DrillOutcome.Running => null,
        DrillOutcome.Passed => $"Had {drill.TargetName} been lost on {At(drill.StartedAt)}, {Sentence(drill.Recovery!.Value, drill.RecoveryObjective, drill.Loss!.Value, drill.LossObjective)}.",
        DrillOutcome.Failed when drill.Recovery is not null => $"Had {drill.TargetName} been lost on {At(drill.StartedAt)}, it would not have come back as it was: {drill.Reason}",
        DrillOutcome.Failed => $"In the drill of {drill.TargetName} on {At(drill.StartedAt)} nothing came back: {drill.Reason}",
        _ => $"The drill of {drill.TargetName} on {At(drill.StartedAt)} was broken off and proves nothing: {drill.Reason}",
    };

    public static string Against(TimeSpan reached, TimeSpan objective) => reached < objective ? $"within {SpanWords.Of(objective)}" : $"missed: {SpanWords.Of(objective)} is the objective";

    public static string At(DateTimeOffset at) => at.UtcDateTime.ToString("d MMM yyyy 'at' HH:mm 'UTC'", System.Globalization.CultureInfo.InvariantCulture);
}
