using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Portal.Domain.Monitoring;
using Portal.Infrastructure.Monitoring;
using Portal.Tests.Support;

namespace Portal.Tests.Monitoring;

/// <summary>Against Kestrel, over HTTP/2 with and without TLS; and an echo to this machine.</summary>
public class GrpcProbeTests
{
    static async Task<WebApplication> Serve(RequestDelegate answer, System.Security.Cryptography.X509Certificates.X509Certificate2? certificate = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, l =>
        {
            l.Protocols = HttpProtocols.Http2;
            if (certificate is not null) l.UseHttps(certificate);
        }));
        builder.WebHost.UseKestrelHttpsConfiguration();
        var app = builder.Build();
        app.Run(answer);
        await app.StartAsync();
        return app;
    }

    static int PortOf(WebApplication app) => new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port;

    static RequestDelegate Answer(byte[] frame, string status = "0", string? message = null) => async http =>
    {
        http.Response.ContentType = "application/grpc";
        await http.Response.Body.WriteAsync(frame, http.RequestAborted);
        http.Response.AppendTrailer("grpc-status", status);
        if (message is not null) http.Response.AppendTrailer("grpc-message", message);
    };

    static async Task<(CheckOutcome, string?)> Look(WebApplication app, string? service = null, IReadOnlyDictionary<string, string>? secrets = null) =>
        (await new GrpcProbe(new GuardedConnector(), TimeProvider.System).Look(ProbeRequests.For(MonitorKind.Grpc, $"grpc://127.0.0.1:{PortOf(app)}", new() { Service = service }, secrets: secrets), default)).Verdict();

    [Theory]
    [InlineData(new byte[] { 0, 0, 0, 0, 2, 8, 1 }, "0", null, null)]
    [InlineData(new byte[] { 0, 0, 0, 0, 2, 8, 2 }, "0", null, "The server says NOT_SERVING.")]
    [InlineData(new byte[] { 0, 0, 0, 0, 0 }, "0", null, "The server says UNKNOWN.")]
    [InlineData(new byte[] { 1, 0, 0, 0, 2, 8, 1 }, "0", null, "The answer cannot be read as one of grpc.health.v1.")]
    [InlineData(new byte[] { 0, 127, 255, 255, 255, 8, 1 }, "0", null, "The answer cannot be read as one of grpc.health.v1.")]
    [InlineData(new byte[0], "5", null, "The server does not know the service \"orders\".")]
    [InlineData(new byte[0], "12", null, "The server does not offer grpc.health.v1.")]
    [InlineData(new byte[0], "16", null, "The server refused the request: it wants other credentials.")]
    [InlineData(new byte[0], "13", "it%20broke", "The server answered with the gRPC status 13: it broke")]
    public async Task What_the_server_says_decides(byte[] frame, string status, string? message, string? why)
    {
        await using var app = await Serve(Answer(frame, status, message));
        Assert.Equal((why is null ? CheckOutcome.Up : CheckOutcome.Down, why), await Look(app, "orders"));
    }

    [Fact]
    public async Task It_asks_for_the_service_with_its_headers_and_bears_endless_answers_and_other_servers()
    {
        var (asked, authorization) = (Array.Empty<byte>(), "");
        await using (var app = await Serve(async http =>
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body, http.RequestAborted);
            (asked, authorization) = (body.ToArray(), http.Request.Headers.Authorization.ToString());
            Assert.Equal("/grpc.health.v1.Health/Check", http.Request.Path);
            await Answer([0, 0, 0, 0, 2, 8, 1])(http);
        })) Assert.Equal((CheckOutcome.Up, null), await Look(app, "orders", new Dictionary<string, string> { ["authorization"] = "Bearer s3cret" }));
        Assert.Equal([0, 0, 0, 0, 8, 10, 6, .. "orders"u8], asked);
        Assert.Equal("Bearer s3cret", authorization);

        await using (var endless = await Serve(async http =>
        {
            http.Response.ContentType = "application/grpc";
            while (!http.RequestAborted.IsCancellationRequested) await http.Response.Body.WriteAsync(new byte[4096], http.RequestAborted);
        })) Assert.Equal((CheckOutcome.Down, "The connection ended before the answer was complete."), await Look(endless));
        await using (var page = await Serve(http => http.Response.WriteAsync("hello"))) Assert.Equal((CheckOutcome.Down, "The answer is not gRPC."), await Look(page));
        await using var old = TargetServer.Status(200);
        var answer = await new GrpcProbe(new GuardedConnector(), TimeProvider.System).Look(ProbeRequests.For(MonitorKind.Grpc, $"grpc://127.0.0.1:{old.Port}", seconds: 3), default);
        Assert.Equal(CheckOutcome.Down, answer.Outcome);
    }

    [Fact]
    public async Task Over_tls_the_certificate_counts()
    {
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = TargetServer.Certificate(now.AddDays(-1), now.AddDays(20));
        await using var app = await Serve(Answer([0, 0, 0, 0, 2, 8, 1]), certificate);
        var request = ProbeRequests.For(MonitorKind.Grpc, $"grpcs://127.0.0.1:{PortOf(app)}");
        Assert.Equal((CheckOutcome.Down, "The certificate is self-signed and not trusted."), (await new GrpcProbe(new GuardedConnector(), TimeProvider.System).Look(request, default)).Verdict());
        Assert.Equal((CheckOutcome.Up, null), (await new GrpcProbe(new GuardedConnector(), TimeProvider.System) { Roots = [certificate] }.Look(request, default)).Verdict());
    }

    [Fact]
    public async Task An_echo_comes_back_where_this_process_may_ask_for_it_and_otherwise_that_is_said()
    {
        var answer = await new IcmpProbe(new GuardedConnector(), TimeProvider.System).Look(ProbeRequests.For(MonitorKind.Icmp, "127.0.0.1"), default);
        Assert.Equal(await IcmpProbe.IsPossible(default) ? (CheckOutcome.Up, null) : (CheckOutcome.Down, IcmpProbe.MayNot), answer.Verdict());
        Assert.Equal((CheckOutcome.Down, "127.0.0.1 leads to the loopback address 127.0.0.1, which is not allowed."),
            (await new IcmpProbe(new GuardedConnector(), TimeProvider.System).Look(ProbeRequests.For(MonitorKind.Icmp, "127.0.0.1", allowPrivate: false), default)).Verdict());
        var asked = 0;
        var turning = new GuardedConnector((_, _) => Task.FromResult<IReadOnlyList<IPAddress>>([Interlocked.Increment(ref asked) == 1 ? IPAddress.Loopback : IPAddress.Parse("10.1.2.3")]), NameResolver.Open);
        Assert.Equal(answer.Outcome, (await new IcmpProbe(turning, TimeProvider.System).Look(ProbeRequests.For(MonitorKind.Icmp, "turning.example"), default)).Outcome);
        Assert.Equal(1, asked);
    }
}
