using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Portal.Domain.Monitoring;
using Portal.Infrastructure.Monitoring;

namespace Portal.Tests.Monitoring;

public class HttpProbeTests
{
    static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    static Task<ProbeAnswer> Look(string target, bool allowPrivate = true, double seconds = 5, string expect = "200-399", GuardedConnector? connector = null, bool self = false) =>
        new HttpProbe(connector ?? new GuardedConnector(), TimeProvider.System)
            .Look(new ProbeRequest(default, new Uri(target), self, allowPrivate, TimeSpan.FromSeconds(seconds), StatusRanges.Parse(expect), MonitorOptions.None), default);

    /// <summary>Names lead where the test says; connections to public addresses end at the local server of the same port.</summary>
    static GuardedConnector Names(Dictionary<string, string[]> names, List<IPAddress>? connected = null) => new(
        (host, _) => Task.FromResult<IReadOnlyList<IPAddress>>(IPAddress.TryParse(host, out var literal) ? [literal]
            : names.TryGetValue(host, out var addresses) ? [.. addresses.Select(IPAddress.Parse)] : throw new SocketException((int)SocketError.HostNotFound)),
        (address, port, ct) =>
        {
            connected?.Add(address);
            return NameResolver.Open(IPAddress.Loopback, port, ct);
        });

