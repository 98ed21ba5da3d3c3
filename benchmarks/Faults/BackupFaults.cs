using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Portal.E2E.Support;
using Portal.Tests.Backups;

namespace Portal.Benchmarks.Faults;

/// <summary>A portal that is killed, and one that is frozen for longer than its lease, in every phase of a backup, of a restore and of a drill. <c>./test</c> holds one phase of each kind.</summary>
static class BackupFaults
{
    internal const string Shop = "shop", Content = ".dump.gz.enc", Manifest = ".json";
    const int Rows = 2_000;
    static readonly TimeSpan LongerThanTheLease = TimeSpan.FromSeconds(5);

    /// <param name="Hold">Keeps a run waiting in this phase until it is disposed.</param>
    internal sealed record Phase(string Name, Func<Task<IAsyncDisposable>> Hold);

    internal sealed record Fault(string Name, Func<Task> Do, Func<Task> Then);

    internal sealed record Told(string Outcome, string? Phase, int Attempt, JsonElement? Result)
    {
        public bool IsOver => Outcome is not ("queued" or "running");
    }

    public static async Task<IReadOnlyList<Figure>> Run()
    {
        await using var bucket = new HeldBucket(Ports.Free());
        await using var portal = new PortalProcess(environment: new Dictionary<string, string>
        {
            ["Storage__Backups__S3__Endpoint"] = bucket.Endpoint,
            ["Storage__Backups__S3__Bucket"] = HeldBucket.Name,
            ["Storage__Backups__S3__AccessKey"] = "access",
            ["Storage__Backups__S3__SecretKey"] = "secret",
            ["Storage__Backups__S3__ForcePathStyle"] = "true",
            ["Timing__JobLeaseSeconds"] = "2",
            ["Timing__JobSweepSeconds"] = "0.5",
            ["Timing__JobCheckInSeconds"] = "1",
            ["Timing__JobCheckInThresholdSeconds"] = "2",
            ["Timing__BackupUpkeepSeconds"] = "0.5",
        });
        await portal.Start();
        await Plant(portal);
        Fault[] faults =
        [
            new("killed", portal.Kill, portal.Start),
            new("frozen", async () => { Signals.Send("STOP", portal.Pid); await Task.Delay(LongerThanTheLease); Signals.Send("CONT", portal.Pid); }, () => Task.CompletedTask),
        ];
        var figures = new List<Figure>();
        foreach (var fault in faults)
        {
            figures.AddRange(await Backups(portal, bucket, fault));
            figures.AddRange(await Restores(portal, bucket, fault));
            figures.AddRange(await DrillFaults.Run(portal, bucket, fault));
        }
        return figures;
    }

    /// <summary>A database whose restore waits at its end for as long as a role exists; nothing comes by itself.</summary>
    static async Task Plant(PortalProcess portal)
    {
        await portal.Sql($"create database {Shop}");
        await portal.Ask($"create table orders as select n as id, md5(n::text) as note from generate_series(1, {Rows}) n", Shop);
        await portal.Ask("""
            create function waits() returns boolean language plpgsql as $$
                begin while exists (select from pg_catalog.pg_roles where rolname = 'held') loop perform pg_catalog.pg_sleep(0.02); end loop; return true; end $$;
            create materialized view waited as select waits();
            """, Shop);
        await Wait.Until("the first schedule is there", async () => await portal.Ask("select count(*) from job_schedules") != "0", 30);
        await portal.Sql("update job_schedules set paused_at = now()");
        await portal.Sql("delete from job_runs where state = 'Queued'");
        var lines = File.ReadLines(Path.Combine(portal.Data, "postgres", "postmaster.pid")).ToList();
        var password = (await File.ReadAllTextAsync(Path.Combine(portal.Data, "keys", "postgres.password"))).Trim();
        await Post(portal, "/api/v1/backup-targets", new { name = Shop, connection = $"Host=127.0.0.1;Port={lines[3]};Username=portal;Password={password};Database={Shop}" });
    }

    static async Task<IReadOnlyList<Figure>> Backups(PortalProcess portal, HeldBucket bucket, Fault fault)
    {
        Phase[] phases =
        [
            new("pg_dump waits for a table", async () => await HeldTable.Hold(portal, "orders", Shop)),
            new("content on its way", () => Held(bucket, "PUT", Content)),
            new("manifest on its way", () => Held(bucket, "PUT", Manifest)),
            new("manifest read back", () => Held(bucket, "GET", Manifest)),
            new("content read back", () => Held(bucket, "GET", Content)),
        ];
        var (bad, slowest) = (new List<string>(), TimeSpan.Zero);
        foreach (var phase in phases)
        {
            string job;
            Stopwatch clock;
            await using (var hold = await phase.Hold())
            {
                job = await Queue(portal, "/api/v1/backups", new { target = Shop });
                await Reaches(portal, hold, job);
                await fault.Do();
                clock = Stopwatch.StartNew();
            }
            await fault.Then();
            var end = await End(portal, job);
            if (clock.Elapsed > slowest) slowest = clock.Elapsed;
            var wrong = end.Outcome != "succeeded" ? $"ended as {end.Outcome}" : await LeftWrong(portal, bucket, job);
            if (wrong is not null) bad.Add($"{phase.Name}: {wrong}");
            Tell(fault, "a backup", phase.Name, wrong, clock);
        }
        return
        [
            Figure.AtMost($"portal {fault.Name} in {phases.Length} phases of a backup: not there exactly once and whole", bad.Count, 0, ""),
            Figure.Note($"portal {fault.Name} in a backup: these", Words(bad)),
            Figure.AtMost($"portal {fault.Name} in a backup: slowest from the fault to the good end", slowest.TotalSeconds, 60, " s"),
        ];
    }

