using Portal.Api;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Features.Access;

namespace Portal.Features.Monitoring.Places;

/// <summary>What <c>portal probe</c> talks to: <c>/api/v1/probe/work</c> and <c>/api/v1/probe/findings</c>.</summary>
public static class ProbesApi
{
    /// <param name="Session">A random id of this start of the program.</param>
    /// <param name="Time">What time it is there; it is shown and used for nothing.</param>
    /// <param name="Known">The tag of the work that it has.</param>
    public sealed record WorkRequest(Guid? Session, string? ProgramVersion, DateTimeOffset? Time, long? Dropped, string? Known);

    /// <param name="Monitors">Left out when nothing has changed since the known tag.</param>
    /// <param name="AskAgainSeconds">How soon to ask again.</param>
    public sealed record WorkAnswer(string Place, string Tag, double AskAgainSeconds, IReadOnlyList<WorkItem>? Monitors);

    /// <param name="Secrets">In clear, to be sent to the target and kept nowhere.</param>
    public sealed record WorkItem(MonitorId Id, MonitorKind Kind, string Target, double IntervalSeconds, double TimeoutSeconds, string ExpectStatus, bool AllowPrivate, MonitorOptions Options, string Look, IReadOnlyDictionary<string, string> Secrets);

    /// <param name="AgeMilliseconds">How long ago the check began, by a clock that nobody sets.</param>
    public sealed record FindingBody(long Sequence, MonitorId Monitor, double AgeMilliseconds, double Milliseconds, CheckOutcome Outcome, int? StatusCode, string? Detail, string? Look);

    public sealed record FindingsRequest(Guid? Session, IReadOnlyList<FindingBody>? Findings);

    /// <param name="LastSequence">What has a number up to this is safe and need not be sent again.</param>
    public sealed record FindingsAnswer(long LastSequence);

    /// <summary>A place is noticed as lost after 45 s: it asks often enough that one lost answer is none.</summary>
    static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(5);

    public static void MapProbesApi(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/probe").RequireAuthorization(nameof(Permission.RunProbe)).WithTags("Probes");
        group.MapPost("/work", Work).WithName("AskForWork").WithSummary("What a place is to look at; the name of its key is the name of the place").WithMetadata(new AnswersSecret());
        group.MapPost("/findings", Findings).WithName("ReportFindings").WithSummary("What a place found; a finding that comes again is taken once");
    }

    static async Task<WorkAnswer> Work(HttpContext http, WorkRequest body, PlaceWork ask, TimeProvider clock, CancellationToken ct)
    {
        AnswersSecret.Mark(http);
        var work = await ask.Ask(new(Session(body.Session), body.ProgramVersion, body.Time ?? clock.GetUtcNow(), body.Dropped ?? 0, body.Known), http.User.ToActor(), ct);
        return new(work.Place, work.Tag, AskAgain.TotalSeconds, work.Items?.Select(ItemOf).ToList());
    }

    static async Task<FindingsAnswer> Findings(HttpContext http, FindingsRequest body, FindingsInbox inbox, CancellationToken ct) =>
        new(await inbox.Take(Session(body.Session), [.. (body.Findings ?? []).Select(Finding)], http.User.ToActor(), ct));

    static WorkItem ItemOf(PlaceWork.Item item) => new(item.Monitor, item.Settings.Kind, item.Settings.Target, item.Settings.Interval.TotalSeconds, item.Settings.Timeout.TotalSeconds,
        item.Settings.ExpectStatus, item.Settings.AllowPrivate, item.Settings.Options ?? MonitorOptions.None, item.Look, item.Secrets);

    static FindingsInbox.Finding Finding(FindingBody? f) => f is null ? throw new DomainException("A finding is an object, not null.", "findings") : new(f.Sequence, f.Monitor, Milliseconds(f.AgeMilliseconds), Milliseconds(f.Milliseconds), f.Outcome, f.StatusCode, f.Detail, f.Look ?? "");

    static TimeSpan Milliseconds(double value) => TimeSpan.FromMilliseconds(Math.Clamp(value, -1, TimeSpan.FromDays(1).TotalMilliseconds));

    static Guid Session(Guid? session) => session is { } given && given != Guid.Empty ? given : throw new DomainException("The session is required: a random id of this start of the program.", "session");
}
