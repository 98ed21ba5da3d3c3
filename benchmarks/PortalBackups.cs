using System.Net.Http.Json;
using System.Text.Json;
using Portal.E2E.Support;

namespace Portal.Benchmarks;

/// <summary>Backups and restores by the portal's API. Times are those of the job's own log; memory is the most that was resident while the job worked.</summary>
sealed class PortalBackups(PortalProcess portal)
{
    /// <param name="Verifying">0 where the plan asks for none.</param>
    public sealed record Made(string Id, double Making, double Verifying, long Plain, long Stored, double Memory);

    /// <param name="Checking">Until pg_restore begins: the manifest, the fresh database, and the first reading, for the HMAC.</param>
    /// <param name="Restoring">While pg_restore works.</param>
    /// <param name="Counting">Every table, the comparison, and the name that was asked for.</param>
    public sealed record Restored(double Checking, double Restoring, double Counting, double Memory)
    {
        public double Whole => Checking + Restoring + Counting;
    }

    public async Task AddTarget(string name, string connection) => (await portal.Http.PostAsJsonAsync("/api/v1/backup-targets", new { name, connection })).EnsureSuccessStatusCode();

    /// <summary>Like the portal's own plan, whose schedule it borrows: plans are made on the screens, and this one runs only when it is asked for.</summary>
    public Task<string> AddPlan(string target, int level, string verifyTo) => portal.Ask($"""
        insert into backup_plans (id, name, target_id, schedule_id, store_ids, gzip_level, verify_to, retention, target_loss_minutes, created_at)
        select gen_random_uuid(), '{target} {level}', t.id, p.schedule_id, p.store_ids, {level}, '{verifyTo}', p.retention, p.target_loss_minutes, now() from backup_plans p, backup_targets t where t.name = '{target}' limit 1
        returning replace(id::text, '-', '')
        """);

    public async Task<Made> BackUp(string plan)
    {
        Processes.ForgetMostMemory(portal.Pid);
        var job = await Asked("/api/v1/backups", new { plan });
        var end = await Over(job);
        var (log, made) = (await Log(job), end.GetProperty("result").GetProperty("backups")[0]);
        var (begun, verified) = (At(log, "Backing up"), At(log, "Verifying"));
        var over = log[^1].At;
        return new(made.GetProperty("backup").GetString()!, Between(begun!.Value, verified ?? over), Between(verified ?? over, over), made.GetProperty("plainBytes").GetInt64(), made.GetProperty("storedBytes").GetInt64(), Processes.MostMemory(portal.Pid));
    }

    public async Task<Restored> Restore(string backup, string into)
    {
        Processes.ForgetMostMemory(portal.Pid);
        var job = await Asked("/api/v1/restores", new { backup, into, confirm = "RESTORE" });
        var (over, begun, ended) = (Over(job), default(DateTimeOffset?), default(DateTimeOffset?));
        while (!over.IsCompleted)
        {
            await Task.Delay(100);
            if (Works()) begun ??= DateTimeOffset.UtcNow;
            else if (begun is not null) ended ??= DateTimeOffset.UtcNow;
        }
        await over;
        if (begun is null || ended is null) throw new InvalidOperationException($"Nobody saw pg_restore work for {job}.");
        var log = await Log(job);
        return new(Between(At(log, "Checking")!.Value, begun.Value), Between(begun.Value, ended.Value), Between(ended.Value, log[^1].At), Processes.MostMemory(portal.Pid));
    }

    bool Works() => Signals.ChildrenOf(portal.Pid).Any(p => Processes.Name(p) == "pg_restore");

    async Task<string> Asked(string path, object body)
    {
        using var answer = await portal.Http.PostAsJsonAsync(path, body);
        return answer.IsSuccessStatusCode ? answer.Headers.Location!.ToString() : throw new InvalidOperationException($"{path}: {await answer.Content.ReadAsStringAsync()}");
    }

    async Task<JsonElement> Over(string job)
    {
        var seen = default(JsonElement);
        await Wait.Until("the job is over", async () =>
        {
            // Looking at it is not to cost what it measures.
            await Task.Delay(400);
            return (seen = await portal.Http.GetFromJsonAsync<JsonElement>(job)).GetProperty("finishedAt").ValueKind == JsonValueKind.String;
        }, 3_600);
        return seen.GetProperty("state").GetString() == "succeeded" ? seen : throw new InvalidOperationException($"The job did not succeed: {seen}");
    }

    async Task<List<(DateTimeOffset At, string Text)>> Log(string job) =>
        [.. (await portal.Http.GetFromJsonAsync<JsonElement>(job + "/log")).EnumerateArray().Select(l => (l.GetProperty("at").GetDateTimeOffset(), l.GetProperty("text").GetString()!))];

    static DateTimeOffset? At(List<(DateTimeOffset At, string Text)> log, string phase) => log.Where(l => l.Text.StartsWith(phase, StringComparison.Ordinal)).Select(l => (DateTimeOffset?)l.At).FirstOrDefault();

    static double Between(DateTimeOffset from, DateTimeOffset to) => (to - from).TotalSeconds;
}
