using System.Data;
using System.Data.Common;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Portal.Domain.Jobs;
using Portal.Infrastructure.Persistence;
using Quartz;

namespace Portal.Infrastructure.Jobs;

/// <summary>How often nodes tell Quartz that they live, and how many runs one node works on at a time.</summary>
public sealed record DeliverySettings(TimeSpan CheckIn, TimeSpan Threshold, int Width = 8);

/// <summary>A node to which runs come.</summary>
/// <param name="SeenAt">When it told last that it lives.</param>
/// <param name="IsAlive">Not silent for so long that the others take over what it had.</param>
public sealed record DeliveryNode(string Name, DateTimeOffset? SeenAt, bool IsThisOne, bool IsAlive);

/// <summary>Brings each run to one node when its time has come, by Quartz's clustered store: at least once. Who may work on it is the ledger's word.</summary>
/// <param name="node">Unique for each start of a process: two schedulers of one name would take each other's firings for their own.</param>
/// <param name="work">What is done with a run that has come; its token ends when the portal stops.</param>
public sealed class QuartzDelivery(Database database, string node, DeliverySettings settings, ILoggerFactory logs, Func<JobRunId, CancellationToken, Task> work) : IAsyncDisposable
{
    const string Scheduler = "portal", Group = "runs";
    static readonly JobKey Job = new("run", Scheduler);
    readonly TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    StandaloneSchedulerFactory? factory;
    IScheduler? scheduler;

    /// <summary>Fails while the database is away; may be tried again.</summary>
    public async Task Start(CancellationToken ct)
    {
        var made = QuartzSchedulerBuilder.Create(Configure).Build();
        try
        {
            var ready = await made.GetScheduler(ct);
            await ready.AddJob(Detail(), AddJobOptions.Replacing, ct);
            await ready.Start(ct);
            (factory, scheduler) = (made, ready);
            begun.TrySetResult();
        }
        catch
        {
            await made.DisposeAsync();
            throw;
        }
    }

    void Configure(IQuartzBuilder quartz)
    {
        quartz.Services.AddSingleton(logs);
        quartz.Services.AddSingleton(new Work(work));
        quartz.ConfigureScheduler(o =>
        {
            (o.InstanceName, o.InstanceId) = (Scheduler, node);
            o.IdleWaitTime = TimeSpan.FromSeconds(1);
            o.ShutdownJobInterruption = ShutdownJobInterruption.Always;
        });
        quartz.UseDefaultThreadPool(settings.Width);
        quartz.UsePersistentStore(store =>
        {
            store.UsePostgres(o => o.DataSourceFactory = _ => new Current(database));
            store.UseClustering(o => (o.CheckinInterval, o.CheckinMisfireThreshold) = (settings.CheckIn, settings.Threshold));
            store.UseSystemTextJsonSerializer();
            store.ConfigureStore(o =>
            {
                o.TablePrefix = QuartzSchema.Prefix;
                o.SchemaProvisioning = SchemaProvisioning.Validate;
                o.StoreJobDataAsStrings = true;
                // Late is better than never: whether it still may begin is the ledger's word.
                o.MisfireThreshold = TimeSpan.FromMinutes(1);
            });
        });
    }

    /// <summary>Once, however often it is asked for: what waits already stays as it is.</summary>
    public async Task Deliver(JobRunId run, DateTimeOffset at, CancellationToken ct) => await Ready.ScheduleTrigger(Trigger(run, at), TriggerConflict.Keep, ct);

    /// <summary>Many in one transaction: a tenth of the time that each of its own would take. What another node handed on at the same moment comes once more, to no effect.</summary>
    public async Task Deliver(IReadOnlyCollection<(JobRunId Id, DateTimeOffset DueAt)> runs, CancellationToken ct) =>
        await Ready.ScheduleJobs(new Dictionary<IJobDetail, IReadOnlyCollection<ITrigger>> { [Detail()] = [.. runs.Select(r => Trigger(r.Id, r.DueAt))] }, ScheduleJobOptions.Replacing, ct);

