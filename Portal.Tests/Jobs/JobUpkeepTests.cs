using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Features.Health;
using Portal.Features.Health.Parts;
using Portal.Features.Jobs;
using Portal.Hosting;
using Portal.Infrastructure.Jobs;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Support;

namespace Portal.Tests.Jobs;

/// <summary>What each node does beside its work: hands on, expects, forgets, and says how it is.</summary>
public sealed class JobUpkeepTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    static readonly DeliverySettings Fast = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), 4);

    public Task InitializeAsync() => Sql("delete from job_runs; delete from job_schedules; delete from quartz.qrtz_triggers");

    public Task DisposeAsync() => Task.CompletedTask;

    async Task Sql(string sql)
    {
        await using var db = database.Open();
        await db.Database.ExecuteSqlRawAsync(sql);
    }

    async Task<T> Read<T>(Func<PortalDbContext, Task<T>> query)
    {
        await using var db = database.Open();
        return await query(db);
    }

    QuartzDelivery Delivery(Func<JobRunId, CancellationToken, Task> work) => new(database.Database, "here", Fast, NullLoggerFactory.Instance, work);

    /// <summary>A node whose kinds of job are one that does nothing.</summary>
    sealed class Node : IAsyncDisposable
    {
        readonly JobRig rig;
        readonly JobUpkeep upkeep;

        Node(JobRig rig, JobUpkeep upkeep) => (this.rig, this.upkeep) = (rig, upkeep);

        public static async Task<Node> Start(TestDatabase database)
        {
            var kind = new Scripted("quick", (_, _) => Task.FromResult<object?>(null));
            var (rig, state) = (new JobRig(database, "node-a", kind), new StartupState());
            var delivery = new QuartzDelivery(database.Database, "node-a", Fast, NullLoggerFactory.Instance, rig.Worker.Run);
            var upkeep = new JobUpkeep(delivery, rig.Ledger, [kind], database.Contexts, state, rig.Feed, Configured.With(("Timing:JobSweepSeconds", "0.2")), TimeProvider.System, NullLogger<JobUpkeep>.Instance);
            state.MarkPrepared();
            await upkeep.StartAsync(default);
            return new Node(rig, upkeep);
        }

        public async ValueTask DisposeAsync()
        {
            await upkeep.StopAsync(default);
            upkeep.Dispose();
            await rig.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_schedule_that_was_paused_and_resumed_or_given_other_times_expects_its_next_slot_again_and_old_runs_are_forgotten()
    {
        var now = TimeProvider.System.GetUtcNow();
        var schedule = new JobSchedule("quick", "Each month", "{}", "0 0 1 * *", "UTC", now);
        var (old, young) = (await JobRig.Queue(database, "quick"), await JobRig.Queue(database, "quick"));
        await Read(async db => { db.Add(schedule); return await db.SaveChangesAsync(); });
        await Sql($"""
            update job_runs set state = 'Succeeded', queued_at = now() - interval '401 days', ended_at = now() - interval '401 days' where id = '{old.Id.Value}';
            update job_runs set state = 'Succeeded', queued_at = now() - interval '401 days', ended_at = now() - interval '399 days' where id = '{young.Id.Value}';
            insert into job_log (run_id, attempt, at, text) values ('{old.Id.Value}', 1, now(), 'Old.'), ('{young.Id.Value}', 1, now(), 'Young.')
            """);
        await using var node = await Node.Start(database);
        Task<List<JobRun>> Expected() => Read(db => db.JobRuns.AsNoTracking().Where(r => r.ScheduleId == schedule.Id).ToListAsync());
        async Task<JobRun> TheOne(Func<JobRun, bool> good, string what) => (await Soon.Reads(Expected, runs => runs.Count == 1 && good(runs[0]), what))[0];
        var first = await TheOne(r => r.State == RunState.Queued, "its slot is expected");
        Assert.Equal((first.Slot!.Value, first.Slot.Value), (first.QueuedAt, first.DueAt));

        var pause = new PauseSchedule(database.Contexts, TimeProvider.System);
        await pause.Execute(schedule.Id, true, Cast.Alice, default);
        Assert.Empty(await Expected());
        await pause.Execute(schedule.Id, false, Cast.Alice, default);
        await TheOne(r => r.Slot == first.Slot, "the same slot is expected again");

        // What a person cancelled stays so, whatever becomes of the schedule.
        await new CancelRun(database.Contexts, TimeProvider.System).Execute((await Expected())[0].Id, Cast.Alice, default);
        await pause.Execute(schedule.Id, true, Cast.Alice, default);
        await pause.Execute(schedule.Id, false, Cast.Alice, default);
        await Soon.Comes(() => Read(db => db.JobSchedules.AnyAsync(s => s.Id == schedule.Id && s.SettledUntil == first.Slot)), "it is settled");
        await TheOne(r => r.State == RunState.Cancelled, "it is cancelled still");

        var change = new ChangeSchedule(database.Contexts, TimeProvider.System);
        await change.Execute(new(schedule.Id, Cron: "0 5 * * *"), Cast.Alice, default);
        var other = (await Soon.Reads(Expected, runs => runs.Count == 2, "the new times"))[^1];
        await change.Execute(new(schedule.Id, Zone: "Europe/Berlin"), Cast.Alice, default);
        await Soon.Comes(async () => (await Expected()).Where(r => r.State == RunState.Queued).Select(r => r.Slot).ToList() is [{ } slot] && slot != other.Slot, "the same time of another zone");
        var entry = await Read(db => db.Audit.OrderByDescending(a => a.Sequence).FirstAsync(a => a.Action == "schedule.changed"));
        Assert.Equal("quick: Each month, every day at 05:00 Europe/Berlin instead of every day at 05:00 UTC", entry.Summary);
        await Assert.ThrowsAsync<ForbiddenException>(() => change.Execute(new(schedule.Id, Zone: "UTC"), Cast.Bob, default));

        await Soon.Comes(() => Read(async db => !await db.JobRuns.AnyAsync(r => r.Id == old.Id)), "the old run is forgotten");
        Assert.Equal(["Young."], await Read(db => db.JobLog.Where(l => l.RunId == old.Id || l.RunId == young.Id).Select(l => l.Text).ToListAsync()));
    }

    [Fact]
    public async Task Many_are_handed_on_at_once_and_one_that_must_wait_for_another_not_before_its_end()
    {
        var runs = new List<JobRun>();
        for (var i = 0; i < 60; i++) runs.Add(await JobRig.Queue(database, "quick"));
        var (first, second) = (await JobRig.Queue(database, "alone", new RunRules(Alone: "it")), await JobRig.Queue(database, "alone", new RunRules(Alone: "it")));
        var ledger = new RunLedger(database.Database, "elsewhere", TimeSpan.FromMinutes(5));
        var claimed = (await ledger.Claim(first.Id, default))!;
        await using (var delivery = Delivery((_, _) => Task.CompletedTask))
            Assert.DoesNotContain(second.Id, (await delivery.Undelivered(TimeSpan.Zero, 500, default)).Select(r => r.Id));

        await using var node = await Node.Start(database);
        await Soon.Comes(() => Read(async db => await db.JobRuns.CountAsync(r => r.Kind == "quick" && r.State == RunState.Succeeded && r.Attempt == 1) == runs.Count), "all are done");
        Assert.Equal(0, (await JobRig.Find(database, second.Id)).Attempt);
        await ledger.End(claimed, RunState.Succeeded, null, null, default);
        // This version knows no such kind, which is an end too.
        await Soon.Comes(async () => (await JobRig.Find(database, second.Id)).State == RunState.Failed, "the second has begun");
    }

    [Fact]
    public async Task The_health_of_the_job_worker_is_that_jobs_come_here_and_none_waits_that_could_begin()
    {
        var (clock, state) = (new FakeClock(), new StartupState());
        var ledger = new RunLedger(database.Database, "node-a", TimeSpan.FromMinutes(5));
        var worker = new JobWorker(ledger, [], new(TimeProvider.System, NullLogger<Live.ChangeFeed>.Instance), clock, NullLogger<JobWorker>.Instance);
        await using var delivery = Delivery((_, _) => Task.CompletedTask);
        var part = new JobWorkerPart(delivery, worker, ledger, new JobKinds([new CheckDatabase(database.Database)]), state, clock);
        Assert.Equal(PartReport.Failing("No jobs come to this node: their delivery has not started yet."), await part.Look(default));
        state.MarkPrepared();
        var looking = part.Look(default);
        await delivery.Start(default);
        Assert.Equal(PartState.Ok, (await looking).State);

        var run = await JobRig.Queue(database, CheckDatabase.Kind, new RunRules(Alone: "it"));
        await Sql($"update job_runs set due_at = now() - interval '3 minutes' where id = '{run.Id.Value}'");
        // It began others just now: this one may be the next.
        Assert.Equal(PartState.Ok, (await part.Look(default)).State);
        clock.FastForward(TimeSpan.FromMinutes(3));
        var report = await part.Look(default);
        Assert.Equal(PartState.Failing, report.State);
        Assert.Matches(@"^Check of the database \(Something\) waits since \d+ \w+, \d\d:\d\d UTC, and nobody begins it\.$", report.Note);

        var other = await JobRig.Queue(database, CheckDatabase.Kind, new RunRules(Alone: "it"));
        Assert.NotNull(await ledger.Claim(other.Id, default));
        Assert.Equal(PartState.Ok, (await part.Look(default)).State);
    }
}

/// <summary>Through the whole portal: key, frame, use case, delivery and back.</summary>
public sealed class JobsApiTests(PortalHost host) : IClassFixture<PortalHost>
{
    async Task<HttpClient> Client(params string[] scopes) =>
        host.Client((await host.Get<Portal.Features.Access.CreateApiKey>().Execute(new("Test", scopes), Cast.Alice, default)).Secret);

    static async Task<JsonElement> Json(HttpResponseMessage answer) => await answer.Content.ReadFromJsonAsync<JsonElement>();

    [Fact]
    public async Task A_schedule_is_listed_run_paused_resumed_and_changed()
    {
        using var client = await Client("jobs:read", "jobs:write");
        using var reader = await Client("jobs:read");
        var list = await client.GetFromJsonAsync<JsonElement>("/api/v1/job-schedules");
        Assert.Equal(JsonValueKind.Null, list.GetProperty("next").ValueKind);
        var schedule = list.GetProperty("items").EnumerateArray().Single(s => s.GetProperty("kind").GetString() == CheckDatabase.Kind);
        Assert.Equal(("every Sunday at 03:30 UTC", 5), (schedule.GetProperty("words").GetString(), schedule.GetProperty("nextRuns").GetArrayLength()));
        var address = $"/api/v1/job-schedules/{schedule.GetProperty("id").GetString()}";

        Assert.Equal(HttpStatusCode.Forbidden, (await reader.PostAsync($"{address}/run", null)).StatusCode);
        var asked = await client.PostAsync($"{address}/run", null);
        Assert.Equal(HttpStatusCode.Accepted, asked.StatusCode);
        var job = await Soon.Reads(() => client.GetFromJsonAsync<JsonElement>(asked.Headers.Location), j => j.GetProperty("finishedAt").ValueKind == JsonValueKind.String, "its end");
        Assert.True(job.GetProperty("state").GetString() == "succeeded", $"{job}\n{host.Complaints}");
        Assert.True(job.GetProperty("result").GetProperty("tables").GetInt32() > 20);
        Assert.Contains((await client.GetFromJsonAsync<JsonElement>($"{asked.Headers.Location}/log")).EnumerateArray(), l => l.GetProperty("text").GetString()!.StartsWith("Reading: ", StringComparison.Ordinal));

        var paused = await Json(await client.PostAsync($"{address}/pause", null));
        Assert.Equal((JsonValueKind.String, 0), (paused.GetProperty("pausedAt").ValueKind, paused.GetProperty("nextRuns").GetArrayLength()));
        Assert.Equal(JsonValueKind.Null, (await Json(await client.PostAsync($"{address}/resume", null))).GetProperty("pausedAt").ValueKind);

        foreach (var (body, field) in new (object, string)[] { (new { cron = "at night" }, "cron"), (new { cron = (string?)null }, "cron"), (new { zone = "Berlin" }, "zone"), (new { times = "@daily" }, "times") })
        {
            var refused = await client.PatchAsJsonAsync(address, body);
            Assert.Equal((field, HttpStatusCode.UnprocessableEntity), (field, refused.StatusCode));
            Assert.True((await Json(refused)).GetProperty("errors").TryGetProperty(field, out _), $"{field} is not named");
        }
        var changed = await client.PatchAsJsonAsync(address, new { cron = "@daily", zone = "Europe/Berlin" });
        var version = (await Json(changed)).GetProperty("version").GetUInt32();
        Assert.Equal($"\"{version}\"", changed.Headers.ETag!.ToString());
        Assert.Equal("every day at 00:00 Europe/Berlin", (await Json(await client.GetAsync(address))).GetProperty("words").GetString());
        var stale = await client.PatchAsJsonAsync(address, new { cron = "@hourly", version = version - 1 });
        Assert.Equal(HttpStatusCode.Conflict, stale.StatusCode);
        Assert.Equal("every day at 00:00 Europe/Berlin", (await Json(stale)).GetProperty("current").GetString());
        Assert.Equal(HttpStatusCode.NotFound, (await client.PatchAsJsonAsync("/api/v1/job-schedules/0198c0000000700080000000000000ff", new { cron = "@hourly" })).StatusCode);
    }

    [Fact]
    public async Task Nodes_are_listed_with_what_they_work_on_part_by_part()
    {
        using var client = await Client("jobs:read");
        static JsonElement Items(JsonElement page) => page.GetProperty("items");
        Task<JsonElement> Read(string query = "") => client.GetFromJsonAsync<JsonElement>($"/api/v1/nodes{query}");
        var here = Items(await Soon.Reads(() => Read(), p => Items(p).GetArrayLength() == 1, "the node that answers"))[0];
        Assert.Equal((true, true), (here.GetProperty("alive").GetBoolean(), here.GetProperty("answering").GetBoolean()));
        Assert.Equal(JsonValueKind.String, here.GetProperty("seenAt").ValueKind);
        var name = here.GetProperty("name").GetString()!;

        // One of which only is known what it works on.
        await using (var db = host.Database.Open())
        {
            var later = TimeProvider.System.GetUtcNow().AddHours(1);
            var runs = Enumerable.Range(0, 2).Select(_ => new JobRun("elsewhere", "Something", "{}", new RunRules(), Cast.Alice, later.AddHours(-1), later)).ToList();
            db.AddRange(runs);
            await db.SaveChangesAsync();
            await db.JobRuns.Where(r => r.Kind == "elsewhere").ExecuteUpdateAsync(r => r.SetProperty(x => x.State, RunState.Running).SetProperty(x => x.Node, $"{name} too").SetProperty(x => x.LeaseUntil, later));
        }
        var first = await Read("?limit=1");
        Assert.Equal((name, name), (Items(first)[0].GetProperty("name").GetString(), first.GetProperty("next").GetString()));
        var second = await Read($"?limit=1&after={Uri.EscapeDataString(name)}");
        Assert.Equal(JsonValueKind.Null, second.GetProperty("next").ValueKind);
        var other = Assert.Single(Items(second).EnumerateArray());
        Assert.Equal(($"{name} too", 2, false, JsonValueKind.Null), (other.GetProperty("name").GetString(), other.GetProperty("jobs").GetInt32(), other.GetProperty("answering").GetBoolean(), other.GetProperty("seenAt").ValueKind));

        using var stranger = await Client("backups:read");
        Assert.Equal(HttpStatusCode.Forbidden, (await stranger.GetAsync("/api/v1/nodes")).StatusCode);
        var described = (await client.GetFromJsonAsync<JsonElement>("/openapi/v1.json")).GetProperty("paths").GetProperty("/api/v1/nodes").GetProperty("get");
        Assert.Equal("Nodes that work on jobs, or could, by name", described.GetProperty("summary").GetString());
    }
}
