using Portal.Api;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Features.Access;

namespace Portal.Features.Jobs;

/// <summary><c>/api/v1/job-schedules</c>.</summary>
public static class JobSchedulesApi
{
    /// <param name="Words">Its times as a person says them.</param>
    /// <param name="NextRuns">The next five; none while it is paused.</param>
    /// <param name="LastJob">The latest of its jobs that is over.</param>
    public sealed record JobScheduleAnswer(
        JobScheduleId Id, string Kind, string Subject, string Cron, string Zone, string Words, DateTimeOffset? PausedAt, IReadOnlyList<DateTimeOffset> NextRuns, JobsApi.JobAnswer? LastJob, uint Version);

    /// <summary>What is left out stays as it is.</summary>
    /// <param name="Cron">Five fields: minute, hour, day of the month, month, day of the week.</param>
    /// <param name="Zone">An IANA time zone.</param>
    public sealed record JobSchedulePatch(Given<string> Cron, Given<string> Zone, uint? Version = null);

    public static void MapJobSchedulesApi(this IEndpointRouteBuilder api)
    {
        var schedules = api.MapGroup("/job-schedules").WithTags("Jobs");
        var (view, manage) = (nameof(Permission.ViewJobs), nameof(Permission.ManageJobs));
        schedules.MapGet("/", List).RequireAuthorization(view).WithSummary("Schedules of jobs with their next five runs, oldest first").Produces<CursorPage<JobScheduleAnswer>>();
        schedules.MapGet("/{id}", Get).RequireAuthorization(view).WithSummary("One schedule").Produces<JobScheduleAnswer>();
        schedules.MapPatch("/{id}", Change).RequireAuthorization(manage).WithSummary("Give a schedule other times").Produces<JobScheduleAnswer>();
        schedules.MapPost("/{id}/run", RunNow).RequireAuthorization(manage).WithSummary("Queue the work of a schedule now, beside its times").Produces<JobsApi.JobAnswer>(StatusCodes.Status202Accepted);
        schedules.MapPost("/{id}/pause", (string id, HttpContext http, PauseSchedule pause, JobScheduleList list, CancellationToken ct) => Pause(id, true, http, pause, list, ct))
            .RequireAuthorization(manage).WithSummary("Expect no more of a schedule; what works goes on").Produces<JobScheduleAnswer>();
        schedules.MapPost("/{id}/resume", (string id, HttpContext http, PauseSchedule pause, JobScheduleList list, CancellationToken ct) => Pause(id, false, http, pause, list, ct))
            .RequireAuthorization(manage).WithSummary("Go on with a schedule from now; what would have come meanwhile is not made up for").Produces<JobScheduleAnswer>();
    }

    static async Task<CursorPage<JobScheduleAnswer>> List(Cursor cursor, JobScheduleList list, CancellationToken ct) =>
        cursor.Page(await list.Load(cursor.AfterId<JobScheduleId>(), cursor.Take, ct), Answer, v => v.Schedule.Id.ToString());

    static async Task<JobScheduleAnswer> Get(string id, HttpContext http, JobScheduleList list, CancellationToken ct) => Told(http, await list.Find(Known(id), ct));

    static async Task<JobScheduleAnswer> Change(string id, JobSchedulePatch body, HttpContext http, ChangeSchedule change, JobScheduleList list, CancellationToken ct)
    {
        var (known, version) = (Known(id), RowVersion.Expected(http, body.Version));
        await change.Execute(new(known, Text(body.Cron, "cron"), Text(body.Zone, "zone"), version), http.User.ToActor(), ct);
        return Told(http, await list.Find(known, ct));
    }

    static async Task<IResult> RunNow(string id, HttpContext http, RunSchedule run, JobList jobs, CancellationToken ct)
    {
        var queued = await run.Execute(Known(id), http.User.ToActor(), ct);
        return Results.Accepted($"/api/v1/jobs/{queued}", JobsApi.JobAnswer.Of(await jobs.Find(queued, ct)));
    }

    static async Task<JobScheduleAnswer> Pause(string id, bool paused, HttpContext http, PauseSchedule pause, JobScheduleList list, CancellationToken ct)
    {
        var known = Known(id);
        await pause.Execute(known, paused, http.User.ToActor(), ct);
        return Told(http, await list.Find(known, ct));
    }

    /// <summary>Null for what was left out.</summary>
    static string? Text(Given<string> field, string name) => !field.IsGiven ? null : field.Value ?? throw new DomainException($"A schedule cannot be without its {name}.", name);

    static JobScheduleAnswer Told(HttpContext http, JobScheduleList.View view)
    {
        RowVersion.Tell(http, view.Schedule.Version);
        return Answer(view);
    }

    static JobScheduleAnswer Answer(JobScheduleList.View v) => new(
        v.Schedule.Id, v.Schedule.Kind, v.Schedule.Subject, v.Schedule.Cron, v.Schedule.Zone, v.Schedule.InWords(), v.Schedule.PausedAt, v.Next, v.Last is { } last ? JobsApi.JobAnswer.Of(last) : null, v.Schedule.Version);

    static JobScheduleId Known(string id) => Id.Parse<JobScheduleId>(id, "schedule");
}
