using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Portal.Domain.Monitoring;

namespace Portal.Infrastructure.Monitoring;

/// <summary>Asks a name server for a name's records: over UDP, and over TCP when the answer is too long for that.</summary>
/// <remarks>The system's own name servers are the operator's choice and always allowed; one that a user named passes the guard as any target.</remarks>
public sealed class DnsProbe(GuardedConnector connector, TimeProvider clock, Func<IReadOnlyList<IPAddress>> system) : Probe(clock)
{
    const int LongestDatagram = 4_096;
    /// <summary>A datagram may be lost: the question is asked again.</summary>
    static readonly TimeSpan Again = TimeSpan.FromSeconds(2);

    public DnsProbe(GuardedConnector connector, TimeProvider clock) : this(connector, clock, SystemServers) { }

    public override MonitorKind Kind => MonitorKind.Dns;

    protected override async Task<ProbeAnswer> Try(ProbeRequest request, Progress look, CancellationToken ct)
    {
        var (name, type) = (request.Target.OriginalString["dns://".Length..], request.Options.RecordType ?? "A");
        var question = DnsMessage.Question(BinaryPrimitives.ReadUInt16BigEndian(RandomNumberGenerator.GetBytes(2)), name, type);
        DnsMessage answer;
        if (request.Options.Resolver is { } resolver && MonitorTarget.SplitResolver(resolver) is var (host, port))
        {
            look.Url = new Uri($"dns://{(host.Contains(':', StringComparison.Ordinal) ? $"[{host.Trim('[', ']')}]" : host)}:{port}");
            answer = await connector.Reach(host.Trim('[', ']'), request.Passage, Clock, (address, within) => Ask(new IPEndPoint(address, port), question, type, look, within), ct);
        }
        else answer = await AskSystem(question, type, look, ct);
        return Judge(answer, name, type, request.Options.ExpectValue);
    }

    /// <summary>The next one is asked when one is silent.</summary>
    async Task<DnsMessage> AskSystem(byte[] question, string type, Progress look, CancellationToken ct)
    {
        var servers = system();
        for (var i = 0; ; i++)
        {
            var last = i >= servers.Count - 1;
            using var limit = new CancellationTokenSource(last ? Timeout.InfiniteTimeSpan : Again * 2, Clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
            try
            {
                look.Url = new Uri($"dns://{(servers[i].AddressFamily == AddressFamily.InterNetworkV6 ? $"[{servers[i]}]" : servers[i])}:53");
                return await Ask(new IPEndPoint(servers[i], 53), question, type, look, either.Token);
            }
            catch (Exception e) when (!last && !ct.IsCancellationRequested && e is SocketException or OperationCanceledException)
            {
                ct.ThrowIfCancellationRequested();
            }
        }
    }

    async Task<DnsMessage> Ask(IPEndPoint server, byte[] question, string type, Progress look, CancellationToken ct)
    {
        look.Stage = Stage.Waiting;
        // Connected, so that nobody but this server is heard; its port is the system's choice, so that nobody guesses it.
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(server, ct);
        var buffer = new byte[LongestDatagram];
        while (true)
        {
            await socket.SendAsync(question, ct);
            using var again = new CancellationTokenSource(Again, Clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, again.Token);
            try
            {
                while (true)
                {
                    var length = await socket.ReceiveAsync(buffer, either.Token);
                    if (!DnsMessage.Answers(buffer.AsSpan(0, length), question)) continue;
                    var answer = DnsMessage.Read(buffer.AsSpan(0, length), question, type);
                    return answer.IsCut ? await AskAtLength(server, question, type, ct) : answer;
                }
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested) { }
        }
    }

    /// <summary>Over TCP, to the same address: two bytes of length before each message.</summary>
    static async Task<DnsMessage> AskAtLength(IPEndPoint server, byte[] question, string type, CancellationToken ct)
    {
        await using var stream = await NameResolver.Open(server.Address, server.Port, ct);
        await stream.WriteAsync(new byte[] { (byte)(question.Length >> 8), (byte)question.Length }.Concat(question).ToArray(), ct);
        var length = new byte[2];
        await stream.ReadExactlyAsync(length, ct);
        var message = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
        await stream.ReadExactlyAsync(message, ct);
        if (!DnsMessage.Answers(message, question)) throw new InvalidDataException("The name server answered another question.");
        return DnsMessage.Read(message, question, type) is { IsCut: false } whole ? whole : throw new InvalidDataException("The name server cut its answer short over TCP, too.");
    }

    static ProbeAnswer Judge(DnsMessage answer, string name, string type, string? expected)
    {
        if (answer.Code != 0) return Down(answer.Code switch
        {
            3 => $"The name {name} does not exist.",
            2 => "The name server failed (SERVFAIL).",
            5 => "The name server refused the question.",
            _ => $"The name server answered with the code {answer.Code}.",
        });
        if (answer.Records.Count == 0) return Down($"{name} has no {type} record.");
        var missing = (expected ?? "").Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).FirstOrDefault(e => !answer.Records.Any(r => Same(r, e, type)));
        return missing is null ? Up() : Down($"{name} has the {type} record{(answer.Records.Count == 1 ? "" : "s")} {Shown(string.Join(", ", answer.Records))}; expected {Shown(missing)}.");
    }

    static bool Same(string record, string expected, string type) => type switch
    {
        "TXT" => record == expected,
        "A" or "AAAA" => IPAddress.TryParse(expected, out var address) && record == address.ToString(),
        // "10 mail.example.com", or the server alone.
        "MX" => Equal(record, expected) || Equal(record[(record.IndexOf(' ', StringComparison.Ordinal) + 1)..], expected),
        _ => Equal(record, expected),
    };

    static bool Equal(string record, string expected) => record.Equals(expected.TrimEnd('.'), StringComparison.OrdinalIgnoreCase);

    protected override string? Words(Exception e, Progress look) => e switch
    {
        InvalidDataException => e.Message,
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => $"The name server {look.Url.Authority} does not answer there.",
        _ => base.Words(e, look),
    };

    static IReadOnlyList<IPAddress> SystemServers()
    {
        try
        {
            var servers = File.ReadLines("/etc/resolv.conf").Select(l => l.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries))
                .Where(w => w is ["nameserver", ..] && w.Length > 1).Select(w => IPAddress.TryParse(w[1], out var address) ? address : null).OfType<IPAddress>().ToList();
            return servers.Count > 0 ? servers : [IPAddress.Loopback];
        }
        catch (IOException)
        {
            return [IPAddress.Loopback];
        }
    }
}
