using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Portal.Domain.Jobs;
using Portal.Features.Jobs;
using Portal.Infrastructure.Jobs;
using Portal.Infrastructure.Persistence;
using Portal.Live;
using Portal.Tests.Support;

namespace Portal.Tests.Jobs;

/// <summary>A node that works on runs, on a real database.</summary>
sealed class JobRig : IAsyncDisposable
{
    readonly Database connection = new();
    readonly CancellationTokenSource stop = new();

    public JobRig(TestDatabase database, string node, params JobKind[] kinds) : this(database, node, TimeSpan.FromSeconds(2), kinds) { }

    public JobRig(TestDatabase database, string node, TimeSpan lease, params JobKind[] kinds)
    {
        connection.Open(Database.Connect(database.ConnectionString, node));
        connection.Committed += Feed.Hear;
        Ledger = new RunLedger(connection, node, lease);
        Worker = new JobWorker(Ledger, kinds, Feed, TimeProvider.System, Log.CreateLogger<JobWorker>());
    }

    public LogLines Log { get; } = new();
    public ChangeFeed Feed { get; } = new(TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<ChangeFeed>.Instance);
    public RunLedger Ledger { get; }
    public JobWorker Worker { get; }
    public CancellationTokenSource Stop => stop;

    public Task Work(JobRunId run) => Worker.Run(run, stop.Token);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await connection.DisposeAsync();
        stop.Dispose();
    }

    public static async Task<JobRun> Queue(TestDatabase database, string kind, RunRules? rules = null, string arguments = "{}")
    {
        await using var db = database.Open();
        var run = new JobRun(kind, "Something", arguments, rules ?? new RunRules(), Cast.Alice, TimeProvider.System.GetUtcNow());
        db.JobRuns.Add(run);
        await db.SaveChangesAsync();
        return run;
    }

    public static async Task<JobRun> Find(TestDatabase database, JobRunId id)
    {
        await using var db = database.Open();
        return await db.JobRuns.AsNoTracking().SingleAsync(r => r.Id == id);
    }
}

/// <summary>A kind of job that a test writes in a line.</summary>
sealed class Scripted(string name, Func<RunContext, CancellationToken, Task<object?>> work) : JobKind
{
    public override string Name => name;
    public override string Title => name;
    public TimeSpan Silence { get; init; } = TimeSpan.FromMinutes(5);
    public override TimeSpan StallLimit => Silence;
    public override Task<object?> Run(RunContext run, CancellationToken ct) => work(run, ct);
}
