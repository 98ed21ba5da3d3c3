using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Portal.E2E.Support;

namespace Portal.Benchmarks;

/// <summary>10,000 HTTP monitors every 30 seconds on one node, their target an nginx beside it; then with 1,000 connections that load the page at the same time.</summary>
static class EngineBench
{
    const int Monitors = 10_000, Interval = 30, Settle = 45, Watch = 60, PageSeconds = 10, Hanging = 1_000;

    public static async Task<IReadOnlyList<Figure>> Run()
    {
        await using var portal = await PortalProcess.Start(demo: true);
        portal.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", PortalProcess.ApiKey);
        var red = await StoppedTarget(portal);
        await using var target = await Nginx.Serving("ok"u8.ToArray(), "ok"u8.ToArray());
        await Wrk.Run(portal.Url + "/", 64, 3);
        var idle = await Wrk.Run(portal.Url + "/", 64, PageSeconds);
        await Add(portal, target.Url);
        // New monitors are all checked within two seconds; they drift apart with their second check.
        await Wait.Until("every monitor was checked", async () => await Count(portal, "select count(*) from monitor_states s join monitors m on m.id = s.monitor_id where m.name like 'Load %' and s.last_check_at is not null") == Monitors, 120);
        await Task.Delay(TimeSpan.FromSeconds(Settle));
        var (quiet, loaded) = (await Window(portal, Task.Delay(TimeSpan.FromSeconds(Watch))), default(Seen)!);
        var busy = await Wrk.Run(portal.Url + "/", 64, PageSeconds);
        var crowd = default(Load)!;
        loaded = await Window(portal, Task.Run(async () => crowd = await Wrk.Run(portal.Url + "/", 1_000, Watch)));
        using var hung = new HangingServer();
        // They fail within the window, the second time after it at the latest.
        await portal.Sql($"update monitors set target = '{hung.Url}', name = 'Hung ' || name where id in (select id from monitors where name like 'Load %' order by id limit {Hanging})");
        var hanging = await Window(portal, Wait.Until("their outages are open", async () => await Count(portal, "select count(*) from outages where monitor_name like 'Hung %' and ended_at is null") == Hanging, 120));
        int[] family = [];
        var away = await Window(portal, Task.Run(async () =>
        {
            Signals.Send("STOP", family = portal.PostgresFamily);
            await Task.Delay(TimeSpan.FromSeconds(Watch));
            Signals.Send("CONT", family);
        }));
        return
        [
            Figure.AtMost("engine: stopped target, confirming check → red on an open page", red, 1_000, " ms"),
            Figure.Note($"engine: {Monitors:N0} monitors every {Interval} s: checks", $"{quiet.Checks / quiet.Seconds:0}/s", $"{Monitors / (double)Interval:0}/s"),
            Figure.AtMost("engine: checks begin late, 99 %", quiet.Late99, 1, " s"),
            Figure.AtMost("engine: turns without a result a second later", quiet.Missing, 0, ""),
            Figure.Note("engine: processors kept busy by the portal", Figure.Number(quiet.Cpu)),
            Figure.Note("engine: memory of the portal", $"{quiet.Memory / 1e6:0} MB"),
            Figure.AtLeast("engine: page, 64 connections, meanwhile against idle", busy.PerSecond, idle.PerSecond, 0.8, "/s"),
            Figure.Note("engine: page under 1,000 connections", $"{crowd.PerSecond:N0}/s, {crowd.Errors} errors"),
            Figure.AtMost("engine: checks more than a second late under 1,000 connections", loaded.Late, 0, ""),
            Figure.AtMost("engine: turns without a result a second later under 1,000 connections", loaded.Missing, 0, ""),
            Figure.Note("engine: checks under 1,000 connections", $"{loaded.Checks / loaded.Seconds:0}/s"),
            Figure.AtMost($"engine: {Hanging:N0} targets hang at once: checks begin late, 99 %", hanging.Late99, 1, " s"),
            Figure.AtMost($"engine: {Hanging:N0} targets hang at once: turns of the others without a result a second later", hanging.Missing, 0, ""),
            Figure.AtMost($"engine: database hung for {Watch} s: turns without a result a second later", away.Missing, 0, ""),
            Figure.Note($"engine: database hung for {Watch} s: memory of the portal", $"{away.Memory / 1e6:0} MB"),
        ];
    }

