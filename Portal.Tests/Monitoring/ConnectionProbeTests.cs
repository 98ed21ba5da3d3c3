using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Portal.Domain.Monitoring;
using Portal.Infrastructure.Monitoring;
using Portal.Tests.Support;

namespace Portal.Tests.Monitoring;

/// <summary>The kinds that talk over a connection, against real servers and against ones that misbehave.</summary>
public class ConnectionProbeTests
{
    static readonly GuardedConnector Out = new();
    static readonly TimeProvider Clock = TimeProvider.System;
    static readonly IProbe[] All = [new TcpProbe(Out, Clock), new TlsProbe(Out, Clock), new RedisProbe(Out, Clock), new SmtpProbe(Out, Clock), new WebSocketProbe(Out, Clock), new PostgresProbe(Out, Clock), new GrpcProbe(Out, Clock)];

    public static TheoryData<MonitorKind> Kinds => [.. All.Select(p => p.Kind)];

    static Task<ProbeAnswer> Look(MonitorKind kind, string target, bool allowPrivate = true, double seconds = 5, int? days = null) =>
        All.Single(p => p.Kind == kind).Look(Request(kind, target, allowPrivate, seconds, days), default);

    static ProbeRequest Request(MonitorKind kind, string target, bool allowPrivate = true, double seconds = 5, int? days = null) =>
        ProbeRequests.For(kind, target, new MonitorOptions { ExpectCertificateDays = days }, allowPrivate, seconds);

    static string At(MonitorKind kind, int port) => At(kind, "127.0.0.1", port);

    static string At(MonitorKind kind, string host, int port) => kind switch
    {
        MonitorKind.Websocket => $"ws://{host}:{port}",
        MonitorKind.Postgres => $"postgres://monitor@{host}:{port}/shop",
        MonitorKind.Grpc => $"grpc://{host}:{port}",
        _ => $"{host}:{port}",
    };

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_closed_port_is_down_in_words(MonitorKind kind)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        var answer = await Look(kind, At(kind, port));
        Assert.Equal((CheckOutcome.Down, $"127.0.0.1:{port} refused the connection."), (answer.Outcome, answer.Detail));
        Assert.True(answer.Duration > TimeSpan.Zero);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_private_address_is_reached_by_consent_only(MonitorKind kind)
    {
        await using var server = new Lines((_, _) => Task.CompletedTask);
        var answer = await Look(kind, At(kind, server.Port), allowPrivate: false);
        Assert.Equal((CheckOutcome.Down, "127.0.0.1 leads to the loopback address 127.0.0.1, which is not allowed."), (answer.Outcome, answer.Detail));
        Assert.Equal(0, server.Connections);
        await Look(kind, At(kind, server.Port), seconds: 2);
        Assert.NotEqual(0, server.Connections);
    }

