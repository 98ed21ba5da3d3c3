using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Portal.E2E.Support;

namespace Portal.Benchmarks;

/// <summary>1,000 queued jobs on two nodes of which one is killed in their midst, and how soon a job begins on a node that has nothing else to do.</summary>
/// <remarks>The job is the check of the portal's own database, a few dozen milliseconds on an empty installation: no kind exists only to be measured. For the queue its rule to be alone is left out, or it would measure that rule.</remarks>
static class JobsBench
{
    const int Queued = 1_000, Sequential = 100;

    public static async Task<IReadOnlyList<Figure>> Run()
    {
        await using var portal = await PortalProcess.Start();
        portal.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", PortalProcess.ApiKey);
        var begins = await Begins(portal);
        await using var other = new PortalProcess(environment: new Dictionary<string, string> { ["Database__ConnectionString"] = await portal.ConnectionTo("portal"), ["Security__MasterKeyFile"] = Path.Combine(portal.Data, "keys", "master.key") });
        await other.Start();
        return [.. begins, .. await ManyAndKill(portal, other)];
    }

    /// <summary>By the clock of this machine, which is the database's as well.</summary>
    static async Task<IReadOnlyList<Figure>> Begins(PortalProcess portal)
    {
        var schedule = (await portal.Http.GetFromJsonAsync<JsonElement>("/api/v1/job-schedules")).GetProperty("items").EnumerateArray().Single(s => s.GetProperty("kind").GetString() == "database-check").GetProperty("id").GetString();
        var (fromAsked, fromAnswer) = (new List<double>(), new List<double>());
        // The first ones compile the code.
        for (var i = -5; i < Sequential; i++)
        {
            var asked = DateTimeOffset.UtcNow;
            using var answer = await portal.Http.PostAsync($"/api/v1/job-schedules/{schedule}/run", null);
            answer.EnsureSuccessStatusCode();
            var answered = DateTimeOffset.UtcNow;
            var job = default(JsonElement);
            await Wait.Until("the job is over", async () => (job = await portal.Http.GetFromJsonAsync<JsonElement>(answer.Headers.Location)).GetProperty("finishedAt").ValueKind == JsonValueKind.String, 60);
            if (job.GetProperty("state").GetString() != "succeeded") throw new InvalidOperationException($"A check failed: {job}");
            if (i < 0) continue;
            var began = job.GetProperty("startedAt").GetDateTimeOffset();
            fromAsked.Add((began - asked).TotalMilliseconds);
            fromAnswer.Add(Math.Max(0, (began - answered).TotalMilliseconds));
        }
        return
        [
            Figure.AtMost($"jobs: answer to the request → begun, idle node, 99 % of {Sequential}", At(fromAnswer, 0.99), 1_000, " ms"),
            Figure.Note("jobs: request → begun, half / 99 % / slowest", $"{At(fromAsked, 0.5):0} / {At(fromAsked, 0.99):0} / {fromAsked.Max():0} ms"),
        ];
    }

    static double At(List<double> times, double share) => times.Order().ElementAt((int)Math.Ceiling(times.Count * share) - 1);

    static async Task<IReadOnlyList<Figure>> ManyAndKill(PortalProcess portal, PortalProcess other)
    {
        await portal.Sql("delete from job_runs where ended_at is not null");
        var took = Stopwatch.StartNew();
        await portal.Sql($"""
            insert into job_runs (id, kind, subject, arguments, requested_by, queued_at, due_at, most_attempts, repeatable, state, attempt, epoch)
            select gen_random_uuid(), 'database-check', 'Queued ' || n, '{"{}"}', 'Bench', clock_timestamp(), clock_timestamp(), 5, true, 'Queued', 0, 0 from generate_series(1, {Queued}) n;
            select pg_notify('portal_changes', 'jobs')
            """);
        await Wait.Until("half of them are over", async () => await Count(portal, "state = 'Succeeded'") >= Queued / 2, 300);
        var (done, half) = (await Count(portal, "state = 'Succeeded'"), took.Elapsed);
        var nodes = await portal.Ask("select count(distinct node) from job_runs where subject like 'Queued %' and node is not null");
        await other.Kill();
        var killed = took.Elapsed;
        await Wait.Until("all are over", async () => await Count(portal, "ended_at is not null") == Queued, 600);
        var all = took.Elapsed;
        var (again, lost) = (await Count(portal, "attempt > 1"), Queued - await Count(portal, "state = 'Succeeded'"));
        // Each claim raises the epoch, and so does each claim that is taken away: one that ended was claimed once more often than it was taken away. What it found it wrote once under its last attempt.
        var twice = await Count(portal, "epoch <> 2 * attempt - 1 or (select count(*) from job_log l where l.run_id = job_runs.id and l.attempt = job_runs.attempt and l.text like 'Read %') <> 1");
        return
        [
            Figure.Note($"jobs: {Queued:N0} queued, {nodes} nodes, until half are over", $"{done / half.TotalSeconds:0}/s"),
            Figure.Note("jobs: one node killed in their midst: begun again by the other", $"{again}"),
            Figure.AtMost("jobs: lost, failed or left over", lost, 0, ""),
            Figure.AtMost("jobs: ended twice, or not once under their last claim", twice, 0, ""),
            Figure.Note("jobs: from the kill until all are over", $"{(all - killed).TotalSeconds:0.0} s"),
        ];
    }

    static async Task<long> Count(PortalProcess portal, string where) => long.Parse(await portal.Ask($"select count(*) from job_runs where subject like 'Queued %' and ({where})"), CultureInfo.InvariantCulture);
}
