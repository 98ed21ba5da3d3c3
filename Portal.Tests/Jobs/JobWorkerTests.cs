using Microsoft.EntityFrameworkCore;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Features.Jobs;
using Portal.Tests.Support;

namespace Portal.Tests.Jobs;

public sealed class JobWorkerTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    static readonly TaskCompletionSource Never = new();

    static Scripted Forever(string name, TaskCompletionSource? begun = null) => new(name, async (_, ct) =>
    {
        begun?.TrySetResult();
        await Never.Task.WaitAsync(ct);
        return null;
    });

    Task<JobRun> Queue(string kind, RunRules? rules = null, string arguments = "{}") => JobRig.Queue(database, kind, rules, arguments);

    Task<JobRun> Find(JobRunId id) => JobRig.Find(database, id);

    async Task Sql(string sql)
    {
        await using var db = database.Open();
        await db.Database.ExecuteSqlRawAsync(sql);
    }

    [Fact]
    public async Task A_run_says_what_it_does_and_ends_with_its_result()
    {
        await using var rig = new JobRig(database, "node-a", new Scripted("sum", async (run, _) =>
        {
            run.Phase("Adding", "two numbers");
            run.Report(0.5);
            await Task.Yield();
            return new { Sum = run.Arguments<int[]>().Sum() };
        }));
        var run = await Queue("sum", arguments: "[1, 2, 3]");
        await rig.Work(run.Id);
        var done = await Find(run.Id);
        Assert.Equal((RunState.Succeeded, 1, "node-a", 1.0), (done.State, done.Attempt, done.Node, done.Progress!.Value));
        Assert.Contains("6", done.Result, StringComparison.Ordinal);
        Assert.True(done.EndedAt >= done.StartedAt);
        await using var db = database.Open();
        Assert.Equal(["Adding: two numbers"], await db.JobLog.Where(l => l.RunId == run.Id).Select(l => l.Text).ToListAsync());
        // An end never changes: whoever brings it again finds nothing to do.
        await rig.Work(run.Id);
        Assert.Equal(1, (await Find(run.Id)).Attempt);
    }

    [Fact]
    public async Task A_run_that_comes_to_two_nodes_is_done_by_one()
    {
        var (begun, count, go) = (new TaskCompletionSource(), 0, new TaskCompletionSource());
        var kind = new Scripted("once", async (_, ct) =>
        {
            Interlocked.Increment(ref count);
            begun.TrySetResult();
            await go.Task.WaitAsync(ct);
            return null;
        });
        await using var a = new JobRig(database, "node-a", kind);
        await using var b = new JobRig(database, "node-b", kind);
        var run = await Queue("once");
        var first = a.Work(run.Id);
        await begun.Task;
        await b.Work(run.Id);
        go.SetResult();
        await first;
        Assert.Equal((1, RunState.Succeeded), (count, (await Find(run.Id)).State));
    }

    [Fact]
    public async Task What_failed_is_tried_again_as_often_as_its_rules_say_and_a_refusal_is_not()
    {
        await using var rig = new JobRig(database, "node-a", new Scripted("flaky", (run, _) => run.Attempt < 3 ? throw new IOException("The disk coughed.") : Task.FromResult<object?>("well")),
            new Scripted("refused", (_, _) => throw new DomainException("There is no such database.")));
        var flaky = await Queue("flaky", new RunRules(Attempts: 3));
        await rig.Work(flaky.Id);
        var waiting = await Find(flaky.Id);
        Assert.Equal((RunState.Queued, 1), (waiting.State, waiting.Attempt));
        Assert.Contains("The disk coughed.", waiting.Error, StringComparison.Ordinal);
        // Ten seconds, a fifth more or less.
        Assert.True(waiting.DueAt - waiting.StartedAt!.Value >= TimeSpan.FromSeconds(7.9));
        Assert.True(waiting.DueAt - TimeProvider.System.GetUtcNow() <= TimeSpan.FromSeconds(12.1));
        // Not before its time.
        await rig.Work(flaky.Id);
        Assert.Equal(1, (await Find(flaky.Id)).Attempt);
        for (var attempt = 2; attempt <= 3; attempt++)
        {
            await Sql($"update job_runs set due_at = clock_timestamp() where id = '{flaky.Id.Value}'");
            await rig.Work(flaky.Id);
        }
        Assert.Equal((RunState.Succeeded, 3), ((await Find(flaky.Id)).State, (await Find(flaky.Id)).Attempt));

        var refused = await Queue("refused", new RunRules(Attempts: 3));
        await rig.Work(refused.Id);
        var end = await Find(refused.Id);
        Assert.Equal((RunState.Failed, 1, "There is no such database."), (end.State, end.Attempt, end.Error));
    }

    [Fact]
    public async Task A_cancel_reaches_the_node_that_works_and_a_waiting_run_is_cancelled_at_once()
    {
        var begun = new TaskCompletionSource();
        await using var rig = new JobRig(database, "node-a", Forever("long", begun));
        var run = await Queue("long");
        var work = rig.Work(run.Id);
        await begun.Task;
        var cancel = new CancelRun(database.Contexts, TimeProvider.System);
        await cancel.Execute(run.Id, Cast.Alice, default);
        await work.WaitAsync(TimeSpan.FromSeconds(30));
        var end = await Find(run.Id);
        Assert.Equal((RunState.Cancelled, "Alice"), (end.State, end.CancelAskedBy));
        var waiting = await Queue("long");
        await cancel.Execute(waiting.Id, Cast.Alice, default);
        Assert.Equal(RunState.Cancelled, (await Find(waiting.Id)).State);
        await rig.Work(waiting.Id);
        Assert.Equal(0, (await Find(waiting.Id)).Attempt);
        await Assert.ThrowsAsync<ForbiddenException>(() => cancel.Execute(waiting.Id, Cast.Bob, default));
    }

    [Fact]
    public async Task A_hint_ends_a_run_that_has_worked_for_a_while_long_before_its_lease_is_renewed()
    {
        await using var rig = new JobRig(database, "node-a", TimeSpan.FromMinutes(10), new Scripted("hinted", async (run, ct) =>
        {
            run.Phase("one");
            await Never.Task.WaitAsync(ct);
            return null;
        }));
        var run = await Queue("hinted");
        var work = rig.Work(run.Id);
        await Soon.Comes(async () => (await Find(run.Id)).Phase == "one", "its beginning is told");
        // Quiet for several looks around, one each second: each of them may lose what the next is told.
        await Task.Delay(TimeSpan.FromSeconds(4), TimeProvider.System, default);
        await new CancelRun(database.Contexts, TimeProvider.System).Execute(run.Id, Cast.Alice, default);
        rig.Feed.Publish($"job:{run.Id}");
        await work.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(RunState.Cancelled, (await Find(run.Id)).State);
    }

    [Fact]
    public async Task A_node_that_was_taken_for_dead_stops_and_what_it_did_counts_for_nothing()
    {
        var (begun, ended) = (new TaskCompletionSource(), false);
        await using var late = new JobRig(database, "late", new Scripted("slow", async (_, ct) =>
        {
            begun.TrySetResult();
            try { await Never.Task.WaitAsync(ct); }
            finally { ended = true; }
            return null;
        }));
        var run = await Queue("slow", new RunRules(Attempts: 2, Repeatable: true));
        var work = late.Work(run.Id);
        await begun.Task;
        // As if it had been frozen for longer than its lease: another one sweeps, and begins.
        await Sql($"update job_runs set lease_until = clock_timestamp() - interval '1 s' where id = '{run.Id.Value}'");
        await using var other = new JobRig(database, "other", new Scripted("slow", (_, _) => Task.FromResult<object?>("the other's")));
        await Soon.Comes(async () =>
        {
            await Sql($"update job_runs set lease_until = clock_timestamp() - interval '1 s' where id = '{run.Id.Value}' and node = 'late'");
            return await other.Ledger.Sweep(default) > 0;
        }, "the run is freed");
        await other.Work(run.Id);
        await work.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(ended);
        var end = await Find(run.Id);
        Assert.Equal((RunState.Succeeded, "other", 2), (end.State, end.Node, end.Attempt));
        Assert.Contains("the other's", end.Result, StringComparison.Ordinal);
        Assert.NotEmpty(late.Log.With("not this node's any more"));
    }

    [Fact]
    public async Task What_must_not_begin_again_is_interrupted_when_its_node_ends_and_what_says_nothing_for_too_long_fails()
    {
        var begun = new TaskCompletionSource();
        await using (var rig = new JobRig(database, "node-a", Forever("restore", begun)))
        {
            var run = await Queue("restore");
            var work = rig.Work(run.Id);
            await begun.Task;
            await rig.Stop.CancelAsync();
            await work.WaitAsync(TimeSpan.FromSeconds(30));
            Assert.Equal(RunState.Interrupted, (await Find(run.Id)).State);
        }
        await using var quiet = new JobRig(database, "node-b", new Scripted("quiet", async (_, ct) => { await Never.Task.WaitAsync(ct); return null; }) { Silence = TimeSpan.FromSeconds(1) });
        var stalled = await Queue("quiet");
        await quiet.Work(stalled.Id).WaitAsync(TimeSpan.FromSeconds(30));
        var end = await Find(stalled.Id);
        Assert.Equal((RunState.Failed, "It did nothing for too long and was stopped."), (end.State, end.Error));
    }

    [Fact]
    public async Task Of_those_that_must_be_alone_the_second_waits()
    {
        var begun = new TaskCompletionSource();
        await using var rig = new JobRig(database, "node-a", Forever("alone", begun));
        var (first, second) = (await Queue("alone", new RunRules(Alone: "the database")), await Queue("alone", new RunRules(Alone: "the database")));
        var work = rig.Work(first.Id);
        await begun.Task;
        await rig.Work(second.Id);
        Assert.Equal((RunState.Queued, 0), ((await Find(second.Id)).State, (await Find(second.Id)).Attempt));
        await rig.Stop.CancelAsync();
        await work.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.NotNull(await rig.Ledger.Claim(second.Id, default));
    }

    [Fact]
    public async Task A_slot_that_nobody_began_in_time_is_missed_and_stays_so()
    {
        var now = TimeProvider.System.GetUtcNow();
        var schedule = new JobSchedule("hourly", "Something", "{}", "0 * * * *", "UTC", now.AddHours(-3).AddMinutes(-1));
        var slots = schedule.Settle(now, 50);
        // Three have come, and the next one is expected.
        Assert.InRange(slots.Count, 4, 5);
        Assert.True(slots[^1].Slot > now);
        Assert.Empty(schedule.Settle(now, 50));
        await using (var db = database.Open())
        {
            db.Add(schedule);
            foreach (var (slot, startBy) in slots) db.Add(JobRun.Expected(schedule, slot, startBy, new RunRules(), now));
            await db.SaveChangesAsync();
        }
        await using var rig = new JobRig(database, "node-a", new Scripted("hourly", (_, _) => Task.FromResult<object?>(null)));
        await rig.Ledger.Sweep(default);
        await using var read = database.Open();
        var runs = await read.JobRuns.AsNoTracking().Where(r => r.ScheduleId == schedule.Id).OrderBy(r => r.Slot).ToListAsync();
        Assert.All(runs.Where(r => r.StartBy < now), r => Assert.Equal(RunState.Missed, r.State));
        Assert.Equal(RunState.Queued, runs[^1].State);
        await rig.Work(runs[0].Id);
        Assert.Equal(RunState.Missed, (await Find(runs[0].Id)).State);
    }
}