    [Theory]
    [InlineData(MonitorKind.Tls)]
    [InlineData(MonitorKind.Redis)]
    [InlineData(MonitorKind.Smtp)]
    [InlineData(MonitorKind.Websocket)]
    [InlineData(MonitorKind.Postgres)]
    [InlineData(MonitorKind.Grpc)]
    public async Task A_server_that_hangs_or_closes_at_once_is_down_within_the_time_out(MonitorKind kind)
    {
        await using (var silent = new Lines((_, ct) => Task.Delay(Timeout.InfiniteTimeSpan, Clock, ct)))
        {
            var answer = await Look(kind, At(kind, silent.Port), seconds: 1);
            Assert.Equal((CheckOutcome.Down, "No answer within 1 s."), (answer.Outcome, answer.Detail));
            Assert.InRange(answer.Duration.TotalSeconds, 0.9, 4);
        }
        await using var closing = new Lines((_, _) => Task.CompletedTask);
        Assert.Equal(CheckOutcome.Down, (await Look(kind, At(kind, closing.Port))).Outcome);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_name_is_looked_up_once_and_the_connection_goes_to_what_was_found(MonitorKind kind)
    {
        // The second answer of the name server leads elsewhere: nobody may ask for it.
        await using var meant = new Lines((_, _) => Task.CompletedTask);
        await using var other = new Lines((_, _) => Task.CompletedTask, IPAddress.Parse("127.0.0.2"), meant.Port);
        var asked = 0;
        var turning = new GuardedConnector((_, _) => Task.FromResult<IReadOnlyList<IPAddress>>([Interlocked.Increment(ref asked) == 1 ? IPAddress.Loopback : IPAddress.Parse("127.0.0.2")]), NameResolver.Open);
        await Made(kind, turning).Look(Request(kind, At(kind, "turning.example", meant.Port), seconds: 2), default);
        Assert.Equal((1, 0), (asked, other.Connections));
        Assert.NotEqual(0, meant.Connections);

        // One of several answers is private: the name is refused whole, and nothing is sent.
        asked = 0;
        var before = meant.Connections;
        var mixed = new GuardedConnector((_, _) => Task.FromResult<IReadOnlyList<IPAddress>>([IPAddress.Parse("93.184.216.34"), IPAddress.Loopback]), (_, _, _) => throw new InvalidOperationException("A connection was made."));
        var answer = await Made(kind, mixed).Look(Request(kind, At(kind, "turning.example", meant.Port), allowPrivate: false), default);
        Assert.Equal((CheckOutcome.Down, "turning.example leads to the loopback address 127.0.0.1, which is not allowed."), (answer.Outcome, answer.Detail));
        Assert.Equal(before, meant.Connections);
    }

    static IProbe Made(MonitorKind kind, GuardedConnector connector) => (IProbe)Activator.CreateInstance(All.Single(p => p.Kind == kind).GetType(), connector, Clock)!;

    [Theory]
    [InlineData(MonitorKind.Redis)]
    [InlineData(MonitorKind.Smtp)]
    [InlineData(MonitorKind.Websocket)]
    [InlineData(MonitorKind.Postgres)]
    [InlineData(MonitorKind.Grpc)]
    public async Task Hostile_bytes_are_down_in_words(MonitorKind kind)
    {
        var random = new Random(7);
        foreach (var bytes in new[] { [0x45, 0x7f, 0xff, 0xff, 0xff, 0x00], [0x52, 0xff, 0xff, 0xff, 0xff], Enumerable.Range(0, 4096).Select(_ => (byte)random.Next(256)).ToArray(), "N"u8.ToArray() })
        {
            await using var server = new Lines(async (stream, ct) =>
            {
                await stream.WriteAsync(bytes, ct);
                await stream.FlushAsync(ct);
            });
            var answer = await Look(kind, At(kind, server.Port), seconds: 3);
            Assert.Equal(CheckOutcome.Down, answer.Outcome);
            Assert.NotEmpty(answer.Detail!);
        }
    }

    [Fact]
    public async Task A_good_answer_that_comes_too_late_is_slow()
    {
        await using var redis = new Lines(async (stream, ct) =>
        {
            await stream.ReadAtLeastAsync(new byte[64], 1, cancellationToken: ct);
            await Task.Delay(TimeSpan.FromMilliseconds(120), Clock, ct);
            await stream.WriteAsync("+PONG\r\n"u8.ToArray(), ct);
        });
        var answer = await new RedisProbe(Out, Clock).Look(ProbeRequests.For(MonitorKind.Redis, $"127.0.0.1:{redis.Port}", new MonitorOptions { SlowerThanMilliseconds = 50 }), default);
        Assert.Equal(CheckOutcome.Down, answer.Outcome);
        Assert.Matches(@"^Slow: it took [\d,]+ ms; at most 50 ms are wanted\.$", answer.Detail);
        Assert.Equal((CheckOutcome.Up, null), Verdict(await Look(MonitorKind.Redis, $"127.0.0.1:{redis.Port}")));
    }

    [Theory]
    [InlineData(MonitorKind.Redis)]
    [InlineData(MonitorKind.Smtp)]
    public async Task An_endless_or_strange_answer_is_down_and_shown_cleaned(MonitorKind kind)
    {
        await using (var endless = new Lines(async (stream, ct) => { while (true) await stream.WriteAsync(new byte[4096], ct); }))
            Assert.Equal((CheckOutcome.Down, "The connection ended before the answer was complete."), Verdict(await Look(kind, At(kind, endless.Port))));
        await using var strange = new Lines((stream, ct) => stream.WriteAsync(Encoding.UTF8.GetBytes("\u001b[31mHTTP/1.1 400\r\n"), ct).AsTask());
        var (outcome, detail) = Verdict(await Look(kind, At(kind, strange.Port)));
        Assert.Equal(CheckOutcome.Down, outcome);
        Assert.Contains("\"[31mHTTP/1.1 400\"", detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_that_takes_connections_is_up()
    {
        await using var server = new Lines((_, _) => Task.CompletedTask);
        Assert.Equal((CheckOutcome.Up, null), Verdict(await Look(MonitorKind.Tcp, At(MonitorKind.Tcp, server.Port))));
    }

    [Fact]
    public async Task Redis_answers_and_one_with_a_password_says_so()
    {
        await using (var redis = await RedisServer.Start())
            Assert.Equal((CheckOutcome.Up, null), Verdict(await Look(MonitorKind.Redis, $"redis://127.0.0.1:{redis.Port}")));
        await using var locked = await RedisServer.Start("--requirepass", "secret");
        var (outcome, detail) = Verdict(await Look(MonitorKind.Redis, $"redis://127.0.0.1:{locked.Port}"));
        Assert.Equal(CheckOutcome.Down, outcome);
        Assert.Contains("asks for a password", detail, StringComparison.Ordinal);
        async Task<(CheckOutcome, string?)> With(string password, string user = "") =>
            Verdict(await new RedisProbe(Out, Clock).Look(ProbeRequests.For(MonitorKind.Redis, $"redis://{user}127.0.0.1:{locked.Port}", secrets: new Dictionary<string, string> { ["password"] = password }), default));
        Assert.Equal((CheckOutcome.Up, null), await With("secret"));
        Assert.Equal((CheckOutcome.Up, null), await With("secret", "default@"));
        Assert.Equal((CheckOutcome.Down, "The server refused the password."), await With("wrong\r\nPING"));
    }

    [Theory]
    [InlineData("220 mail ready", "250-mail\r\n250-SIZE 1000\r\n250 HELP", null)]
    [InlineData("220-mail\r\n220 ready", "250 mail", null)]
    [InlineData("554 no service", "250 mail", "Greeted with \"554 no service\"; expected 220.")]
    [InlineData("220 mail ready", "502 what", "Answered EHLO with \"502 what\"; expected 250.")]
    public async Task Smtp_is_greeted_and_sends_no_mail(string greeting, string reply, string? expected)
    {
        var said = new List<string>();
        await using var server = new Lines(async (stream, ct) =>
        {
            using var reader = new StreamReader(stream, leaveOpen: true);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(greeting + "\r\n"), ct);
            while (await reader.ReadLineAsync(ct) is { } line)
            {
                lock (said) said.Add(line);
                if (line.StartsWith("EHLO", StringComparison.Ordinal)) await stream.WriteAsync(Encoding.ASCII.GetBytes(reply + "\r\n"), ct);
            }
        });
        Assert.Equal((expected is null ? CheckOutcome.Up : CheckOutcome.Down, expected), Verdict(await Look(MonitorKind.Smtp, $"127.0.0.1:{server.Port}")));
        lock (said) Assert.DoesNotContain(said, l => l.StartsWith("MAIL", StringComparison.Ordinal) || l.StartsWith("DATA", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_certificate_is_judged_by_its_name_its_issuer_and_the_time_that_is_left()
    {
        var now = Clock.GetUtcNow();
        using var certificate = TargetServer.Certificate(now.AddDays(-1), now.AddDays(20).AddHours(1));
        await using var server = new TargetServer((_, _, _) => Task.CompletedTask, certificate);
        Assert.Equal((CheckOutcome.Down, "The certificate is self-signed and not trusted."), Verdict(await Look(MonitorKind.Tls, $"127.0.0.1:{server.Port}")));

        var trusting = new TlsProbe(Out, Clock) { Roots = [certificate] };
        async Task<(CheckOutcome, string?)> Trusted(int days) => Verdict(await trusting.Look(Request(MonitorKind.Tls, $"127.0.0.1:{server.Port}", days: days), default));
        Assert.Equal((CheckOutcome.Up, null), await Trusted(20));
        var (outcome, detail) = await Trusted(21);
        Assert.Equal(CheckOutcome.Down, outcome);
        Assert.Matches(@"^The certificate expires on \d+ \w{3} \d{4}, \d\d:\d\d UTC, in 20 days; at least 21 are wanted\.$", detail);

        await using var plain = TargetServer.Status(200);
        Assert.Equal((CheckOutcome.Down, "The TLS handshake failed."), Verdict(await Look(MonitorKind.Tls, $"127.0.0.1:{plain.Port}")));
    }

    [Fact]
    public async Task A_websocket_that_opens_is_up_and_any_other_answer_is_named()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        var closed = new TaskCompletionSource<System.Net.WebSockets.WebSocketMessageType>();
        app.UseWebSockets();
        app.Run(async http =>
        {
            if (http.Request.Path == "/talk")
            {
                using var talking = await http.WebSockets.AcceptWebSocketAsync();
                var received = new byte[64];
                var count = (await talking.ReceiveAsync(received, http.RequestAborted)).Count;
                await talking.SendAsync(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(received, 0, count) + " back"), System.Net.WebSockets.WebSocketMessageType.Text, true, http.RequestAborted);
                await talking.CloseOutputAsync(System.Net.WebSockets.WebSocketCloseStatus.NormalClosure, null, http.RequestAborted);
                return;
            }
            if (http.Request.Path != "/live" || !http.WebSockets.IsWebSocketRequest)
            {
                http.Response.StatusCode = StatusCodes.Status404NotFound;
                return;
            }
            using var socket = await http.WebSockets.AcceptWebSocketAsync();
            closed.TrySetResult((await socket.ReceiveAsync(new byte[64], http.RequestAborted)).MessageType);
            await socket.CloseOutputAsync(System.Net.WebSockets.WebSocketCloseStatus.NormalClosure, null, http.RequestAborted);
        });
        await app.StartAsync();
        var port = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port;
        var answer = await Look(MonitorKind.Websocket, $"ws://127.0.0.1:{port}/live");
        Assert.Equal((CheckOutcome.Up, null, 101), (answer.Outcome, answer.Detail, answer.StatusCode));
        Assert.Equal(System.Net.WebSockets.WebSocketMessageType.Close, await closed.Task.WaitAsync(TimeSpan.FromSeconds(10)));
        var (asking, hello) = (new WebSocketProbe(Out, Clock), new MonitorOptions { Body = "hello", ExpectText = "hello back" });
        Assert.Equal((CheckOutcome.Up, null), Verdict(await asking.Look(ProbeRequests.For(MonitorKind.Websocket, $"ws://127.0.0.1:{port}/talk", hello), default)));
        Assert.Equal((CheckOutcome.Down, "The answer does not contain \"goodbye\"."), Verdict(await asking.Look(ProbeRequests.For(MonitorKind.Websocket, $"ws://127.0.0.1:{port}/talk", hello with { ExpectText = "goodbye" }), default)));
        Assert.Equal((CheckOutcome.Down, "The connection was closed before an answer came."), Verdict(await asking.Look(ProbeRequests.For(MonitorKind.Websocket, $"ws://127.0.0.1:{port}/live", hello), default)));
        var other = await Look(MonitorKind.Websocket, $"ws://127.0.0.1:{port}/elsewhere");
        Assert.Equal((CheckOutcome.Down, "Answered 404 to the handshake; expected 101.", 404), (other.Outcome, other.Detail, other.StatusCode));
    }

    static (CheckOutcome, string?) Verdict(ProbeAnswer answer) => (answer.Outcome, answer.Detail);
}
