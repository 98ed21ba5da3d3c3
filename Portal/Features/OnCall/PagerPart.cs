using Portal.Features.Health;

namespace Portal.Features.OnCall;

/// <summary>What was to page somebody is accounted for, and somebody looks.</summary>
public sealed class PagerPart(Auditor auditor, TimeProvider clock) : IHealthPart
{
    public string Name => "pager";

    public Task<PartReport> Look(CancellationToken ct) => Task.FromResult(auditor.Last switch
    {
        null => PartReport.NotConfigured("The pager was not looked at yet since the start."),
        { } last when clock.GetElapsedTime(last.At) > 3 * Auditor.Every => PartReport.Failing("Nobody has looked at the pager for some minutes: whether pages arrive is not known."),
        { State.Findings: { Count: > 0 } findings } => PartReport.Failing(string.Join(" ", findings.Select(f => f.Words))),
        { State: var s } => PartReport.Ok(("triggered", s.Triggered), ("delivered", s.Delivered), ("failed", s.Failed), ("pending", s.Pending), ("settled", s.Settled)),
    });
}