    /// <summary>Runs that wait, whose time has come or comes soon, and that are on no way to a node, the oldest first. Those that cannot begin because another one works are none.</summary>
    /// <remarks>A node that ended after it had taken a trigger is noticed by the others after a minute or more; that of a run which waits for half of that is set again.</remarks>
    public async Task<IReadOnlyList<(JobRunId Id, DateTimeOffset DueAt)>> Undelivered(TimeSpan within, int most, CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand($"""
            select r.id, r.due_at from job_runs r where r.state = 'Queued' and r.due_at < clock_timestamp() + @within
                and not exists (select 1 from {QuartzSchema.Prefix}triggers t where t.sched_name = '{Scheduler}' and t.trigger_name = replace(r.id::text, '-', '') and t.trigger_group = '{Group}'
                    and (t.trigger_state = 'WAITING' or t.trigger_state = 'ACQUIRED' and r.due_at > clock_timestamp() - interval '30 s'))
                and not exists (select 1 from job_runs w where w.state = 'Running' and w.alone = r.alone)
            order by r.due_at limit @most
            """);
        command.Parameters.AddRange((NpgsqlParameter[])[new("within", within), new("most", most)]);
        var waiting = new List<(JobRunId, DateTimeOffset)>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct)) waiting.Add((new(reader.GetGuid(0)), reader.GetFieldValue<DateTimeOffset>(1)));
        return waiting;
    }

    public bool HasStarted => scheduler is not null;

    /// <summary>Whether runs come to this node.</summary>
    public bool IsRunning => scheduler is { Status: SchedulerStatus.Running };

    /// <summary>Done when runs have come here for the first time.</summary>
    public Task Begun => begun.Task;

    /// <summary>How many runs this node works on at a time.</summary>
    public int Width => settings.Width;

    /// <summary>The nodes to which runs come, and when each told last that it lives; none while this one is not among them.</summary>
    public async Task<IReadOnlyList<DeliveryNode>> Nodes(CancellationToken ct) => scheduler is { } running
        ? [.. (await running.QueryClusterNodes(ct)).Select(n => new DeliveryNode(n.InstanceId, n.LastCheckInUtc, n.IsCurrentNode, n.State != ClusterNodeState.Failed))]
        : [];

    IScheduler Ready => scheduler ?? throw new InvalidOperationException("The scheduler does not run yet.");

    static IJobDetail Detail() => JobBuilder.Create<Delivery>().WithIdentity(Job).StoreDurably().Build();

    static ITrigger Trigger(JobRunId run, DateTimeOffset at) => TriggerBuilder.Create().WithIdentity(run.ToString(), Group).ForJob(Job).StartAt(at).Build();

    /// <summary>Takes nothing more, asks what works to stop, and waits for it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (scheduler is { } running) await running.Shutdown(waitForJobsToComplete: true, CancellationToken.None);
        scheduler = null;
        if (factory is not null) await factory.DisposeAsync();
    }

    sealed record Work(Func<JobRunId, CancellationToken, Task> Do);

    sealed class Delivery(Work work) : IJob
    {
        public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken) =>
            await work.Do(new JobRunId(Guid.ParseExact(context.Trigger.Key.Name, "N")), cancellationToken);
    }

    /// <summary>The database as it is opened now: after a new start of its server that may be another source than before.</summary>
    sealed class Current(Database database) : DbDataSource
    {
        public override string ConnectionString => database.Source.ConnectionString;

        protected override DbConnection CreateDbConnection()
        {
            var connection = database.Source.CreateConnection();
            connection.StateChange += LimitSilence;
            return connection;
        }

        /// <summary>A node that is frozen in a transaction of Quartz's would hold the lock that all nodes want. Quartz opens and begins by itself, so it is said here.</summary>
        static void LimitSilence(object sender, StateChangeEventArgs change)
        {
            if (change is not { OriginalState: ConnectionState.Closed, CurrentState: ConnectionState.Open }) return;
            using var command = new NpgsqlCommand("set idle_in_transaction_session_timeout = '8s'", (NpgsqlConnection)sender);
            command.ExecuteNonQuery();
        }
    }
}
