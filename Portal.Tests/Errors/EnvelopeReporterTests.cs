using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Portal.Infrastructure.Sentry;
using Portal.Tests.Support;

namespace Portal.Tests.Errors;

public class EnvelopeReporterTests
{
    static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    readonly LogLines log = new();

    static ErrorReport Report(string message = "It broke") => new() { At = Now, Origin = "background", TraceId = new string('a', 32), Message = message };

    async Task<EnvelopeReporter> Start(string dsn, TimeProvider clock)
    {
        Assert.True(SentryDsn.TryRead(dsn, out var parsed));
        var reporter = new EnvelopeReporter(parsed, new ReportedProgram("portal@1.2.3", "staging", "node-a"), clock, log.CreateLogger<EnvelopeReporter>());
        await reporter.StartAsync(default);
        return reporter;
    }

    [Fact]
    public async Task An_envelope_is_exactly_what_the_protocol_says()
    {
        await using var server = await ErrorServer.Start();
        using var reporter = await Start(server.Dsn, new FakeClock(Now));
        reporter.Report(new ErrorReport
        {
            At = Now,
            Exception = new InvalidOperationException("Outer ä", new FormatException("Inner")),
            Message = "{Method} {Path} failed",
            Logger = "Portal.Api.Refusals",
            Endpoint = "/api/v1/incidents/{id}",
            Method = "PATCH",
            Origin = "request",
            TraceId = "0123456789abcdef0123456789abcdef",
            RequestId = "0HN:1",
            User = "0198c0de00007000800000000000000a",
            Milliseconds = 12.4,
            LeftOut = 3,
            Breadcrumbs = [new(Now.AddSeconds(-1), "info", "Portal.Requests", "{Method} {Path} {Status} in {Milliseconds} ms", [new("Status", 200)])],
        });
        await Soon.Comes(() => server.All.Count == 1, "the envelope arrived");
        var got = server.All[0];
        Assert.Equal("/api/7/envelope/", got.Path);
        Assert.Contains("Content-Type: application/x-sentry-envelope", got.Headers, StringComparison.Ordinal);
        Assert.Contains("X-Sentry-Auth: Sentry sentry_version=7, sentry_client=portal.envelope/1.0, sentry_key=abc123", got.Headers, StringComparison.Ordinal);
        var lines = got.Body.Split('\n');
        var id = Regex.Match(lines[0], "^\\{\"event_id\":\"([0-9a-f]{32})\"").Groups[1].Value;
        Assert.Equal(4, lines.Length);
        Assert.Equal("", lines[3]);
        Assert.Equal($$"""{"event_id":"{{id}}","sent_at":"2026-03-02T09:00:00.000Z"}""", lines[0]);
        Assert.Equal($$"""{"type":"event","length":{{Encoding.UTF8.GetByteCount(lines[2])}},"content_type":"application/json"}""", lines[1]);
        var system = Regex.Replace(lines[2], "\"runtime\":.*?\\},\"os\":.*?\\}\\},", "\"runtime\":{},\"os\":{}},");
        Assert.Equal("{" + string.Join(',',
            $"\"event_id\":\"{id}\"", "\"timestamp\":\"2026-03-02T09:00:00.000Z\"", "\"platform\":\"csharp\"", "\"level\":\"error\"", "\"logger\":\"Portal.Api.Refusals\"",
            "\"transaction\":\"PATCH /api/v1/incidents/{id}\"", "\"server_name\":\"node-a\"", "\"release\":\"portal@1.2.3\"", "\"environment\":\"staging\"", "\"logentry\":{\"formatted\":\"{Method} {Path} failed\"}",
            "\"exception\":{\"values\":[{\"type\":\"FormatException\",\"module\":\"System\",\"value\":\"Inner\",\"mechanism\":{\"type\":\"generic\",\"handled\":true}}",
            "{\"type\":\"InvalidOperationException\",\"module\":\"System\",\"value\":\"Outer ä\",\"mechanism\":{\"type\":\"generic\",\"handled\":true}}]}",
            "\"tags\":{\"origin\":\"request\",\"endpoint\":\"/api/v1/incidents/{id}\",\"method\":\"PATCH\",\"request_id\":\"0HN:1\",\"response_time_ms\":\"12\"}",
            "\"user\":{\"id\":\"" + system.Split("\"user\":{\"id\":\"")[1][..16] + "\"}", "\"request\":{\"method\":\"PATCH\",\"url\":\"/api/v1/incidents/{id}\"}",
            "\"contexts\":{\"trace\":{\"trace_id\":\"0123456789abcdef0123456789abcdef\",\"span_id\":\"0123456789abcdef\"}", "\"runtime\":{}", "\"os\":{}}", "\"extra\":{\"left_out\":3}",
            "\"breadcrumbs\":{\"values\":[{\"timestamp\":\"2026-03-02T08:59:59.000Z\",\"level\":\"info\",\"category\":\"Portal.Requests\",\"message\":\"{Method} {Path} {Status} in {Milliseconds} ms\",\"data\":{\"Status\":\"200\"}}]}",
            "\"sdk\":{\"name\":\"portal.envelope\",\"version\":\"1.0\"}") + "}", system);
        Assert.DoesNotContain("c0de", got.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stack_is_told_with_the_names_that_were_written_and_no_place_on_a_machine()
    {
        await using var server = await ErrorServer.Start();
        using var reporter = await Start(server.Dsn, TimeProvider.System);
        try { await Failing(); }
        catch (InvalidOperationException e) { reporter.Report(Report() with { Exception = e }); }
        await Soon.Comes(() => server.All.Count == 1, "the envelope arrived");
        var frames = server.All[0].Event.GetProperty("exception").GetProperty("values")[0].GetProperty("stacktrace").GetProperty("frames").EnumerateArray().ToList();
        var last = frames[^1];
        Assert.Equal(("Portal.Tests.Errors.EnvelopeReporterTests", nameof(Failing), "Portal.Tests/Errors/EnvelopeReporterTests.cs", true),
            (last.GetProperty("module").GetString(), last.GetProperty("function").GetString(), last.GetProperty("filename").GetString(), last.GetProperty("in_app").GetBoolean()));
        Assert.True(last.GetProperty("lineno").GetInt32() > 1);
        Assert.All(frames, f => Assert.False(f.TryGetProperty("filename", out var file) && file.GetString()!.StartsWith('/')));
    }

    static async Task Failing()
    {
        await Task.Yield();
        throw new InvalidOperationException("x");
    }

    [Theory]
    [InlineData("Retry-After", "120", 429)]
    [InlineData("X-Sentry-Rate-Limits", "120:error;transaction:organization, 5:session:key", 429)]
    [InlineData("X-Sentry-Rate-Limits", "120::key", 200)]
    public async Task A_server_that_asks_for_a_pause_gets_it_and_what_fails_meanwhile_is_counted(string header, string value, int status)
    {
        var clock = new FakeClock(Now);
        await using var server = await ErrorServer.Start();
        server.Answer = http =>
        {
            (http.Response.StatusCode, http.Response.Headers[header]) = (status, value);
            return Task.CompletedTask;
        };
        using var reporter = await Start(server.Dsn, clock);
        var first = status == 200 ? 0 : 1;
        reporter.Report(Report());
        await Soon.Comes(() => reporter.Figures is var f && f.Sent + f.Dropped == 1, "the first is answered");
        server.Answer = _ => Task.CompletedTask;
        for (var i = 0; i < 5; i++) reporter.Report(Report());
        await Soon.Comes(() => reporter.Figures.Dropped == first + 5, "they are counted");
        Assert.Single(server.All);
        clock.FastForward(TimeSpan.FromSeconds(121));
        reporter.Report(Report("After the pause"));
        await Soon.Comes(() => server.All.Count == 2, "the next one arrives after the pause");
        Assert.Contains("After the pause", server.All[1].Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_limit_for_something_else_is_no_pause()
    {
        await using var server = await ErrorServer.Start();
        server.Answer = http =>
        {
            http.Response.Headers["X-Sentry-Rate-Limits"] = "120:transaction;session:organization";
            return Task.CompletedTask;
        };
        using var reporter = await Start(server.Dsn, TimeProvider.System);
        for (var i = 0; i < 3; i++) reporter.Report(Report());
        await Soon.Comes(() => server.All.Count == 3, "all arrive");
    }

    [Fact]
    public async Task While_the_server_is_away_a_bounded_number_waits_and_goes_out_once_it_is_back()
    {
        var port = PortalProcess.FreePort();
        using var reporter = await Start($"http://abc@127.0.0.1:{port}/1", TimeProvider.System);
        for (var i = 0; i < 20_000; i++) reporter.Report(Report() with { Breadcrumbs = [new(Now, "info", "x", new string('x', 400), [])] });
        await Soon.Comes(() => reporter.Figures is { AwayFor: not null, Dropped: > 15_000 }, "the rest is counted");
        Assert.InRange(reporter.Figures.Waiting, 1, 2 * EnvelopeReporter.MostWaiting);
        await using var server = await ErrorServer.Start(port);
        await Soon.Comes(() => reporter.Figures is { AwayFor: null, Waiting: 0, Sent: >= EnvelopeReporter.MostWaiting / 2 }, "what waited is sent");
        Assert.Single(log.With("cannot be reached"));
        Assert.Single(log.With("is reached again"));
    }

    [Fact]
    public async Task A_report_that_the_server_fails_on_is_given_up_after_some_tries_and_the_next_one_goes_out()
    {
        var clock = new FakeClock(Now);
        await using var server = await ErrorServer.Start();
        server.Answer = http =>
        {
            if (((ErrorServer.Received)http.Items[typeof(ErrorServer.Received)]!).Body.Contains("Poison", StringComparison.Ordinal)) http.Response.StatusCode = StatusCodes.Status500InternalServerError;
            return Task.CompletedTask;
        };
        using var reporter = await Start(server.Dsn, clock);
        reporter.Report(Report("Poison"));
        reporter.Report(Report("Good"));
        await Soon.Comes(() =>
        {
            clock.FastForward(TimeSpan.FromSeconds(1));
            return reporter.Figures is { Sent: 1, Dropped: 1, AwayFor: null };
        }, "the next one sent");
        Assert.Equal(6, server.All.Count);
    }

    [Theory]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public async Task A_proxy_before_a_server_that_is_away_costs_no_report_however_long_it_takes(int status)
    {
        var clock = new FakeClock(Now);
        await using var server = await ErrorServer.Start();
        server.Answer = http =>
        {
            if (server.All.Count <= 12) http.Response.StatusCode = status;
            return Task.CompletedTask;
        };
        using var reporter = await Start(server.Dsn, clock);
        reporter.Report(Report());
        await Soon.Comes(() =>
        {
            clock.FastForward(TimeSpan.FromSeconds(5));
            return reporter.Figures is { Sent: 1, AwayFor: null };
        }, "it arrives in the end");
        Assert.Equal((13, 0L), (server.All.Count, reporter.Figures.Dropped));
    }

    [Fact]
    public async Task Refused_reports_are_not_repeated()
    {
        await using var server = await ErrorServer.Start();
        server.Answer = http =>
        {
            http.Response.StatusCode = StatusCodes.Status403Forbidden;
            return Task.CompletedTask;
        };
        using var reporter = await Start(server.Dsn, TimeProvider.System);
        reporter.Report(Report());
        await Soon.Comes(() => reporter.Figures.Dropped == 1, "it is counted");
        Assert.Single(server.All);
        Assert.DoesNotContain(log.All, l => l.Text.Contains("abc123", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_stop_sends_what_waits_and_a_hung_server_holds_it_up_for_two_seconds_at_most()
    {
        await using var server = await ErrorServer.Start();
        using (var reporter = await Start(server.Dsn, TimeProvider.System))
        {
            for (var i = 0; i < 20; i++) reporter.Report(Report(i.ToString(CultureInfo.InvariantCulture)));
            await reporter.StopAsync(default);
            Assert.Equal(20, server.All.Count);
        }
        var never = new TaskCompletionSource();
        server.Answer = _ => never.Task;
        using (var reporter = await Start(server.Dsn, TimeProvider.System))
        {
            reporter.Report(Report());
            await Soon.Comes(() => server.All.Count == 21, "it is on its way");
            var began = TimeProvider.System.GetTimestamp();
            await reporter.StopAsync(default);
            Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(6));
        }
        never.SetResult();
    }

    [Fact]
    public async Task Last_words_are_sent_before_the_call_returns()
    {
        await using var server = await ErrorServer.Start();
        using var reporter = await Start(server.Dsn, TimeProvider.System);
        reporter.ReportLast(Report("The end") with { IsFatal = true });
        Assert.Contains("\"level\":\"fatal\"", server.All.Single().Body, StringComparison.Ordinal);
    }
}
