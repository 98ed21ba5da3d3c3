using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Features.Backups;
using Portal.Features.Drills;
using Portal.Features.Jobs;
using Portal.Hosting;
using Portal.Infrastructure;
using Portal.Infrastructure.Backups;
using Portal.Infrastructure.Backups.Drills;
using Portal.Infrastructure.Monitoring;
using Portal.Infrastructure.Persistence.Audit;
using Portal.Infrastructure.Postgres;
using Portal.Infrastructure.Security;
using Portal.Tests.Jobs;
using Portal.Tests.Support;

namespace Portal.Tests.Backups;

/// <summary>What a node needs to back up and restore: the portal's tables in a real database, a store in a folder, a master key.</summary>
sealed class BackupNode : IAsyncDisposable
{
    readonly ScratchFolder scratch = new();
    readonly DataFolder data;
    readonly JobRig rig;

    public BackupNode(TestDatabase database, TimeSpan? lease = null, IReadOnlyDictionary<string, string>? configuration = null)
    {
        Directory.CreateDirectory(scratch.Path);
        Portal = database;
        // As the portal makes its own: PostgreSQL's user passes it on the way to scratch servers.
        Directory.CreateDirectory(scratch["data"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        data = new DataFolder(scratch["data"]);
        Master = new MasterKey(scratch["master.key"]);
        Master.Create();
        Box = new SecretBox(Master);
        Options = Configured.With([("Data:Path", scratch["data"]), .. (configuration ?? new Dictionary<string, string>()).Select(c => (c.Key, (string?)c.Value))]);
        Opening = new StoreOpening(Options, Box, new GuardedConnector(), TimeProvider.System);
        Ways = new TargetWays(_ => Task.FromResult(database.ConnectionString), Box, data);
        Work = new BackupWork(database.Database, Opening, Ways, new AuditChain(database.Database), TimeProvider.System);
        Retention = new ApplyRetention(database.Database, Opening, TimeProvider.System);
        BackUp = new BackUp(database.Database, Work, Retention);
        Restores = new RestoreBackup(database.Database, Opening, Ways, Work, TimeProvider.System);
        Name = new NodeName($"node-{Guid.CreateVersion7():N}");
        Records = new DrillRecords(database.Database, Name, TimeProvider.System);
        Scratch = new ScratchPlace(data, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<ScratchClusters>.Instance);
        Drills = new RunDrill(database.Database, new RehearseLostDatabase(database.Database, Opening, Ways, Scratch, TimeProvider.System), Work, Records, TimeProvider.System);
        rig = new JobRig(database, Name.Value, lease ?? TimeSpan.FromSeconds(10), BackUp, Restores, new VerifyBackups(Work), Drills);
    }

    public TestDatabase Portal { get; }
    public MasterKey Master { get; }
    public SecretBox Box { get; }
    public PortalOptions Options { get; }
    public StoreOpening Opening { get; }
    public TargetWays Ways { get; }
    public BackupWork Work { get; }
    public ApplyRetention Retention { get; }
    public BackUp BackUp { get; }
    public RestoreBackup Restores { get; }
    public NodeName Name { get; }
    public DrillRecords Records { get; }
    public ScratchPlace Scratch { get; }
    public RunDrill Drills { get; }
    public JobRig Rig => rig;
    public string Folder => Options.Backups.Place.Folder!;

    public string this[string name] => scratch[name];

    /// <summary>Of what tests before this one left in the database: it belongs to other stores and another master key.</summary>
    public async Task Clear()
    {
        await using var db = Portal.Open();
        await db.Restores.ExecuteDeleteAsync();
        await db.Database.ExecuteSqlRawAsync("alter table drill_evidence disable trigger user; delete from drill_evidence; alter table drill_evidence enable trigger user");
        await db.DrillActions.ExecuteDeleteAsync();
        await db.DrillChecks.ExecuteDeleteAsync();
        await db.Drills.ExecuteDeleteAsync();
        await db.Backups.ExecuteDeleteAsync();
        await db.BackupPlans.ExecuteDeleteAsync();
        await db.BackupTargets.ExecuteDeleteAsync();
        await db.BackupStores.ExecuteDeleteAsync();
        await db.JobRuns.ExecuteDeleteAsync();
        await db.JobSchedules.ExecuteDeleteAsync();
    }

    /// <summary>The portal's own database, as every installation has it.</summary>
    public BackupTargetId PortalTarget { get; } = new(new Guid("0198c000-0000-7000-8000-626b70000001"));

    public Task Start() => new FirstBackups(Portal.Database, Options, Opening, TimeProvider.System).Run(default);

    public QueueBackup Queue => new(Portal.Database, BackUp, TimeProvider.System);

    public QueueDrill QueueDrill => new(Portal.Database, Drills, TimeProvider.System);

    public QueueRestore QueueRestore => new(Portal.Database, Restores, TimeProvider.System);

    public AddTarget AddTarget => new(Portal.Database, Ways, TimeProvider.System);

    public AddStore AddStore => new(Portal.Database, Opening, TimeProvider.System);

    public CreatePlan CreatePlan => new(Portal.Database, TimeProvider.System);

    /// <summary>Backs up and waits for the end of its run.</summary>
    public async Task<JobRun> Back(string target, BackupPlanId? plan = null)
    {
        var run = await Queue.Execute(new(target, plan), Cast.Alice, default);
        return await Done(run);
    }

    public async Task<JobRun> Done(JobRunId run)
    {
        await rig.Work(run);
        return await JobRig.Find(Portal, run);
    }

    /// <summary>The next attempt of a run that waits for it.</summary>
    public async Task<JobRun> Again(JobRunId run)
    {
        await using (var db = Portal.Open()) await db.JobRuns.Where(r => r.Id == run).ExecuteUpdateAsync(r => r.SetProperty(x => x.DueAt, TimeProvider.System.GetUtcNow().AddSeconds(-1)));
        return await Done(run);
    }

    public Task<BackupStoreId> AddBucket(HeldBucket bucket) =>
        AddStore.Execute(new("Bucket", new(null, new BucketPlace(bucket.Endpoint, HeldBucket.Name, "eu-central-1", "access")), "secret"), Cast.Alice, default);

    public async Task<BackupTarget> Target(string name)
    {
        await using var db = Portal.Open();
        return await db.BackupTargets.AsNoTracking().SingleAsync(t => t.Name == name);
    }

    public async Task<BackupStore> ConfiguredStore()
    {
        await using var db = Portal.Open();
        return await db.BackupStores.AsNoTracking().SingleAsync(s => s.IsConfigured);
    }

    public async Task<List<Backup>> All()
    {
        await using var db = Portal.Open();
        return await db.Backups.AsNoTracking().OrderBy(b => b.StartedAt).ThenBy(b => b.Id).ToListAsync();
    }

    public IReadOnlyList<string> Files => Directory.Exists(Folder)
        ? [.. Directory.EnumerateFiles(Folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }).Select(f => Path.GetRelativePath(Folder, f)).Order(StringComparer.Ordinal)] : [];

    /// <summary>A database on the same server with a table of so many rows.</summary>
    public async Task<string> Shop(int rows)
    {
        var name = $"shop_{Guid.CreateVersion7():N}";
        await OddDatabase.Execute(Portal.ConnectionString, $"create database {name}");
        shops.Add(name);
        var way = Way(name);
        await OddDatabase.Execute(way, $"create table orders (id int primary key, note text not null); insert into orders select n, md5(n::text) from generate_series(1, {rows}) n");
        return name;
    }

    readonly List<string> shops = [];

    public void Forget(string database) => shops.Add(database);

    public string Way(string database) => new NpgsqlConnectionStringBuilder(Portal.ConnectionString) { Database = database, Pooling = false }.ConnectionString;

    public async ValueTask DisposeAsync()
    {
        await rig.DisposeAsync();
        Opening.Dispose();
        foreach (var name in shops) await OddDatabase.Execute(Portal.ConnectionString, $"drop database if exists {ContentsComparison.Quoted(name)} with (force)");
        scratch.Dispose();
    }
}
