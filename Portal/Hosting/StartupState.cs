namespace Portal.Hosting;

/// <summary>How far the start has come, for readiness and for those who must wait.</summary>
public sealed class StartupState
{
    readonly TaskCompletionSource prepared = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource serving = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The schema is there and every <see cref="IStartupStep"/> has run.</summary>
    public Task Prepared => prepared.Task;

    /// <summary>A page is being served, from the database or from disk. The publisher says so.</summary>
    public Task Serving => serving.Task;

    public bool IsServing => serving.Task.IsCompletedSuccessfully;

    /// <summary>Why the database is not open yet, in words for the log and the health page; null once it is.</summary>
    public string? WaitingFor { get; set; } = "starting";

    /// <summary>Why the start was given up; null unless it was.</summary>
    public string? GivenUp { get; private set; }

    public void MarkPrepared()
    {
        WaitingFor = null;
        prepared.TrySetResult();
    }

    public void MarkServing() => serving.TrySetResult();

    public void GiveUp(string why) => GivenUp = why;
}
