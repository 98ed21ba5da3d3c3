using Portal.Domain.Alerting;
using Portal.Domain.Shared;

namespace Portal.Features.Alerting;

/// <summary>What a screen does with alerts by one click or key.</summary>
public enum AlertDeed { Acknowledge, Resolve, Release, SnoozeHour, SnoozeFourHours, SnoozeDay, Escalate }

/// <summary>Does with some alerts what a button, a key or the palette says, and says what was done.</summary>
public sealed class AlertHands(AcknowledgeAlert acknowledge, ResolveAlert resolve, UnacknowledgeAlert release, SnoozeAlert snooze, EscalateAlert escalate, TimeProvider clock)
{
    /// <returns>What was done, in words.</returns>
    public async Task<string> Do(AlertDeed deed, IReadOnlyList<AlertId> alerts, Actor actor, CancellationToken ct)
    {
        switch (deed)
        {
            case AlertDeed.Acknowledge: await acknowledge.Execute(alerts, actor, ct); break;
            case AlertDeed.Resolve: await resolve.Execute(alerts, actor, ct); break;
            case AlertDeed.Release: await release.Execute(alerts, actor, ct); break;
            case AlertDeed.Escalate: await escalate.Execute(alerts, actor, ct); break;
            default: await snooze.Execute(alerts, clock.GetUtcNow() + Length(deed), actor, ct); break;
        }
        var what = alerts.Count == 1 ? "The alert" : $"{alerts.Count:N0} alerts";
        var (be, have) = alerts.Count == 1 ? ("is", "it") : ("are", "them");
        return deed switch
        {
            AlertDeed.Acknowledge => $"You have {have} now: nobody else is paged.",
            AlertDeed.Resolve => $"{what} {be} resolved.",
            AlertDeed.Release => $"Nobody has {have} any more: paging goes on.",
            AlertDeed.Escalate => $"The next step is paged for {have}.",
            _ => $"{what} {be} snoozed: you have {have}, and paging goes on in {Length(deed).TotalHours:0} h.",
        };
    }

    static TimeSpan Length(AlertDeed deed) => TimeSpan.FromHours(deed switch { AlertDeed.SnoozeHour => 1, AlertDeed.SnoozeFourHours => 4, _ => 24 });
}
