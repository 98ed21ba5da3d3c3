using System.Text.Json;
using Portal.Api;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Features.Access;

namespace Portal.Features.Jobs;

/// <summary><c>/api/v1/jobs</c>, and the nodes that work on them.</summary>
public static class JobsApi
{
    /// <param name="State">queued, running, succeeded, failed or cancelled.</param>
    /// <param name="Outcome">What failed means: failed, interrupted (its node ended) or missed (nobody began it in time); else as the state.</param>
    /// <param name="Progress">0 to 1; null where nobody can tell.</param>
    public sealed record JobAnswer(
        JobRunId Id, string Kind, string Subject, string State, string Outcome, string? Phase, double? Progress, string? Doing, int Attempt, int MostAttempts, string? Node, string RequestedBy,
        DateTimeOffset QueuedAt, DateTimeOffset DueAt, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt, DateTimeOffset? CancelAskedAt, JsonElement? Result, string? Error)
    {
        public static JobAnswer Of(JobRun run) => new(
            run.Id, run.Kind, run.Subject, StateOf(run.State), Word(run.State), run.Phase, run.Progress, run.Doing, run.Attempt, run.MostAttempts, run.Node, run.RequestedBy, run.QueuedAt, run.DueAt,
            run.StartedAt, run.EndedAt, run.CancelAskedAt, run.Result is { } result ? JsonSerializer.Deserialize<JsonElement>(result) : null, run.Error);

        static string StateOf(RunState state) => Word(state is RunState.Interrupted or RunState.Missed ? RunState.Failed : state);
    }

    /// <summary>Of a state, as answers and addresses write it.</summary>
    public static string Word(RunState state) => JsonNamingPolicy.CamelCase.ConvertName(state.ToString());

    public sealed record LogLine(DateTimeOffset At, int Attempt, string Text);

    /// <param name="Alive">False for one that was silent for too long: what it had is begun elsewhere.</param>
    /// <param name="SeenAt">When it told last that it lives; null for one of which nothing is known but what it works on.</param>
    /// <param name="Answering">Whether it is the one that gives this answer.</param>
    /// <param name="Jobs">On how many jobs it works just now.</param>
    public sealed record NodeAnswer(string Name, bool Alive, DateTimeOffset? SeenAt, bool Answering, int Jobs);

    public static void MapJobsApi(this IEndpointRouteBuilder api)
    {
        var jobs = api.MapGroup("/jobs").WithTags("Jobs");
        var (view, manage) = (nameof(Permission.ViewJobs), nameof(Permission.ManageJobs));
        jobs.MapGet("/", List).RequireAuthorization(view).WithSummary("Jobs, the one queued last first; ?over=false for those that wait or work, ?kind= for one kind").Produces<CursorPage<JobAnswer>>();
        jobs.MapGet("/{id}", Get).RequireAuthorization(view).WithSummary("One job").Produces<JobAnswer>();
        jobs.MapGet("/{id}/log", Log).RequireAuthorization(view).WithSummary("The last lines of a job's log").Produces<LogLine[]>();
        jobs.MapPost("/{id}/cancel", Cancel).RequireAuthorization(manage).WithSummary("Cancel a job: one that waits at once, one that works as soon as it heeds it").Produces<JobAnswer>(StatusCodes.Status202Accepted);
        api.MapGet("/nodes", Nodes).WithTags("Jobs").RequireAuthorization(view).WithSummary("Nodes that work on jobs, or could, by name").Produces<CursorPage<NodeAnswer>>();
        jobs.MapPost("/{id}/retry", Retry).RequireAuthorization(manage).WithSummary("Queue the work of a job that is over once more").Produces<JobAnswer>(StatusCodes.Status202Accepted);
    }

    static async Task<CursorPage<JobAnswer>> List(Cursor cursor, JobList list, CancellationToken ct, bool? over = null, string? kind = null)
    {
        var runs = await list.Load(new JobList.Filter(Kind: kind, Over: over), cursor.AfterId<JobRunId>(), cursor.Take, ct);
        return cursor.Page(runs, JobAnswer.Of, r => r.Id.ToString());
    }

    static async Task<JobAnswer> Get(string id, JobList list, CancellationToken ct) => JobAnswer.Of(await list.Find(Known(id), ct));

    static async Task<LogLine[]> Log(string id, JobList list, CancellationToken ct)
    {
        var run = await list.Find(Known(id), ct);
        return [.. (await list.Tail(run.Id, 1_000, 0, ct)).Select(l => new LogLine(l.At, l.Attempt, l.Text))];
    }

    static async Task<IResult> Cancel(string id, HttpContext http, CancelRun cancel, JobList list, CancellationToken ct)
    {
        var known = Known(id);
        await cancel.Execute(known, http.User.ToActor(), ct);
        return Results.Accepted($"/api/v1/jobs/{known}", JobAnswer.Of(await list.Find(known, ct)));
    }

    static async Task<IResult> Retry(string id, HttpContext http, RepeatRun repeat, JobList list, CancellationToken ct)
    {
        var again = await repeat.Execute(Known(id), http.User.ToActor(), ct);
        return Results.Accepted($"/api/v1/jobs/{again}", JobAnswer.Of(await list.Find(again, ct)));
    }

    static async Task<CursorPage<NodeAnswer>> Nodes(Cursor cursor, JobsNow now, CancellationToken ct)
    {
        // They are few: all are read, and the cursor is a name.
        var rest = (await now.LoadNodes(ct)).Where(n => string.CompareOrdinal(n.Name, cursor.After) > 0).Take(cursor.Take).ToList();
        return cursor.Page(rest, n => new NodeAnswer(n.Name, n.IsAlive, n.SeenAt, n.IsThisOne, n.Works), n => n.Name);
    }

    static JobRunId Known(string id) => Id.TryParse<JobRunId>(id, out var known) ? known : throw new NotFoundException("job");
}
