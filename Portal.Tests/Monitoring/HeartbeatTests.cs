using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Monitoring;
using Portal.Features.Access;
using Portal.Tests.Support;

namespace Portal.Tests.Monitoring;

/// <summary>What a heartbeat says of a job, by the clock.</summary>
public class HeartbeatRulesTests
{
    static readonly DateTimeOffset Noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
    static readonly MonitorOptions Hourly = new MonitorOptions { PeriodSeconds = 3600, GraceSeconds = 300 }.For(MonitorKind.Heartbeat, StatusRanges.Parse("200"));

    static Heartbeat New(DateTimeOffset at) => new(default, [1], at);

    static (CheckOutcome, string?) Verdict(Heartbeat heartbeat, DateTimeOffset at, MonitorOptions? options = null) => heartbeat.Judge(options ?? Hourly, at) is var v ? (v.Outcome, v.Detail) : default;

    [Fact]
    public void Before_the_first_ping_nothing_is_known_and_a_late_one_is_down_until_the_next()
    {
        var heartbeat = New(Noon);
        Assert.Equal((CheckOutcome.NotConfigured, "No ping has arrived yet. Call its address at the end of the job."), Verdict(heartbeat, Noon.AddDays(3)));
        heartbeat.Hear(HeartbeatSignal.Ping, null, Noon);
        heartbeat.Hear(HeartbeatSignal.Ping, null, Noon);
        Assert.Equal((CheckOutcome.Up, null), Verdict(heartbeat, Noon.AddMinutes(65)));
        Assert.Equal((CheckOutcome.Down, "No ping since 22 Nov, 12:00:00 UTC; one was due at 22 Nov, 13:00:00 UTC."), Verdict(heartbeat, Noon.AddMinutes(65).AddSeconds(1)));
        heartbeat.Hear(HeartbeatSignal.Ping, null, Noon.AddHours(2));
        Assert.Equal((CheckOutcome.Up, null), Verdict(heartbeat, Noon.AddHours(2)));
    }

    [Fact]
    public void A_run_is_measured_and_one_that_does_not_end_is_down()
    {
        var heartbeat = New(Noon);
        heartbeat.Hear(HeartbeatSignal.Start, null, Noon);
        Assert.Equal((CheckOutcome.Up, null), Verdict(heartbeat, Noon.AddMinutes(5)));
        Assert.Equal((CheckOutcome.Down, "The run that began at 22 Nov, 12:00:00 UTC has not ended within 5 min."), Verdict(heartbeat, Noon.AddMinutes(6)));
        heartbeat.Hear(HeartbeatSignal.Ping, null, Noon.AddMinutes(7));
        heartbeat.Hear(HeartbeatSignal.Ping, null, Noon.AddMinutes(8));
        Assert.Equal(TimeSpan.FromMinutes(7), heartbeat.Judge(Hourly, Noon.AddMinutes(9)).Duration);
    }

    [Fact]
    public void A_job_that_begins_again_and_again_and_never_ends_is_down()
    {
        var heartbeat = New(Noon);
        for (var minutes = 0; minutes <= 6; minutes += 3) heartbeat.Hear(HeartbeatSignal.Start, null, Noon.AddMinutes(minutes));
        Assert.Equal((CheckOutcome.Down, "The run that began at 22 Nov, 12:00:00 UTC has not ended within 5 min."), Verdict(heartbeat, Noon.AddMinutes(7)));
        heartbeat.Hear(HeartbeatSignal.Ping, null, Noon.AddMinutes(8));
        Assert.Equal((CheckOutcome.Up, TimeSpan.FromMinutes(2)), (heartbeat.Judge(Hourly, Noon.AddMinutes(9)).Outcome, heartbeat.Judge(Hourly, Noon.AddMinutes(9)).Duration!.Value));
    }