    [Fact]
    public async Task A_good_answer_is_up_and_asked_for_politely()
    {
        await using var server = TargetServer.Status(200);
        var answer = await Look(server.Address);
        Assert.Equal((CheckOutcome.Up, 200, null), (answer.Outcome, answer.StatusCode, answer.Detail));
        Assert.True(answer.Duration > TimeSpan.Zero);
        var request = Assert.Single(server.Requests);
        Assert.Contains("User-Agent: Portal-Monitor/1.0", request, StringComparison.Ordinal);
        Assert.DoesNotContain("traceparent", request, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("Accept-Encoding", request, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Another_status_than_expected_is_down_and_named()
    {
        await using var server = TargetServer.Status(503);
        var answer = await Look(server.Address);
        Assert.Equal((CheckOutcome.Down, 503), (answer.Outcome, answer.StatusCode));
        Assert.Equal("Answered 503 (ServiceUnavailable); expected 200-399.", answer.Detail);
        Assert.Equal(CheckOutcome.Up, (await Look(server.Address, expect: "503")).Outcome);
    }

    [Fact]
    public async Task A_target_that_hangs_ends_at_the_time_out()
    {
        await using var server = new TargetServer((_, _, ct) => Task.Delay(Timeout.Infinite, ct));
        var began = Stopwatch.GetTimestamp();
        var answer = await Look(server.Address, seconds: 1);
        Assert.Equal((CheckOutcome.Down, "No answer within 1 s."), (answer.Outcome, answer.Detail));
        Assert.InRange(Stopwatch.GetElapsedTime(began).TotalSeconds, 0.9, 4);
    }

    [Fact]
    public async Task An_answer_byte_by_byte_ends_at_the_time_out_in_its_head_and_in_its_body()
    {
        await using var head = new TargetServer((s, _, ct) => Drip(s, "HTTP/1.1 200 OK\r\nX: " + new string('x', 200), ct));
        Assert.Equal("No answer within 1 s.", (await Look(head.Address, seconds: 1)).Detail);
        await using var body = new TargetServer(async (s, _, ct) =>
        {
            await TargetServer.Write(s, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", ct);
            await Drip(s, new string('x', 1000), ct);
        });
        var answer = await Look(body.Address, seconds: 1);
        Assert.Equal((CheckOutcome.Down, 200, "The answer was not complete within 1 s."), (answer.Outcome, answer.StatusCode, answer.Detail));
    }

    static async Task Drip(Stream stream, string text, CancellationToken ct)
    {
        foreach (var c in text)
        {
            await TargetServer.Write(stream, c.ToString(), ct);
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, ct);
        }
    }

    [Fact]
    public async Task Of_a_gigabyte_only_the_beginning_is_read()
    {
        TargetServer server = null!;
        server = new TargetServer(async (s, _, ct) =>
        {
            await TargetServer.Write(s, "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", ct);
            var block = new byte[64 * 1024];
            for (var i = 0; i < 16 * 1024; i++)
            {
                await s.WriteAsync(block, ct);
                Interlocked.Add(ref server.Sent, block.Length);
            }
        });
        await using var _ = server;
        Assert.Equal(CheckOutcome.Up, (await Look(server.Address)).Outcome);
        Assert.InRange(Interlocked.Read(ref server.Sent), 0, 64 * 1024 * 1024);
    }

    [Fact]
    public async Task Endless_headers_and_nonsense_are_down_and_never_an_exception()
    {
        await using var headers = TargetServer.Saying("HTTP/1.1 200 OK\r\n" + string.Concat(Enumerable.Range(0, 3000).Select(i => $"X-{i}: {new string('x', 60)}\r\n")) + "\r\n");
        Assert.Equal((CheckOutcome.Down, "The answer's head is larger than 64 KB."), await Verdict(headers));
        await using var nonsense = TargetServer.Saying("what?\r\n\r\n");
        Assert.Equal((CheckOutcome.Down, "The answer is not valid HTTP."), await Verdict(nonsense));
        await using var nothing = new TargetServer((_, _, _) => Task.CompletedTask);
        Assert.Equal((CheckOutcome.Down, "The connection ended before the answer was complete."), await Verdict(nothing));
        await using var cut = TargetServer.Saying("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        Assert.Equal((CheckOutcome.Down, "The connection ended before the answer was complete."), await Verdict(cut));
        await using var bomb = TargetServer.Saying("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope");
        Assert.Equal(CheckOutcome.Up, (await Verdict(bomb)).Outcome);
        var closed = Assert.IsType<IPEndPoint>(FreeEndPoint());
        var answer = await Look($"http://127.0.0.1:{closed.Port}/");
        Assert.Equal((CheckOutcome.Down, $"127.0.0.1:{closed.Port} refused the connection."), (answer.Outcome, answer.Detail));
    }

    static async Task<(CheckOutcome Outcome, string? Detail)> Verdict(TargetServer server)
    {
        var answer = await Look(server.Address);
        return (answer.Outcome, answer.Detail);
    }

    static EndPoint FreeEndPoint()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return listener.LocalEndpoint;
    }

    [Fact]
    public async Task Redirects_are_followed_up_to_five_and_a_loop_is_named()
    {
        await using var chain = new TargetServer((s, path, ct) => TargetServer.Write(s,
            path == "/5" ? "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" : $"HTTP/1.1 302 Found\r\nLocation: /{(path == "/" ? 1 : int.Parse(path[1..], System.Globalization.CultureInfo.InvariantCulture) + 1)}\r\nContent-Length: 0\r\n\r\n", ct));
        Assert.Equal(CheckOutcome.Up, (await Look(chain.Address)).Outcome);
        Assert.Equal("More than 5 redirects.", (await Look(chain.Address + "6")).Detail);
        await using var loop = new TargetServer((s, path, ct) => TargetServer.Write(s, $"HTTP/1.1 301 Moved\r\nLocation: {(path == "/a" ? "/b" : "/a")}\r\nContent-Length: 0\r\n\r\n", ct));
        Assert.Equal((CheckOutcome.Down, "Redirects in a loop."), await Verdict(loop));
        await using var odd = TargetServer.Status(302, "Location: ftp://example.com/\r\n");
        Assert.Equal("127.0.0.1 redirected to an address that is neither http nor https.", (await Look(odd.Address)).Detail);
        Assert.Equal((CheckOutcome.Up, 302), ((await Look(odd.Address, expect: "301-302")) is var seen ? (seen.Outcome, seen.StatusCode) : default));
    }

    [Fact]
    public async Task A_private_address_is_refused_without_consent_before_anything_is_sent()
    {
        await using var server = TargetServer.Status(200);
        var answer = await Look(server.Address, allowPrivate: false);
        Assert.Equal((CheckOutcome.Down, "127.0.0.1 leads to the loopback address 127.0.0.1, which is not allowed."), (answer.Outcome, answer.Detail));
        Assert.Equal(0, server.Connections);
        Assert.Equal(CheckOutcome.Up, (await Look(server.Address, allowPrivate: true)).Outcome);
    }

    [Fact]
    public async Task A_redirect_to_a_private_address_is_refused_even_with_consent_for_the_target()
    {
        await using var secret = TargetServer.Status(200);
        await using var server = TargetServer.Status(302, $"Location: http://127.0.0.1:{secret.Port}/\r\n");
        var answer = await Look(server.Address, allowPrivate: true);
        Assert.Equal("127.0.0.1 redirected to the loopback address 127.0.0.1, which is not allowed.", answer.Detail);
        Assert.Equal(0, secret.Connections);

        var names = Names(new() { ["shop.example"] = ["93.184.216.34"], ["inner.example"] = ["10.0.0.1"] });
        await using var outside = TargetServer.Status(302, $"Location: http://inner.example:{secret.Port}/\r\n");
        answer = await Look($"http://shop.example:{outside.Port}/", allowPrivate: false, connector: names);
        Assert.Equal("shop.example redirected to the private address 10.0.0.1 (inner.example), which is not allowed.", answer.Detail);
        Assert.Equal(0, secret.Connections);
    }

    [Fact]
    public async Task A_name_with_one_private_address_among_public_ones_is_refused()
    {
        await using var server = TargetServer.Status(200);
        var names = Names(new() { ["mixed.example"] = ["93.184.216.34", "192.168.0.5"], ["good.example"] = ["93.184.216.34"] });
        Assert.Equal(CheckOutcome.Up, (await Look($"http://good.example:{server.Port}/", allowPrivate: false, connector: names)).Outcome);
        var answer = await Look($"http://mixed.example:{server.Port}/", allowPrivate: false, connector: names);
        Assert.Equal("mixed.example leads to the private address 192.168.0.5, which is not allowed.", answer.Detail);
    }

    [Fact]
    public async Task A_name_that_changes_its_meaning_between_check_and_connection_gains_nothing()
    {
        await using var server = TargetServer.Status(200);
        var asked = 0;
        var connected = new List<IPAddress>();
        var rebinding = new GuardedConnector(
            (_, _) => Task.FromResult<IReadOnlyList<IPAddress>>([IPAddress.Parse(asked++ == 0 ? "93.184.216.34" : "10.0.0.1")]),
            (address, port, ct) => { connected.Add(address); return NameResolver.Open(IPAddress.Loopback, port, ct); });
        Assert.Equal(CheckOutcome.Up, (await Look($"http://rebind.example:{server.Port}/", allowPrivate: false, connector: rebinding)).Outcome);
        Assert.Equal(1, asked);
        Assert.Equal(IPAddress.Parse("93.184.216.34"), Assert.Single(connected));
        Assert.Equal("rebind.example leads to the private address 10.0.0.1, which is not allowed.", (await Look($"http://rebind.example:{server.Port}/", allowPrivate: false, connector: rebinding)).Detail);
        Assert.Single(connected);
    }

    [Theory]
    [InlineData("http://2130706433/")]
    [InlineData("http://0x7f.1/")]
    [InlineData("http://0177.0.0.1/")]
    [InlineData("http://[::ffff:127.0.0.1]/")]
    [InlineData("http://[::1]/")]
    [InlineData("http://0.0.0.0/")]
    public async Task Odd_ways_to_write_an_address_of_this_machine_are_refused(string target)
    {
        var answer = await Look(target, allowPrivate: false);
        Assert.Equal(CheckOutcome.Down, answer.Outcome);
        Assert.EndsWith("which is not allowed.", answer.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_second_address_is_tried_when_the_first_refuses()
    {
        await using var server = TargetServer.Status(200);
        var connector = new GuardedConnector(
            (_, _) => Task.FromResult<IReadOnlyList<IPAddress>>([IPAddress.Parse("2606:4700::1"), IPAddress.Parse("93.184.216.34")]),
            (address, port, ct) => address.AddressFamily == AddressFamily.InterNetworkV6 ? throw new SocketException((int)SocketError.NetworkUnreachable) : NameResolver.Open(IPAddress.Loopback, port, ct));
        Assert.Equal(CheckOutcome.Up, (await Look($"http://two.example:{server.Port}/", allowPrivate: false, connector: connector)).Outcome);
    }

    [Fact]
    public async Task A_name_that_nobody_knows_is_named() =>
        Assert.Equal("The name nobody.example could not be resolved.", (await Look("http://nobody.example/", connector: Names([]))).Detail);

    [Fact]
    public async Task Bad_certificates_are_described_in_words()
    {
        using var expired = TargetServer.Certificate(Now.AddDays(-30), Now.AddDays(-2));
        await using (var server = new TargetServer((s, _, ct) => TargetServer.Write(s, "HTTP/1.1 200 OK\r\n\r\n", ct), expired))
            Assert.Equal($"The certificate expired on {expired.NotAfter.ToUniversalTime().ToString("d MMM yyyy, HH:mm", System.Globalization.CultureInfo.InvariantCulture)} UTC.", (await Look(server.Address)).Detail);
        using var self = TargetServer.Certificate(Now.AddDays(-1), Now.AddDays(1));
        await using (var server = new TargetServer((s, _, ct) => TargetServer.Write(s, "HTTP/1.1 200 OK\r\n\r\n", ct), self))
            Assert.Equal((CheckOutcome.Down, "The certificate is self-signed and not trusted."), await Verdict(server));
        using var other = TargetServer.Certificate(Now.AddDays(-1), Now.AddDays(1), "other.example");
        await using (var server = new TargetServer((s, _, ct) => TargetServer.Write(s, "HTTP/1.1 200 OK\r\n\r\n", ct), other))
            Assert.Equal("The certificate is for another name than 127.0.0.1.", (await Look(server.Address)).Detail);
        await using var plain = TargetServer.Status(200);
        Assert.Equal("The TLS handshake failed.", (await Look(plain.Address.Replace("http:", "https:", StringComparison.Ordinal))).Detail);
    }

    [Fact]
    public async Task A_part_that_is_not_configured_is_neither_good_nor_bad()
    {
        await using var server = TargetServer.Saying("HTTP/1.1 204 No Content\r\nX-Part-Note: No mail server is set up.\r\n\r\n");
        var part = await Look(server.Address, allowPrivate: false, self: true);
        Assert.Equal((CheckOutcome.NotConfigured, "No mail server is set up."), (part.Outcome, part.Detail));
        Assert.Equal(CheckOutcome.Up, (await Look(server.Address)).Outcome);
    }

    [Fact]
    public async Task A_thousand_checks_at_once_of_targets_that_hang_all_end_in_time()
    {
        await using var server = new TargetServer((_, _, ct) => Task.Delay(Timeout.Infinite, ct));
        var began = Stopwatch.GetTimestamp();
        var answers = await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => Look(server.Address, seconds: 3)));
        Assert.All(answers, a => Assert.Equal(CheckOutcome.Down, a.Outcome));
        Assert.InRange(Stopwatch.GetElapsedTime(began).TotalSeconds, 2.9, 20);
    }

    [Fact]
    public async Task Stopping_the_portal_is_no_verdict()
    {
        await using var server = new TargetServer((_, _, ct) => Task.Delay(Timeout.Infinite, ct));
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new HttpProbe(new GuardedConnector(), TimeProvider.System)
            .Look(new ProbeRequest(default, new Uri(server.Address), false, true, TimeSpan.FromSeconds(30), StatusRanges.Parse("200"), MonitorOptions.None), stop.Token));
    }
}