    /// <summary>Null where the store and the catalogue hold one whole backup of the job, and nothing beside what they held.</summary>
    static async Task<string?> LeftWrong(PortalProcess portal, HeldBucket bucket, string job)
    {
        var of = await portal.Ask($"select count(*) from backups where run_id = '{job}' and state = 'Kept' and archive_at is not null");
        if (of != "1") return $"{of} proven backups of the job";
        if (await portal.Ask("select count(*) from backups where state = 'Writing'") is not "0" and var writing) return $"{writing} that are being written";
        var kept = (await portal.Ask("select coalesce(string_agg('backups/' || replace(id::text, '-', ''), ' '), '') from backups where state = 'Kept'")).Split(' ');
        var expected = kept.SelectMany(k => new[] { k + Content, k + Manifest }).Order(StringComparer.Ordinal);
        var found = bucket.Objects.Where(o => o.StartsWith("backups/", StringComparison.Ordinal)).ToList();
        if (!expected.SequenceEqual(found)) return $"{found.Count} objects of {kept.Length} backups";
        if (bucket.Begun.Count > 0) return $"{bucket.Begun.Count} uploads begun";
        await Wait.Until("no pg_dump is left", async () => await portal.Ask("select count(*) from pg_stat_activity where application_name = 'portal backup'") == "0", 30);
        return null;
    }

    static async Task<IReadOnlyList<Figure>> Restores(PortalProcess portal, HeldBucket bucket, Fault fault)
    {
        var made = await End(portal, await Queue(portal, "/api/v1/backups", new { target = Shop }));
        var backup = made.Result!.Value.GetProperty("backup").GetString();
        (string Name, Func<Func<string>, Task<IAsyncDisposable>> Hold)[] phases =
        [
            ("manifest read", _ => Held(bucket, "GET", Manifest)),
            ("content checked", _ => Held(bucket, "GET", Content)),
            ("pg_restore works", async _ => await Role.Make(portal)),
            ("taking its place", async job => await Place.Keep(portal, job)),
        ];
        var (bad, again, slowest, of) = (new List<string>(), 0, TimeSpan.Zero, 0);
        foreach (var (name, holding) in phases)
            foreach (var replace in new[] { false, true })
            {
                var (into, job) = (replace ? Shop : $"shop_{fault.Name}_{of++}", "");
                var before = await Databases(portal);
                Stopwatch clock;
                await using (var hold = await holding(() => job))
                {
                    job = await Queue(portal, "/api/v1/restores", new { backup, into, confirm = "RESTORE", replace });
                    await Reaches(portal, hold, job);
                    await fault.Do();
                    clock = Stopwatch.StartNew();
                }
                await fault.Then();
                var end = await End(portal, job);
                await Wait.Until("what was begun is cleared away", async () => await portal.Ask("select count(*) from restores where not is_settled") == "0", 60);
                if (clock.Elapsed > slowest) slowest = clock.Elapsed;
                if (end.Attempt != 1) again++;
                var wrong = await Broken(portal, before, into, replace, end.Outcome);
                if (wrong is not null) bad.Add($"{name}{(replace ? ", replacing" : "")}: {end.Outcome}, {wrong}");
                Tell(fault, "a restore", $"{name}{(replace ? ", replacing" : "")}", wrong, clock);
            }
        return
        [
            Figure.AtMost($"portal {fault.Name} in {2 * phases.Length} phases of a restore: begun again", again, 0, ""),
            Figure.AtMost($"portal {fault.Name} in a restore: something half left, a name taken, an old database lost", bad.Count, 0, ""),
            Figure.Note($"portal {fault.Name} in a restore: these", Words(bad)),
            Figure.AtMost($"portal {fault.Name} in a restore: slowest until it is over and cleared away", slowest.TotalSeconds, 60, " s"),
        ];
    }

