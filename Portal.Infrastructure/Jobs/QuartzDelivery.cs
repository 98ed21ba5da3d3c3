using System.Data.Common;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Portal.Domain.Jobs;
using Portal.Infrastructure.Persistence;
using Quartz;

namespace Portal.Infrastructure.Jobs;

/// <summary>How often nodes tell Quartz that they live, and how many runs one node works on at a time.</summary>
public sealed record DeliverySettings(TimeSpan CheckIn, TimeSpan Threshold, int Width = 8);

/// <summary>Brings each run to one node when its time has come, by Quartz's clustered store: at least once. Who may work on it is the ledger's word.</summary>
/// <param name="node">Unique for each start of a process: two schedulers of one name would take each other's firings for their own.</param>
/// <param name="work">What is done with a run that has come; its token ends when the portal stops.</param>
public sealed class QuartzDelivery(Database database, string node, DeliverySettings settings, ILoggerFactory logs, Func<JobRunId, CancellationToken, Task> work) : IAsyncDisposable
{
    static readonly JobKey Job = new("run", "portal");
    StandaloneSchedulerFactory? factory;
    IScheduler? scheduler;

    /// <summary>Fails while the database is away; may be tried again.</summary>
    public async Task Start(CancellationToken ct)
    {
        var made = QuartzSchedulerBuilder.Create(Configure).Build();
        try
        {
            var ready = await made.GetScheduler(ct);
            await ready.AddJob(JobBuilder.Create<Delivery>().WithIdentity(Job).StoreDurably().Build(), AddJobOptions.Replacing, ct);
            await ready.Start(ct);
            (factory, scheduler) = (made, ready);
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
            (o.InstanceName, o.InstanceId) = ("portal", node);
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
    public async Task Deliver(JobRunId run, DateTimeOffset at, CancellationToken ct)
    {
        if (scheduler is not { } ready) throw new InvalidOperationException("The scheduler does not run yet.");
        await ready.ScheduleTrigger(TriggerBuilder.Create().WithIdentity(run.ToString(), "runs").ForJob(Job).StartAt(at).Build(), TriggerConflict.Keep, ct);
    }

    public bool IsRunning => scheduler is not null;

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

        protected override DbConnection CreateDbConnection() => database.Source.CreateConnection();

        protected override ValueTask<DbConnection> OpenDbConnectionAsync(CancellationToken cancellationToken = default) => Open(cancellationToken);

        async ValueTask<DbConnection> Open(CancellationToken ct) => await database.Source.OpenConnectionAsync(ct);
    }
}