    [Fact]
    public void A_reported_failure_is_down_until_the_job_succeeds()
    {
        var heartbeat = New(Noon);
        heartbeat.Hear(HeartbeatSignal.Fail, "disk full", Noon);
        Assert.Equal((CheckOutcome.Down, "The job reported a failure at 22 Nov, 12:00:00 UTC: disk full"), Verdict(heartbeat, Noon.AddMinutes(1)));
        heartbeat.Hear(HeartbeatSignal.Start, null, Noon.AddMinutes(2));
        Assert.Equal(CheckOutcome.Down, Verdict(heartbeat, Noon.AddMinutes(3)).Item1);
        heartbeat.Hear(HeartbeatSignal.Ping, null, Noon.AddMinutes(4));
        Assert.Equal((CheckOutcome.Up, null), Verdict(heartbeat, Noon.AddMinutes(5)));
    }

    [Fact]
    public void What_was_missed_before_a_pause_ended_is_not_held_against_it_but_silence_afterwards_is()
    {
        var heartbeat = New(Noon);
        heartbeat.Hear(HeartbeatSignal.Fail, null, Noon);
        heartbeat.JudgeFrom(Noon.AddDays(1));
        Assert.Equal((CheckOutcome.NotConfigured, "Waiting for the first ping since 23 Nov, 12:00:00 UTC."), Verdict(heartbeat, Noon.AddDays(1).AddMinutes(65)));
        Assert.Equal(CheckOutcome.Down, Verdict(heartbeat, Noon.AddDays(1).AddMinutes(66)).Item1);
    }

    [Fact]
    public void A_crontab_is_awaited_in_its_zone_over_both_changes_of_the_clocks()
    {
        static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
        var nightly = new MonitorOptions { Cron = "30 2 * * *", Zone = "Europe/Berlin", GraceSeconds = 600 }.For(MonitorKind.Heartbeat, StatusRanges.Parse("200"));
        // The night in which 02:30 does not exist: it is due as the clocks say 03:00.
        var spring = New(At("2026-03-27T00:00Z"));
        spring.Hear(HeartbeatSignal.Ping, null, At("2026-03-28T02:31+01:00"));
        Assert.Equal(CheckOutcome.Up, Verdict(spring, At("2026-03-29T03:10+02:00"), nightly).Item1);
        Assert.Equal(CheckOutcome.Down, Verdict(spring, At("2026-03-29T03:11+02:00"), nightly).Item1);
        // The night in which 02:30 comes twice: it is due once, at the first.
        var autumn = New(At("2026-10-23T00:00Z"));
        autumn.Hear(HeartbeatSignal.Ping, null, At("2026-10-25T02:31+02:00"));
        Assert.Equal(CheckOutcome.Up, Verdict(autumn, At("2026-10-25T02:59+01:00"), nightly).Item1);
        Assert.Equal(CheckOutcome.Up, Verdict(autumn, At("2026-10-26T02:40+01:00"), nightly).Item1);
        Assert.Equal(CheckOutcome.Down, Verdict(autumn, At("2026-10-26T02:41+01:00"), nightly).Item1);
    }

    [Fact]
    public void A_clock_that_was_set_back_breaks_nothing()
    {
        var heartbeat = New(Noon.AddHours(-2));
        heartbeat.Hear(HeartbeatSignal.Start, null, Noon);
        heartbeat.Hear(HeartbeatSignal.Ping, null, Noon.AddHours(-1));
        Assert.Equal((CheckOutcome.Up, TimeSpan.Zero), heartbeat.Judge(Hourly, Noon.AddHours(-1)) is var v ? (v.Outcome, v.Duration!.Value) : default);
    }
}

/// <summary>Through the whole portal: the address, the engine and what people see.</summary>
public sealed class HeartbeatApiTests(PortalHost host) : IClassFixture<PortalHost>
{
    async Task<HttpClient> Client() => host.Client((await host.Get<CreateApiKey>().Execute(new("Test", ["monitors:read", "monitors:write"]), Cast.Alice, default)).Secret);

