using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Portal.E2E.Support;

namespace Portal.Benchmarks;

/// <summary>A week of 20 million results of 1,000 monitors, and hours of 90 days: what a chart and a new page cost the database then, and how fast results are rolled up.</summary>
static class ResultsBench
{
    const int Days = 7, PerDay = 2_880, Long = 1_000;
    /// <summary>Of 5,000 the week has 100 million results, and wants 25 GB of disk.</summary>
    static readonly int Monitors = int.Parse(Environment.GetEnvironmentVariable("PORTAL_BENCH_MONITORS") ?? "1000", CultureInfo.InvariantCulture);
    static long generated;

    /// <summary>A folder to be filled once and measured again and again: filling takes longer than a machine stays quiet.</summary>
    static readonly string? Kept = Environment.GetEnvironmentVariable("PORTAL_BENCH_KEEP");

    public static async Task<IReadOnlyList<Figure>> Run()
    {
        var isFilled = Kept is not null && Directory.Exists(Path.Combine(Kept, "data"));
        if (Kept is not null) Environment.SetEnvironmentVariable("PORTAL_E2E_KEEP", Directory.CreateDirectory(Kept).FullName);
        await using var portal = new PortalProcess(folder: Kept);
        await portal.Start();
        portal.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", PortalProcess.ApiKey);
        await Pause(portal);
        var figures = new List<Figure>();
        if (!isFilled)
        {
            await Fill(portal, figures);
            figures.Add(await RollUp(portal));
            await portal.Sql("vacuum analyze check_results, metric_minutes, metric_hours, metric_days");
            figures.Add(Figure.Note("results: bytes of a million, with their index", Bytes(await Size(portal, "check_results") / (generated / 1_000_000.0))));
            figures.Add(Figure.Note("results: bytes of a million minutes, with their index", Bytes(await Size(portal, "metric_minutes") / (await Rows(portal, "select count(*) from metric_minutes") / 1_000_000.0))));
        }
        else figures.Add(Figure.Note("results: generated before, by the planner's count", $"{await Rows(portal, "select sum(reltuples)::bigint from pg_class where relname like 'check_results_%' and relkind = 'r'"):N0}"));
        List<string> ids = [.. Enumerable.Range(0, 20).Select(n => $"b000000000007000800000000000{n:x4}")];
        foreach (var range in new[] { "24h", "7d", "90d" })
            figures.Add(Figure.AtMost($"results: chart of one monitor over {range}, whole answer", await Slowest(portal, ids, range), 50, " ms"));
        figures.Add(Figure.AtMost("results: page of 10 components with 6 charts, read anew", await PageRead(portal), 50, " ms"));
        return figures;
    }

    /// <summary>The portal's own backup of all that would be measured along, once an hour.</summary>
    static async Task Pause(PortalProcess portal)
    {
        foreach (var schedule in (await portal.Http.GetFromJsonAsync<JsonElement>("/api/v1/job-schedules")).GetProperty("items").EnumerateArray())
            (await portal.Http.PostAsync($"/api/v1/job-schedules/{schedule.GetProperty("id").GetString()}/pause", null)).EnsureSuccessStatusCode();
    }

    static async Task Fill(PortalProcess portal, List<Figure> figures)
    {
        for (var i = 0; i < 10; i++) (await portal.Http.PostAsJsonAsync("/api/v1/components", new { name = $"Component {i}" })).EnsureSuccessStatusCode();
        await portal.Sql($"""
            insert into monitors (id, shard, name, kind, target, interval, timeout, component_id, failures_before_down, "window", successes_before_up, impact, expect_status, allow_private, critical, public_chart, built_in, paused_at, created_at, updated_at)
            select ('b0000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, n % 256, 'Generated ' || n, 'Http', 'https://example.com/' || n, '30 s', '5 s', (select id from components order by name offset n % 10 limit 1), 3, 5, 2, 'MajorOutage', '200-399', false, false,
                case when n < 6 then 'Chart ' || n end, false, now(), now() - interval '91 days', now() from generate_series(0, {Monitors - 1}) n;
            insert into monitor_states (monitor_id, health, since, recent, epoch) select id, 'Unknown', now(), '[]', 0 from monitors where name like 'Generated %';
            """);
        var took = Stopwatch.StartNew();
        for (var day = Days; day >= 0; day--)
        {
            await portal.Sql($"""
                do $$ begin execute format('create table if not exists check_results_%s partition of check_results for values from (%L) to (%L)', to_char(current_date - {day}, 'YYYYMMDD'), (current_date - {day})::timestamptz, (current_date - {day - 1})::timestamptz); end $$;
                insert into check_results (monitor_id, at, milliseconds, outcome, status_code, node, epoch)
                select ('b0000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, (current_date - {day})::timestamptz + t * interval '30 seconds' + n % 1000 * interval '29 milliseconds',
                    40 + (n * 31 + t * 17) % 400, case when (n + t) % 5000 = 0 then 1 else 0 end, 200, 'host-0123456789ab-1234', 1
                from generate_series(0, {PerDay - 1}) t, generate_series(0, {Monitors - 1}) n
                where (current_date - {day})::timestamptz + t * interval '30 seconds' < now() - interval '3 minutes';
                """);
        }
        generated = await Rows(portal, "select count(*) from check_results");
        figures.Add(Figure.Note("results: generated", $"{generated:N0} in {took.Elapsed.TotalSeconds:0} s"));
        await portal.Sql($"""
            insert into metric_hours (series_id, at, count, failed, sum, min, max, histogram)
            select ('b0000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, (current_date - {Days})::timestamptz - h * interval '1 hour', 120, 0, 120 * 240, 40, 440, array(select ((265 + b)::bigint << 40) | 2 from generate_series(0, 59) b)
            from generate_series(1, {83 * 24}) h, generate_series(0, {Math.Min(Long, Monitors) - 1}) n;
            """);
    }