    /// <summary>Milliseconds from the end of the check that confirms an outage to the message that turns an open page red.</summary>
    static async Task<double> StoppedTarget(PortalProcess portal)
    {
        var target = await Nginx.Serving("ok"u8.ToArray(), "ok"u8.ToArray());
        (await portal.Http.PostAsJsonAsync("/api/v1/components", new { name = "Watched shop" })).EnsureSuccessStatusCode();
        using var made = await portal.Http.PostAsJsonAsync("/api/v1/monitors", new { name = "Shop", kind = "http", target = target.Url, intervalSeconds = 10, timeoutSeconds = 5, component = "watched-shop", allowPrivate = true });
        var id = (await made.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString();
        await Wait.Until("the target is up", async () => (await portal.Http.GetFromJsonAsync<JsonElement>($"/api/v1/monitors/{id}")).GetProperty("state").GetString() == "up");
        await Wait.Until("the component is shown", async () => (await portal.Http.GetStringAsync("/en/")).Contains("Watched shop", StringComparison.Ordinal));
        using var viewer = await Viewer.Connect(portal.Url);
        viewer.Expect("Major outage");
        await target.DisposeAsync();
        var stamp = Stopwatch.GetTimestamp();
        var now = DateTimeOffset.UtcNow;
        var heard = now + Stopwatch.GetElapsedTime(stamp, await viewer.Heard.WaitAsync(TimeSpan.FromSeconds(60)));
        var state = await portal.Http.GetFromJsonAsync<JsonElement>($"/api/v1/monitors/{id}/checks?limit=5");
        var confirming = state.GetProperty("items").EnumerateArray().Where(c => c.GetProperty("outcome").GetString() == "down").Select(c => c.GetProperty("at").GetDateTimeOffset().AddMilliseconds(c.GetProperty("milliseconds").GetDouble())).Order().ElementAt(1);
        (await portal.Http.DeleteAsync($"/api/v1/monitors/{id}")).EnsureSuccessStatusCode();
        return (heard - confirming).TotalMilliseconds;
    }

    static Task Add(PortalProcess portal, string target) => portal.Sql($"""
        insert into monitors (id, shard, name, kind, target, interval, timeout, failures_before_down, "window", successes_before_up, impact, expect_status, allow_private, critical, built_in, created_at, updated_at)
        select id, ('x' || right(id::text, 2))::bit(8)::int, 'Load ' || n, 'Http', '{target}', '{Interval} s', '10 s', 2, 2, 1, 'MajorOutage', '200-399', true, false, false, now(), now()
        from (select n, ('b0000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid as id from generate_series(1, {Monitors}) n) made;
        insert into monitor_states (monitor_id, health, since, recent, epoch) select id, 'Unknown', now(), '[]', 0 from monitors where name like 'Load %'
        """);

    /// <param name="Late">Checks that began more than a second after their time.</param>
    /// <param name="Missing">Times at which a monitor's next stored result is more than a second over its interval away.</param>
    sealed record Seen(double Seconds, double Checks, double Late, double Late99, double Missing, double Cpu, double Memory);

    static async Task<Seen> Window(PortalProcess portal, Task meanwhile)
    {
        var (before, cpu, began) = (await Lags(portal), Processes.Cpu(portal.Pid), DateTimeOffset.UtcNow);
        await meanwhile;
        var (after, ended, busy) = (await Lags(portal), DateTimeOffset.UtcNow, Processes.Cpu(portal.Pid) - cpu);
        var seconds = (ended - began).TotalSeconds;
        var lags = after.Select((l, i) => (l.Bound, Count: l.Count - before[i].Count)).ToList();
        var checks = lags[^1].Count;
        // Those of the last moments are on their way.
        var missing = long.MaxValue;
        for (var attempt = 0; attempt < 30 && missing > 0; attempt++, await Task.Delay(1_000)) missing = await Missing(portal, began, ended);
        return new Seen(seconds, checks, checks - lags.Single(l => l.Bound == 1).Count, lags.First(l => l.Count >= checks * 0.99).Bound, missing, busy.TotalSeconds / seconds, Processes.Memory(portal.Pid));
    }

    static Task<long> Missing(PortalProcess portal, DateTimeOffset began, DateTimeOffset ended) => Count(portal, $"""
            select count(*) from (
                select lead(at, 1, '{ended:O}') over (partition by monitor_id order by at) - at as wait from (
                    select id as monitor_id, '{began:O}'::timestamptz as at from monitors where name like 'Load %'
                    union all select c.monitor_id, c.at from check_results c join monitors m on m.id = c.monitor_id where m.name like 'Load %' and c.at >= '{began:O}' and c.at < '{ended:O}') seen) waits
            where wait > interval '{Interval + 1} seconds'
            """);

    /// <summary>Cumulative, by their upper bounds in seconds.</summary>
    static async Task<List<(double Bound, double Count)>> Lags(PortalProcess portal)
    {
        var text = "";
        await Wait.Until("the portal tells its figures", async () => (text = await portal.Http.GetStringAsync("/metrics")).Length > 0, 30);
        return [.. text.Split('\n').Where(l => l.StartsWith("portal_checks_lag_seconds_bucket", StringComparison.Ordinal)).Select(l =>
        {
            var bound = l.Split("le=\"")[1].Split('"')[0];
            return (bound == "+Inf" ? double.PositiveInfinity : double.Parse(bound, CultureInfo.InvariantCulture), double.Parse(l[(l.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
        })];
    }

    static async Task<long> Count(PortalProcess portal, string query) => long.Parse(await portal.Ask(query), CultureInfo.InvariantCulture);
}

/// <summary>Takes every connection and never says anything.</summary>
sealed class HangingServer : IDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly List<TcpClient> clients = [];

    public HangingServer()
    {
        listener.Start(1_000);
        _ = Take();
    }

    public string Url => $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/";

    async Task Take()
    {
        try
        {
            while (true) clients.Add(await listener.AcceptTcpClientAsync());
        }
        catch (SocketException) { }
    }

    public void Dispose()
    {
        listener.Dispose();
        clients.ForEach(c => c.Dispose());
    }
}