    static async Task<JsonElement> Read(HttpResponseMessage response) => (await response.Content.ReadFromJsonAsync<JsonElement>())!;

    async Task<(string Id, Uri Address, JsonElement Answer)> New(HttpClient client, string name)
    {
        var created = await client.PostAsJsonAsync("/api/v1/monitors", new { name, kind = "heartbeat", periodSeconds = 3600, intervalSeconds = 10 });
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        var answer = await Read(created);
        return (answer.GetProperty("id").GetString()!, new Uri(host.Address, new Uri(answer.GetProperty("heartbeatUrl").GetString()!).AbsolutePath), answer);
    }

    static Task<JsonElement> Becomes(HttpClient client, string id, string state) => Soon.Reads(() => client.GetFromJsonAsync<JsonElement>($"/api/v1/monitors/{id}"), m => m.GetProperty("state").GetString() == state, state);

    [Fact]
    public async Task A_job_pings_fails_and_recovers_and_each_is_seen_at_once()
    {
        using var client = await Client();
        using var job = host.Client();
        var (id, address, answer) = await New(client, "Nightly import");
        Assert.Equal(("heartbeat:", 60, 3600, 1), (answer.GetProperty("target").GetString(), answer.GetProperty("graceSeconds").GetInt32(), answer.GetProperty("periodSeconds").GetInt32(), answer.GetProperty("failuresBeforeDown").GetInt32()));
        // Grace, one interval and the time-out.
        Assert.Equal(80, answer.GetProperty("detectsWithinSeconds").GetInt32());
        Assert.Equal(JsonValueKind.Null, (await client.GetFromJsonAsync<JsonElement>($"/api/v1/monitors/{id}")).GetProperty("heartbeatUrl").ValueKind);
        await Soon.Reads(() => client.GetFromJsonAsync<JsonElement>($"/api/v1/monitors/{id}"), m => m.GetProperty("detail").GetString()?.StartsWith("No ping has arrived", StringComparison.Ordinal) == true, "unknown with its reason");

        Assert.Equal(HttpStatusCode.OK, (await job.PostAsync(new Uri(address + "/start"), null)).StatusCode);
        Assert.Equal("OK\n", await job.GetStringAsync(address));
        await Becomes(client, id, "up");
        using (var head = new HttpRequestMessage(HttpMethod.Head, address)) Assert.Equal(HttpStatusCode.OK, (await job.SendAsync(head)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await job.PostAsync(new Uri(address + "/fail"), new StringContent("disk\u0007 full\n" + new string('x', 5_000)))).StatusCode);
        var down = await Becomes(client, id, "down");
        Assert.Contains(": disk full", down.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await job.PostAsync(address, null)).StatusCode);
        await Becomes(client, id, "up");
    }

    [Fact]
    public async Task An_answer_that_a_node_of_the_version_before_heard_ends_the_run()
    {
        using var client = await Client();
        using var job = host.Client();
        var (id, address, _) = await New(client, "Heard elsewhere");
        await job.PostAsync(new Uri(address + "/start"), null);
        var monitor = new MonitorId(Guid.Parse(id));
        await using var db = host.Database.Open();
        var began = (await db.Heartbeats.AsNoTracking().SingleAsync(h => h.MonitorId == monitor)).UnansweredSince!.Value;
        var options = new MonitorOptions { PeriodSeconds = 3600, GraceSeconds = 300 };
        Assert.Equal(CheckOutcome.Down, (await db.Heartbeats.AsNoTracking().SingleAsync(h => h.MonitorId == monitor)).Judge(options, began.AddMinutes(10)).Outcome);
        // Such a node knows nothing of the column and leaves it as it is.
        await db.Database.ExecuteSqlAsync($"update heartbeats set started_at = null, last_ping_at = {began.AddMinutes(1)} where monitor_id = {monitor.Value}");
        var heard = await db.Heartbeats.SingleAsync(h => h.MonitorId == monitor);
        Assert.Equal(CheckOutcome.Up, heard.Judge(options, began.AddMinutes(10)).Outcome);
        // The next run begins by its own beginning, not by the one that was answered.
        heard.Hear(HeartbeatSignal.Start, null, began.AddMinutes(20));
        Assert.Equal(CheckOutcome.Up, heard.Judge(options, began.AddMinutes(24)).Outcome);
        Assert.Equal(CheckOutcome.Down, heard.Judge(options, began.AddMinutes(26)).Outcome);
    }

    [Fact]
    public async Task A_paused_one_ignores_pings_and_a_new_address_ends_the_old_one()
    {
        using var client = await Client();
        using var job = host.Client();
        var (id, address, _) = await New(client, "Paused import");
        await client.PostAsync($"/api/v1/monitors/{id}/pause", null);
        Assert.Contains("paused", await job.GetStringAsync(address), StringComparison.Ordinal);
        await using (var db = host.Database.Open()) Assert.Null((await db.Heartbeats.AsNoTracking().ToListAsync()).Single(h => h.MonitorId.ToString() == id).LastPingAt);
        await client.PostAsync($"/api/v1/monitors/{id}/resume", null);
        var renewed = await Read(await client.PostAsync($"/api/v1/monitors/{id}/heartbeat-key", null));
        var now = new Uri(host.Address, new Uri(renewed.GetProperty("heartbeatUrl").GetString()!).AbsolutePath);
        Assert.NotEqual(address, now);
        Assert.Equal(HttpStatusCode.NotFound, (await job.GetAsync(address)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await job.GetAsync(now)).StatusCode);
        await Becomes(client, id, "up");
        Assert.Equal(HttpStatusCode.NotFound, (await job.GetAsync("/api/v1/heartbeats/guess")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await job.DeleteAsync(now)).StatusCode);
        var http = await Read(await client.PostAsJsonAsync("/api/v1/monitors", new { name = "Other", kind = "http", target = "https://shop.example/", paused = true }));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await client.PostAsync($"/api/v1/monitors/{http.GetProperty("id").GetString()}/heartbeat-key", null)).StatusCode);
    }

    [Fact]
    public async Task The_key_is_stored_hashed_and_stands_in_no_answer_twice_and_in_no_log()
    {
        using var client = await Client();
        var body = JsonContent.Create(new { name = "Once", kind = "heartbeat", cron = "30 3 * * *", zone = "Europe/Berlin" });
        using var first = new HttpRequestMessage(HttpMethod.Post, "/api/v1/monitors") { Content = body };
        first.Headers.Add("Idempotency-Key", "once");
        var key = new Uri((await Read(await client.SendAsync(first))).GetProperty("heartbeatUrl").GetString()!).Segments[^1];
        using var again = new HttpRequestMessage(HttpMethod.Post, "/api/v1/monitors") { Content = JsonContent.Create(new { name = "Once", kind = "heartbeat", cron = "30 3 * * *", zone = "Europe/Berlin" }) };
        again.Headers.Add("Idempotency-Key", "once");
        var repeated = await client.SendAsync(again);
        Assert.Equal(HttpStatusCode.Conflict, repeated.StatusCode);
        Assert.DoesNotContain(key, await repeated.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("/api/v1/heartbeats/[redacted]/fail", Portal.Hosting.SafePath.Of($"/api/v1/heartbeats/{key}/fail"));
        await using var db = host.Database.Open();
        var dump = string.Concat(await db.Database.SqlQueryRaw<string>("select (h::text || (select string_agg(a::text, '') from audit a) || (select coalesce(string_agg(i::text, ''), '') from idempotent_answers i)) as \"Value\" from heartbeats h").ToListAsync());
        Assert.Contains("Once", dump, StringComparison.Ordinal);
        Assert.DoesNotContain(key, dump, StringComparison.Ordinal);
    }
}