    /// <summary>As after a week without anybody who rolls up.</summary>
    static async Task<Figure> RollUp(PortalProcess portal)
    {
        var took = Stopwatch.StartNew();
        await portal.Sql($"insert into rollups_due (width, at, ready_at) select 0, d, now() from generate_series((current_date - {Days})::timestamptz, now() - interval '4 minutes', interval '1 minute') d on conflict (width, at) do nothing");
        await Wait.Until("the upkeep has begun", async () => await Gauge(portal, "portal_rollups_waiting") > 0, 60);
        await Wait.Until("everything is rolled up", async () => await Gauge(portal, "portal_rollups_waiting") == 0 && await Rows(portal, "select count(*) from rollups_due where width < 2 and ready_at < now()") == 0, 3_600);
        return Figure.Note("results: rolled up to minutes, hours and days", $"{generated / took.Elapsed.TotalSeconds:N0}/s");
    }

    static async Task<double> Slowest(PortalProcess portal, List<string> ids, string range)
    {
        // The first answer of a process compiles its code.
        await Answer(portal, ids[0], range);
        var times = new List<double>();
        foreach (var id in ids.Skip(1))
        {
            var took = Stopwatch.StartNew();
            var items = (await Answer(portal, id, range)).GetProperty("items").GetArrayLength();
            times.Add(took.Elapsed.TotalMilliseconds);
            if (items < 100) throw new InvalidOperationException($"{range}: only {items} steps.");
        }
        return times.Max();
    }

    static Task<JsonElement> Answer(PortalProcess portal, string id, string range) => portal.Http.GetFromJsonAsync<JsonElement>($"/api/v1/monitors/{id}/response-times?range={range}");

    /// <summary>The slower half of what a change costs, until the page's model is read.</summary>
    static async Task<double> PageRead(PortalProcess portal)
    {
        var times = new List<double>();
        for (var i = 0; i < 7; i++)
        {
            var title = $"Trouble number {i}";
            (await portal.Http.PostAsJsonAsync("/api/v1/incidents", new { title, severity = "P2", message = "We are looking into it.", components = Array.Empty<object>() })).EnsureSuccessStatusCode();
            await Wait.Until("the incident is on the page", async () => (await portal.Http.GetStringAsync("/en/")).Contains(title, StringComparison.Ordinal));
            times.Add(await Gauge(portal, "portal_page_read_seconds") * 1_000);
        }
        return times.Skip(1).Max();
    }

    static async Task<double> Gauge(PortalProcess portal, string name)
    {
        var line = (await portal.Http.GetStringAsync("/metrics")).Split('\n').Single(l => l.StartsWith(name + " ", StringComparison.Ordinal));
        return double.Parse(line[(name.Length + 1)..], CultureInfo.InvariantCulture);
    }

    static Task<long> Size(PortalProcess portal, string table) =>
        Rows(portal, $"select sum(pg_total_relation_size(inhrelid))::bigint from pg_inherits where inhparent = '{table}'::regclass");

    static async Task<long> Rows(PortalProcess portal, string query) => long.Parse(await portal.Ask(query), CultureInfo.InvariantCulture);

    static string Bytes(double bytes) => $"{bytes / 1_000_000:0} MB";
}
