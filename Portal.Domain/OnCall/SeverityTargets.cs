using Portal.Domain.Incidents;

namespace Portal.Domain.OnCall;

/// <summary>The times that a severity promises, as they are at the first start; from then on they are data. Source: seeds 16, 21; a response counts from detection.</summary>
/// <param name="Detect">From the fault; null where no source promises any (P3).</param>
/// <param name="Respond">From detection.</param>
/// <param name="Resolve">From detection.</param>
/// <param name="EscalateAfter">Beyond those who are on call, if it is not resolved by then; zero is at once.</param>
public sealed record SeverityTargets(Severity Severity, TimeSpan? Detect, TimeSpan Respond, TimeSpan Resolve, TimeSpan EscalateAfter)
{
    /// <summary>How soon the public is promised the next word. Source: seeds 18.</summary>
    public TimeSpan UpdateEvery => Severity.UpdateEvery();

    public static IReadOnlyList<SeverityTargets> All { get; } =
    [
        new(Severity.P0, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5), TimeSpan.FromHours(1), TimeSpan.Zero),
        new(Severity.P1, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(4), TimeSpan.FromHours(4)),
        new(Severity.P2, TimeSpan.FromMinutes(10), TimeSpan.FromHours(1), TimeSpan.FromHours(8), TimeSpan.FromHours(24)),
        new(Severity.P3, null, TimeSpan.FromHours(48), TimeSpan.FromDays(7), TimeSpan.FromDays(7)),
    ];

    public static SeverityTargets Of(Severity severity) => All.Single(t => t.Severity == severity);
}
