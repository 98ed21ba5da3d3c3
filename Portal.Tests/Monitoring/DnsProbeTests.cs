using System.Net;
using System.Net.Sockets;
using Portal.Domain.Monitoring;
using Portal.Infrastructure.Monitoring;
using Portal.Tests.Support;
using static Portal.Tests.Monitoring.NameServer;

namespace Portal.Tests.Monitoring;

public class DnsProbeTests
{
    static readonly TimeProvider Clock = TimeProvider.System;

    static async Task<(CheckOutcome, string?)> Look(NameServer server, string type = "A", string? expected = null, bool allowPrivate = true, double seconds = 5, GuardedConnector? connector = null, string? resolver = null) =>
        (await new DnsProbe(connector ?? new GuardedConnector(), Clock).Look(
            ProbeRequests.For(MonitorKind.Dns, "shop.example", new() { RecordType = type, ExpectValue = expected, Resolver = resolver ?? server.Address }, allowPrivate, seconds), default)).Verdict();

    static readonly Dictionary<string, (int, byte[])[]> Zone = new()
    {
        ["A"] = [(5, Name("front.example")), (1, [192, 0, 2, 1]), (1, [192, 0, 2, 2])],
        ["AAAA"] = [(28, IPAddress.Parse("2001:db8::1").GetAddressBytes())],
        ["CNAME"] = [(5, Name("front.example"))],
        ["MX"] = [(15, [0, 10, .. Name("mail.example")])],
        ["NS"] = [(2, Name("ns1.example")), (2, Name("ns2.example"))],
        ["TXT"] = [(16, [6, .. "v=spf1"u8, 5, .. " -all"u8])],
    };

    [Theory]
    [InlineData("A", "192.0.2.2\n192.0.2.1", null)]
    [InlineData("A", "192.0.2.9", "shop.example has the A records 192.0.2.1, 192.0.2.2; expected 192.0.2.9.")]
    [InlineData("AAAA", "2001:DB8:0::1", null)]
    [InlineData("CNAME", "FRONT.example.", null)]
    [InlineData("MX", "10 mail.example", null)]
    [InlineData("MX", "mail.example.", null)]
    [InlineData("MX", "20 mail.example", "shop.example has the MX record 10 mail.example; expected 20 mail.example.")]
    [InlineData("NS", "ns2.example", null)]
    [InlineData("TXT", "v=spf1 -all", null)]
    [InlineData("TXT", null, null)]
    public async Task Records_are_read_and_compared(string type, string? expected, string? why)
    {
        await using var server = new NameServer((question, _) => [Reply(question, 0, false, Zone[type])]);
        Assert.Equal((why is null ? CheckOutcome.Up : CheckOutcome.Down, why), await Look(server, type, expected));
    }

    [Theory]
    [InlineData(3, "The name shop.example does not exist.")]
    [InlineData(2, "The name server failed (SERVFAIL).")]
    [InlineData(5, "The name server refused the question.")]
    [InlineData(0, "shop.example has no A record.")]
    public async Task What_the_server_says_instead_is_told(int code, string why)
    {
        await using var server = new NameServer((question, _) => [Reply(question, code)]);
        Assert.Equal((CheckOutcome.Down, why), await Look(server));
    }

    [Fact]
    public async Task An_answer_that_is_cut_is_fetched_whole_over_tcp()
    {
        await using var server = new NameServer((question, overTcp) => [overTcp ? Reply(question, 0, false, [.. Enumerable.Range(1, 100).Select(i => (1, new byte[] { 192, 0, 2, (byte)i }))]) : Reply(question, cut: true)]);
        Assert.Equal((CheckOutcome.Up, null), await Look(server, expected: "192.0.2.100"));
        Assert.Equal((1, 1), (server.Questions, server.Connections));
    }

    [Fact]
    public async Task A_lost_datagram_is_asked_again_and_foreign_answers_are_not_believed()
    {
        var asked = 0;
        await using var losing = new NameServer((question, _) => Interlocked.Increment(ref asked) == 1 ? [] : [Reply(question, 0, false, Zone["A"])]);
        Assert.Equal((CheckOutcome.Up, null), await Look(losing, seconds: 30));
        Assert.Equal(2, losing.Questions);

        byte[] forged(byte[] question, int at) { var other = Reply(question, 0, false, (1, [6, 6, 6, 6])); other[at] ^= 1; return other; }
        await using var shouting = new NameServer((question, _) => [forged(question, 0), forged(question, 14), question, [], Reply(question, 0, false, Zone["A"])]);
        Assert.Equal((CheckOutcome.Up, null), await Look(shouting, expected: "192.0.2.1"));
    }

    [Fact]
    public async Task Hostile_answers_are_down_in_words()
    {
        // A name that points at itself, a record that ends beyond the message, an address of three bytes, a text beyond its record.
        foreach (var broken in new Func<byte[], byte[]>[]
        {
            q => Reply(q, 0, false, (5, [0xc0, (byte)(q.Length + 12)])), q => Reply(q, 0, false, (1, [1, 2, 3])), q => Reply(q, 0, false, (16, [200, 1])),
            q => { var r = Reply(q, 0, false, (1, [1, 2, 3, 4])); r[^5] = 90; return r; }, q => { var r = Reply(q); r[7] = 9; return r; },
        })
        {
            await using var server = new NameServer((question, _) => [broken(question)]);
            foreach (var type in new[] { "A", "CNAME", "TXT" })
            {
                var (outcome, why) = await Look(server, type, seconds: 2);
                Assert.Equal(CheckOutcome.Down, outcome);
                Assert.True(why is "The answer of the name server cannot be read." || why!.StartsWith("shop.example has no", StringComparison.Ordinal), why);
            }
        }
        var random = new Random(11);
        await using var noise = new NameServer((question, _) => { var tail = new byte[300]; random.NextBytes(tail); return [[.. Reply(question, 0, false, [.. Enumerable.Repeat((1, new byte[4]), 3)])[..(question.Length + 6)], .. tail]]; });
        for (var i = 0; i < 50; i++) Assert.NotEmpty((await Look(noise, seconds: 2, expected: "192.0.2.1")).Item2!);
    }

    [Fact]
    public async Task A_silent_server_ends_at_the_time_out_and_a_closed_port_is_named()
    {
        await using var silent = new NameServer((_, _) => []);
        Assert.Equal((CheckOutcome.Down, "No answer within 1 s."), await Look(silent, seconds: 1));
        using var free = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        free.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var port = ((IPEndPoint)free.LocalEndPoint!).Port;
        free.Close();
        Assert.Equal((CheckOutcome.Down, $"The name server 127.0.0.1:{port} does not answer there."), await Look(silent, resolver: $"127.0.0.1:{port}"));
    }

    [Fact]
    public async Task A_name_server_that_a_user_named_passes_the_guard_once()
    {
        await using var server = new NameServer((question, _) => [Reply(question, 0, false, Zone["A"])]);
        Assert.Equal((CheckOutcome.Down, "127.0.0.1 leads to the loopback address 127.0.0.1, which is not allowed."), await Look(server, allowPrivate: false));
        Assert.Equal(0, server.Questions);
        var asked = 0;
        var turning = new GuardedConnector((_, _) => Task.FromResult<IReadOnlyList<IPAddress>>([Interlocked.Increment(ref asked) == 1 ? IPAddress.Loopback : IPAddress.Parse("127.0.0.2")]), NameResolver.Open);
        Assert.Equal((CheckOutcome.Up, null), await Look(server, connector: turning, resolver: $"turning.example:{server.Port}"));
        Assert.Equal((1, 1), (asked, server.Questions));
    }
}