    /// <summary>Null where there is all that there was and, of a restore that succeeded, what it promises.</summary>
    static async Task<string?> Broken(PortalProcess portal, IReadOnlyList<string> before, string into, bool replace, string outcome)
    {
        var fresh = (await Databases(portal)).Except(before).ToList();
        var expected = outcome != "succeeded" ? [] : replace ? fresh.Where(f => f.StartsWith($"{Shop}_before_", StringComparison.Ordinal)).Take(1) : [into];
        if (!fresh.SequenceEqual(expected) || outcome == "succeeded" && fresh.Count != 1) return $"left {string.Join(", ", fresh)}";
        foreach (var whole in before.Concat(fresh).Where(d => d.StartsWith(Shop, StringComparison.Ordinal)))
            if (await portal.Ask("select count(*) from orders", whole) is var rows && rows != $"{Rows}") return $"{whole} has {rows} rows";
        return before.Except(await Databases(portal)).FirstOrDefault() is { } gone ? $"{gone} is gone" : null;
    }

    static async Task<IReadOnlyList<string>> Databases(PortalProcess portal) => (await portal.Ask("select string_agg(datname, ' ' order by datname) from pg_database where datname like 'shop%' or datname like 'portal_restoring%'")).Split(' ');

    internal static async Task<IAsyncDisposable> Held(HeldBucket bucket, string method, string ending)
    {
        await Task.CompletedTask;
        return new Requests(bucket.Hold(method, ending));
    }

    /// <summary>Until the run waits where it is held.</summary>
    internal static Task Reaches(PortalProcess portal, IAsyncDisposable hold, string job) => hold switch
    {
        Requests requests => Wait.Until("the store is asked", () => requests.Held.Waiting > 0, 60),
        Role => Wait.Until("pg_restore works", async () => await portal.Ask("select count(*) from pg_stat_activity where query ilike 'refresh materialized view%' and state = 'active'") != "0", 60),
        Place place => place.Reach(),
        DrillFaults.Question => Wait.Until("the data is asked", async () => (await Look(portal, job)).Phase == "Checking the data", 60),
        _ => Wait.Until("pg_dump waits", async () => (await Look(portal, job)).Phase == "Backing up" && await portal.Ask("select count(*) from pg_stat_activity where application_name = 'portal backup' and wait_event_type = 'Lock'") == "2", 60),
    };

    internal static async Task<Told> End(PortalProcess portal, string job)
    {
        var told = new Told("queued", null, 0, null);
        await Wait.Until("the job is over", async () => (told = await Look(portal, job)).IsOver, 300);
        return told;
    }

    internal static async Task<Told> Look(PortalProcess portal, string job)
    {
        var answer = await Writer.Get(portal, $"/api/v1/jobs/{job}");
        return new(answer.GetProperty("outcome").GetString()!, answer.GetProperty("phase").GetString(), answer.GetProperty("attempt").GetInt32(), answer.GetProperty("result") is { ValueKind: JsonValueKind.Object } result ? result : null);
    }

    internal static async Task<string> Queue(PortalProcess portal, string path, object body) => (await Post(portal, path, body)).GetProperty("id").GetString()!;

    internal static async Task<JsonElement> Post(PortalProcess portal, string path, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body), Headers = { { "Authorization", $"Bearer {PortalProcess.ApiKey}" } } };
        using var answer = await portal.Http.SendAsync(request);
        return answer.IsSuccessStatusCode ? await answer.Content.ReadFromJsonAsync<JsonElement>() : throw new InvalidOperationException(await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Each as it is done: the whole takes a quarter of an hour.</summary>
    internal static void Tell(Fault fault, string work, string phase, string? wrong, Stopwatch clock) => Console.WriteLine($"    {fault.Name} in {work}, {phase}: {wrong ?? "well"} after {clock.Elapsed.TotalSeconds:0} s");

    internal static string Words(List<string> bad) => bad.Count == 0 ? "none" : string.Join("; ", bad);

    sealed record Requests(Held Held) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            Held.Dispose();
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>As long as it exists, pg_restore waits at its last step.</summary>
    sealed record Role(PortalProcess Portal) : IAsyncDisposable
    {
        public static async Task<Role> Make(PortalProcess portal)
        {
            await portal.Sql("create role held");
            return new(portal);
        }

        public async ValueTask DisposeAsync() => await Portal.Sql("drop role if exists held");
    }

    /// <summary>Somebody is connected to the restored database, so that it cannot get its name.</summary>
    sealed record Place(PortalProcess Portal, Func<string> Job, Role Role) : IAsyncDisposable
    {
        HeldTable? connected;

        public static async Task<Place> Keep(PortalProcess portal, Func<string> job) => new(portal, job, await Role.Make(portal));

        public async Task Reach()
        {
            await Reaches(Portal, Role, Job());
            // A table that no restore touches: what is restored last are owners and rights of the others.
            connected = await HeldTable.Hold(Portal, "pg_catalog.pg_am in access share mode", $"portal_restoring_{Job()}");
            await Role.DisposeAsync();
            await Wait.Until("it takes its place", async () => (await Look(Portal, Job())).Phase == "Taking its place", 60);
        }

        public async ValueTask DisposeAsync()
        {
            await Role.DisposeAsync();
            if (connected is not null) await connected.DisposeAsync();
        }
    }
}
