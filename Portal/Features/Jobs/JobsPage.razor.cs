using Microsoft.AspNetCore.Components;
using Portal.Components;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;

namespace Portal.Features.Jobs;

/// <summary>What works, waits, is expected and is over; live.</summary>
public sealed partial class JobsPage
{
    const int Part = 50, MostSchedules = 200;
    /// <summary>Whatever works tells every second how far it is.</summary>
    static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);
    static readonly RunState[] Ends = [.. Enum.GetValues<RunState>().Where(s => s > RunState.Running)];

    RowsInParts<JobRun> history = null!;
    JobsNow.View? now;
    IReadOnlyList<JobScheduleList.View> schedules = [];
    JobRun? asked;
    (JobRunId Id, string Subject)? queued;
    bool mayManage, busy;

    [SupplyParameterFromQuery(Name = "state")] public string? State { get; set; }
    [SupplyParameterFromQuery(Name = "kind")] public string? Kind { get; set; }

    JobList.Filter Filter => new(Ends.Cast<RunState?>().FirstOrDefault(s => JobsApi.Word(s!.Value) == State), string.IsNullOrWhiteSpace(Kind) ? null : Kind, Over: true);

    HashSet<string> Busy => [.. now!.Running.Select(r => r.Alone).OfType<string>()];

    protected override void OnInitialized()
    {
        history = new(Part, () => Filter, run => run.Id, async (last, most) => await List.Load(Filter, last?.Id, most, Left));
        Watch("jobs", Again, Freshness);
    }

    protected override Task OnParametersSetAsync() => Fetch(async () =>
    {
        mayManage = (await CurrentActor()).May(Permission.ManageJobs);
        await history.Begin();
        await Look();
    });

    async Task Again()
    {
        await history.Reload();
        await Look();
    }

    async Task Look()
    {
        var expected = await ScheduleList.Load(null, MostSchedules, Left);
        (now, schedules) = (await Now.Load(Left), expected);
    }

    void Ask(JobRun run) => (asked, queued, Problem) = (run, null, null);

    void Keep() => (asked, Problem) = (null, null);

    async Task CancelIt()
    {
        if (asked is not { } run) return;
        if (await Act(actor => Cancel.Execute(run.Id, actor, Left))) asked = null;
    }

    async Task RunAgain(JobRun run) => await Act(async actor => queued = (await Repeat.Execute(run.Id, actor, Left), run.Subject));

    async Task RunIt(JobSchedule schedule) => await Act(async actor => queued = (await RunNow.Execute(schedule.Id, actor, Left), schedule.Subject));

    async Task PauseIt(JobSchedule schedule) => await Act(actor => Pause.Execute(schedule.Id, schedule.PausedAt is null, actor, Left));

    /// <summary>One action at a time, and then what stands now.</summary>
    async Task<bool> Act(Func<Actor, Task> action)
    {
        if (busy) return false;
        (busy, queued) = (true, null);
        var done = await Try(async () =>
        {
            await action(await CurrentActor());
            await Again();
        });
        busy = false;
        return done;
    }

    void Go(string filter, ChangeEventArgs chosen)
    {
        var all = new Dictionary<string, object?> { ["state"] = Filter.State is { } state ? JobsApi.Word(state) : null, ["kind"] = Filter.Kind };
        all[filter] = string.IsNullOrEmpty((string?)chosen.Value) ? null : chosen.Value;
        Navigation.NavigateTo(Navigation.GetUriWithQueryParameters("/admin/jobs", all));
    }
}
