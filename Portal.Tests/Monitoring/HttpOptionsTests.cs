using System.Net;
using Portal.Domain.Monitoring;
using Portal.Infrastructure.Monitoring;
using Portal.Tests.Support;

namespace Portal.Tests.Monitoring;

/// <summary>What an HTTP monitor may ask, and what it may expect.</summary>
public class HttpOptionsTests
{
    static readonly TimeProvider Clock = TimeProvider.System;
    static readonly HttpProbe Probe = new(new GuardedConnector(), Clock);

    static async Task<(CheckOutcome, string?)> Look(string target, MonitorOptions options, string expect = "200-399", IReadOnlyDictionary<string, string>? secrets = null, HttpProbe? probe = null) =>
        (await (probe ?? Probe).Look(ProbeRequests.For(MonitorKind.Http, target, options, expect: expect, secrets: secrets), default)).Verdict();

    static TargetServer Answering(string body, string head = "") => TargetServer.Saying($"HTTP/1.1 200 OK\r\n{head}Content-Length: {body.Length}\r\n\r\n{body}");

    [Fact]
    public async Task Method_headers_and_body_are_sent()
    {
        await using var server = TargetServer.Status(201);
        var secrets = new Dictionary<string, string> { ["Authorization"] = "Bearer s3cret", ["content-type"] = "application/x-ndjson", ["User-Agent"] = "Own/2" };
        Assert.Equal((CheckOutcome.Up, null), await Look(server.Address, new() { Method = "post", Body = """{"a":1}""" }, secrets: secrets));
        var request = Assert.Single(server.Requests);
        Assert.StartsWith("POST / HTTP/1.1", request, StringComparison.Ordinal);
        foreach (var line in new[] { "Authorization: Bearer s3cret", "Content-Type: application/x-ndjson", "Content-Length: 7", "User-Agent: Own/2" }) Assert.Contains($"{line}\r\n", request, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("Portal-Monitor", request, StringComparison.Ordinal);
        Assert.Equal(CheckOutcome.Up, (await Look(server.Address, new() { Method = "HEAD" })).Item1);
        Assert.StartsWith("HEAD / ", server.Requests[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_secret_with_an_accent_is_sent_and_an_answer_in_an_odd_character_set_is_read()
    {
        await using var server = TargetServer.Saying("HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-7\r\nContent-Length: 2\r\n\r\nok");
        Assert.Equal((CheckOutcome.Up, null), await Look(server.Address, new() { ExpectText = "ok" }, secrets: new Dictionary<string, string> { ["X-Key"] = "schl\u00fcssel" }));
        Assert.Contains("X-Key: schl\u00fcssel\r\n", Assert.Single(server.Requests), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Neither_headers_nor_body_go_where_a_redirect_leads()
    {
        await using var elsewhere = TargetServer.Status(200);
        await using var moved = TargetServer.Saying($"HTTP/1.1 302 X\r\nLocation: {elsewhere.Address}\r\nContent-Length: 0\r\n\r\n");
        var secrets = new Dictionary<string, string> { ["X-Key"] = "s3cret" };
        // Another port is another place: consent and secrets are for the monitor's own.
        Assert.Equal((CheckOutcome.Down, $"127.0.0.1 redirected to the loopback address 127.0.0.1, which is not allowed."), await Look(moved.Address, new(), secrets: secrets));
        Assert.Contains("X-Key: s3cret", moved.Requests[0], StringComparison.Ordinal);
        Assert.Empty(elsewhere.Requests);

        // Both names are public here, and both end at this machine.
        var names = new GuardedConnector((_, _) => Task.FromResult<IReadOnlyList<IPAddress>>([IPAddress.Parse("93.184.216.34")]), (_, port, ct) => NameResolver.Open(IPAddress.Loopback, port, ct));
        await using var named = TargetServer.Saying($"HTTP/1.1 302 X\r\nLocation: http://other.example:{elsewhere.Port}/\r\nContent-Length: 0\r\n\r\n");
        Assert.Equal((CheckOutcome.Up, null), await Look($"http://own.example:{named.Port}/", new() { Method = "POST", Body = "s3cret" }, secrets: secrets, probe: new(names, Clock)));
        Assert.StartsWith("GET / ", Assert.Single(elsewhere.Requests), StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", elsewhere.Requests[0], StringComparison.Ordinal);
        await using var kept = TargetServer.Saying($"HTTP/1.1 307 X\r\nLocation: http://other.example:{elsewhere.Port}/\r\nContent-Length: 0\r\n\r\n");
        Assert.Equal((CheckOutcome.Down, "own.example redirected the POST to other.example; its body is sent to no other place."), await Look($"http://own.example:{kept.Port}/", new() { Method = "POST", Body = "s3cret" }, probe: new(names, Clock)));
        Assert.Single(elsewhere.Requests);
    }

    [Fact]
    public async Task A_redirect_that_is_not_to_be_followed_is_the_answer()
    {
        await using var moved = TargetServer.Saying("HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 4\r\n\r\nmoved"[..^1]);
        Assert.Equal((CheckOutcome.Up, null), await Look(moved.Address, new() { FollowRedirects = false, ExpectText = "move" }));
        Assert.Equal((CheckOutcome.Down, "Answered 302 (Found); expected 200-299,401."), await Look(moved.Address, new() { FollowRedirects = false }, expect: "200-299,401"));
        Assert.Equal(CheckOutcome.Down, (await Look(moved.Address, new())).Item1);
    }

    [Theory]
    [InlineData("all good", "good", null, null, null)]
    [InlineData("all bad", "good", null, null, "The answer does not contain \"good\".")]
    [InlineData("all bad", null, "bad", null, "The answer contains \"bad\".")]
    [InlineData("v1.2.3", null, null, @"^v\d+(\.\d+){2}$", null)]
    [InlineData("v1.2", null, null, @"^v\d+(\.\d+){2}$", @"The answer does not match ^v\d+(\.\d+){2}$.")]
    public async Task The_text_decides(string body, string? wanted, string? unwanted, string? pattern, string? why)
    {
        await using var server = Answering(body);
        Assert.Equal((why is null ? CheckOutcome.Up : CheckOutcome.Down, why), await Look(server.Address, new() { ExpectText = wanted, RejectText = unwanted, ExpectPattern = pattern }));
    }

    [Theory]
    [InlineData("""{"status":"ok","checks":[{"ok":true},{"ok":false}]}""", "$.status", "ok", null)]
    [InlineData("""{"status":"ok","checks":[{"ok":true},{"ok":false}]}""", "$.checks[1].ok", "true", "$.checks[1].ok is \"false\"; expected \"true\".")]
    [InlineData("""{"status":"ok"}""", "$.state", null, "$.state leads to nothing in the answer.")]
    [InlineData("""{"status":""", "$.state", null, "The answer is not valid JSON.")]
    [InlineData("<html>", "$", null, "The answer is not valid JSON.")]
    public async Task A_place_in_json_decides(string body, string path, string? value, string? why)
    {
        await using var server = Answering(body);
        Assert.Equal((why is null ? CheckOutcome.Up : CheckOutcome.Down, why), await Look(server.Address, new() { ExpectJsonPath = path, ExpectJsonValue = value }));
    }

    [Fact]
    public async Task What_lies_beyond_64_kilobytes_is_not_read_and_that_is_said()
    {
        await using var server = Answering(new string('a', 70_000) + "needle");
        Assert.Equal((CheckOutcome.Down, "The first 64 KB of the answer do not contain \"needle\"."), await Look(server.Address, new() { ExpectText = "needle" }));
        Assert.Equal((CheckOutcome.Down, "The answer is longer than 64 KB, so it cannot be read as JSON."), await Look(server.Address, new() { ExpectJsonPath = "$" }));
        Assert.Equal((CheckOutcome.Up, null), await Look(server.Address, new() { ExpectText = "aaa" }));
    }

    [Fact]
    public async Task A_pattern_on_which_others_would_run_for_ever_takes_no_time_and_deep_json_is_no_fault()
    {
        await using var bait = Answering(new string('a', 60_000) + "!");
        var answer = await Probe.Look(ProbeRequests.For(MonitorKind.Http, bait.Address, new() { ExpectPattern = "^(a+)+$" }), default);
        Assert.Equal((CheckOutcome.Down, "The answer does not match ^(a+)+$."), answer.Verdict());
        await using var deep = Answering(new string('[', 60_000));
        Assert.Equal((CheckOutcome.Down, "The answer is not valid JSON."), await Look(deep.Address, new() { ExpectJsonPath = "$" }));
    }

    [Theory]
    [InlineData("^(?!.*error)")]
    [InlineData(@"(a)\1")]
    [InlineData("(a{1000}){1000}")]
    public void A_pattern_that_can_take_for_ever_is_refused_when_it_is_saved(string pattern)
    {
        var refusal = Assert.Throws<Portal.Domain.Shared.DomainException>(() => new MonitorOptions { ExpectPattern = pattern }.For(MonitorKind.Http, StatusRanges.Parse("200")));
        Assert.Equal("expectPattern", refusal.Field);
        Assert.Contains("for ever", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("all good", null)]
    [InlineData("an error", "The answer does not match ^(?!.*error).")]
    public async Task A_pattern_that_was_saved_before_such_were_refused_decides_as_it_did(string body, string? why)
    {
        await using var server = Answering(body);
        var request = ProbeRequests.For(MonitorKind.Http, server.Address, new()) with { Options = new() { ExpectPattern = "^(?!.*error)" } };
        Assert.Equal((why is null ? CheckOutcome.Up : CheckOutcome.Down, why), (await Probe.Look(request, default)).Verdict());
    }

    [Fact]
    public async Task Other_character_sets_are_read_and_unknown_ones_do_no_harm()
    {
        await using var latin = Answering("caf\u00e9", "Content-Type: text/plain; charset=iso-8859-1\r\n");
        Assert.Equal((CheckOutcome.Up, null), await Look(latin.Address, new() { ExpectText = "café" }));
        await using var strange = Answering("plain", "Content-Type: text/plain; charset=\"no-such\"\r\n");
        Assert.Equal((CheckOutcome.Up, null), await Look(strange.Address, new() { ExpectText = "plain" }));
    }

    [Fact]
    public async Task A_certificate_that_ends_soon_counts_only_where_days_are_wanted()
    {
        var now = Clock.GetUtcNow();
        using var certificate = TargetServer.Certificate(now.AddDays(-1), now.AddDays(10).AddHours(1));
        await using var server = new TargetServer((stream, _, ct) => TargetServer.Write(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ct), certificate);
        var trusting = new HttpProbe(new GuardedConnector(), Clock) { Roots = [certificate] };
        Assert.Equal((CheckOutcome.Up, null), await Look(server.Address, new(), probe: trusting));
        Assert.Equal((CheckOutcome.Up, null), await Look(server.Address, new() { ExpectCertificateDays = 10 }, probe: trusting));
        var (outcome, why) = await Look(server.Address, new() { ExpectCertificateDays = 11 }, probe: trusting);
        Assert.Equal(CheckOutcome.Down, outcome);
        Assert.Contains("in 10 days; at least 11 are wanted.", why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_hangs_up_is_asked_once()
    {
        await using var server = new TargetServer((_, _, _) => Task.CompletedTask);
        Assert.Equal((CheckOutcome.Down, "The connection ended before the answer was complete."), await Look(server.Address, new() { Method = "POST", Body = "order" }));
        Assert.Equal(1, server.Connections);
        Assert.Equal((CheckOutcome.Down, "The connection ended before the answer was complete."), await Look(server.Address, new()));
        Assert.Equal(2, server.Connections);
    }
}
