using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.Domain.Jobs;
using Portal.Features.Jobs;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Support;

namespace Portal.Tests.Jobs;

/// <summary>Processes that share jobs on one PostgreSQL, frozen and killed in the midst of them.</summary>
[Collection(Nodes.Name)]
[Trait("Category", "Slow")]
public sealed class EndedNodesTests : IAsyncLifetime
{
    readonly ScratchFolder keys = new();
    string connection = "";
    JobNodes nodes = null!;
    NpgsqlDataSource source = null!;

    public async Task InitializeAsync()
    {
        connection = await PostgresServer.Empty();
        source = Database.Connect(connection);
        Directory.CreateDirectory(keys.Path);
        nodes = new(connection, keys["master.key"], new Dictionary<string, string>());
    }

    public async Task DisposeAsync()
    {
        await nodes.DisposeAsync();
        await source.DisposeAsync();
        await PostgresServer.Drop(connection);
        keys.Dispose();
    }

    /// <summary>Reads every table to its end, and hangs at the first as long as somebody holds that.</summary>
    async Task<JobRunId> Queue(bool repeatable)
    {
        await using var db = new PortalDbContext(Database.OptionsFor(source));
        var run = new JobRun(CheckDatabase.Kind, "Hangs", "{}", new RunRules(20, repeatable), Cast.Alice, TimeProvider.System.GetUtcNow());
        db.Add(run);
        await db.SaveChangesAsync();
        return run.Id;
    }

    /// <param name="Ends">How often it wrote what it found.</param>
    sealed record Seen(JobRun Run, int Ends, string Delivery)
    {
        public override string ToString() => $"{Run.State} on {Run.Node}, attempt {Run.Attempt}, epoch {Run.Epoch}, due {Run.DueAt:T}, lease until {Run.LeaseUntil:T}; {Delivery}";
    }

    async Task<Seen> Find(JobRunId id)
    {
        await using var db = new PortalDbContext(Database.OptionsFor(source));
        var delivery = await db.Database.SqlQuery<string>($"""
            select coalesce((select trigger_state from quartz.qrtz_triggers where trigger_name = {id.ToString()}), 'no trigger') || ', fired: ' ||
                coalesce((select string_agg(instance_name || ' ' || state, ', ') from quartz.qrtz_fired_triggers), 'none') || ', waits for locks: ' ||
                (select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query not like '%held%') as "Value"
            """).SingleAsync();
        return new Seen(await db.JobRuns.AsNoTracking().SingleAsync(r => r.Id == id), await db.JobLog.CountAsync(l => l.RunId == id && l.Text.StartsWith("Read ")), delivery);
    }

    Task<Seen> Comes(JobRunId id, Func<JobRun, bool> good, string what) => Soon.Reads(() => Find(id), found => good(found.Run), what);

    /// <summary>Until it is disposed nobody reads the first table.</summary>
    async Task<NpgsqlConnection> Hold()
    {
        var holding = await source.OpenConnectionAsync();
        foreach (var statement in new[] { "create table if not exists held (n int)", "begin", "lock table held in access exclusive mode" })
        {
            await using var command = new NpgsqlCommand(statement, holding);
            await command.ExecuteNonQueryAsync();
        }
        return holding;
    }

    [Fact]
    public async Task A_frozen_node_that_comes_back_discards_its_work_and_what_a_killed_one_did_is_begun_again_or_interrupted()
    {
        var both = await Task.WhenAll(nodes.Start(), nodes.Start());
        var (one, two) = (both[0], both[1]);
        PortalProcess Of(string? name) => JobNodes.NameOf(one) == name ? one : two;

        JobRunId late;
        await using (await Hold())
        {
            late = await Queue(repeatable: true);
            var began = (await Comes(late, r => r.State == RunState.Running, "it is worked on")).Run;
            var frozen = Of(began.Node);
            frozen.Signal("STOP");
            try
            {
                await Comes(late, r => r.State == RunState.Running && r.Node != began.Node, "another node has it");
            }
            finally
            {
                frozen.Signal("CONT");
            }
            await PortalProcess.Until(() => frozen.Output.Contains("what was done counts for nothing", StringComparison.Ordinal), "it discards its work", () => frozen.Output);
            Assert.Equal(RunState.Running, (await Find(late)).Run.State);
        }
        var (run, ends, _) = await Comes(late, r => r.IsOver, "its end");
        Assert.Equal((RunState.Succeeded, 1, run.Attempt * 2 - 1L), (run.State, ends, run.Epoch));
        Assert.InRange(run.Attempt, 2, 20);

        JobRunId again, interrupted;
        await using (await Hold())
        {
            // Both come to one of them.
            two.Signal("STOP");
            (again, interrupted) = (await Queue(repeatable: true), await Queue(repeatable: false));
            foreach (var id in new[] { again, interrupted }) await Comes(id, r => r.State == RunState.Running && r.Node == JobNodes.NameOf(one), "both are worked on");
            two.Signal("CONT");
            one.Signal("KILL");
            await Comes(again, r => r.State == RunState.Running && r.Node == JobNodes.NameOf(two), "it is begun again");
            await Comes(interrupted, r => r.State == RunState.Interrupted, "it is interrupted");
        }
        (run, ends, _) = await Comes(again, r => r.IsOver, "its end");
        Assert.Equal((RunState.Succeeded, 1, JobNodes.NameOf(two)), (run.State, ends, run.Node));
        (run, ends, _) = await Find(interrupted);
        Assert.Equal((RunState.Interrupted, 0, 1), (run.State, ends, run.Attempt));
        Assert.Contains($"Node {JobNodes.NameOf(one)} ended in the midst of it", run.Error, StringComparison.Ordinal);
        Assert.False(two.HasExited);
    }
}
