using Microsoft.AspNetCore.Components;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;

namespace Portal.Features.Jobs;

/// <summary>One job: where it stands, what it did, and at its end one sentence to hand on.</summary>
public sealed partial class JobPage
{
    static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);
    JobRun? run;
    JobSchedule? schedule;
    bool mayManage, asking, busy;

    [Parameter] public string Key { get; set; } = "";

    JobRunId Id => Portal.Domain.Shared.Id.Parse<JobRunId>(Key, "job");

    string? Sentence => JobWords.Sentence(run!, Kinds.TitleOf(run!.Kind), Kinds.ResultOf(run));

    protected override async Task OnInitializedAsync()
    {
        Watch($"job:{Key}", Load, Freshness);
        // What is done with runs of nodes that are gone is told of all at once.
        Watch("jobs", Load, Freshness);
        await Fetch(Load);
    }

    async Task Load()
    {
        mayManage = (await CurrentActor()).May(Permission.ManageJobs);
        var found = await List.Find(Id, Left);
        var expects = found.ScheduleId is { } expected && schedule?.Id != expected ? (await ScheduleList.Find(expected, Left)).Schedule : schedule;
        (run, schedule) = (found, expects);
    }

    async Task CancelIt()
    {
        if (await Act(actor => Cancel.Execute(Id, actor, Left))) asking = false;
    }

    async Task RunAgain()
    {
        JobRunId? again = null;
        if (await Act(async actor => again = await Repeat.Execute(Id, actor, Left))) Navigation.NavigateTo($"/admin/jobs/{again}");
    }

    async Task<bool> Act(Func<Actor, Task> action)
    {
        if (busy) return false;
        busy = true;
        var done = await Try(async () =>
        {
            await action(await CurrentActor());
            await Load();
        });
        busy = false;
        return done;
    }
}
