using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Portal.Domain.Monitoring;

namespace Portal.Infrastructure.Monitoring;

/// <summary>grpc.health.v1.Health/Check over HTTP/2. Source: the gRPC health checking protocol and gRPC over HTTP/2.</summary>
/// <remarks>Two messages of one field each, written by hand: the client library cannot be had whole (ADR 0010).</remarks>
public sealed class GrpcProbe(GuardedConnector connector, TimeProvider clock) : Probe(clock)
{
    const int LargestAnswer = 1024;

    public override MonitorKind Kind => MonitorKind.Grpc;

    /// <summary>Who is trusted in place of the machine's own authorities; null trusts those.</summary>
    public X509Certificate2Collection? Roots { get; init; }

    protected override async Task<ProbeAnswer> Try(ProbeRequest request, Progress look, CancellationToken ct)
    {
        using var client = new HttpMessageInvoker(GuardedHandler.For(connector, request.Passage, Clock, () => look.Stage = Stage.Waiting, look.Url.Host, refusal => look.Certificate = refusal, ct, null, Roots));
        using var message = new HttpRequestMessage(HttpMethod.Post, new UriBuilder(request.Target) { Scheme = request.Target.Scheme == "grpcs" ? "https" : "http", Path = "/grpc.health.v1.Health/Check" }.Uri)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(Question(request.Options.Service ?? "")) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } },
        };
        message.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        message.Headers.UserAgent.Add(new ProductInfoHeaderValue("Portal-Monitor", "1.0"));
        foreach (var (name, value) in request.Secrets) message.Headers.TryAddWithoutValidation(name, value);
        using var response = await client.SendAsync(message, ct);
        var code = (int)response.StatusCode;
        look.Status = code;
        if (code != 200) return Down($"Answered HTTP {code}; expected 200. Is it a gRPC server?", code);
        if (response.Content.Headers.ContentType?.MediaType?.StartsWith("application/grpc", StringComparison.Ordinal) != true) return Down("The answer is not gRPC.", code);
        var body = await Read(response, ct);
        // An answer without a body carries its status in the head.
        var status = Trailer(response.TrailingHeaders, "grpc-status") ?? Trailer(response.Headers, "grpc-status");
        if (status is not "0") return Down(Refusal(status, Trailer(response.TrailingHeaders, "grpc-message") ?? Trailer(response.Headers, "grpc-message"), request.Options.Service), code);
        return Health(body) switch
        {
            1 => new(CheckOutcome.Up, default, code, null),
            2 => Down("The server says NOT_SERVING.", code),
            3 => Down("The server says SERVICE_UNKNOWN.", code),
            0 => Down("The server says UNKNOWN.", code),
            _ => Down("The answer cannot be read as one of grpc.health.v1.", code),
        };
    }

    /// <summary>HealthCheckRequest { string service = 1 }, in a frame: not compressed, four bytes of length.</summary>
    static byte[] Question(string service)
    {
        var name = Encoding.UTF8.GetBytes(service);
        // A length is written in groups of seven bits; names have at most 300 characters.
        byte[] length = name.Length < 128 ? [(byte)name.Length] : [(byte)(name.Length & 0x7f | 0x80), (byte)(name.Length >> 7)];
        byte[] message = name.Length == 0 ? [] : [0x0a, .. length, .. name];
        var frame = new byte[5 + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        message.CopyTo(frame, 5);
        return frame;
    }

    /// <summary>HealthCheckResponse { ServingStatus status = 1 }; null when it cannot be read. Nothing at all stands for 0.</summary>
    static int? Health(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < 5 || frame[0] != 0) return null;
        var length = BinaryPrimitives.ReadUInt32BigEndian(frame[1..]);
        if (length != frame.Length - 5) return null;
        return frame[5..] switch
        {
            [] => 0,
            [0x08, var status and < 0x80, ..] => status,
            _ => null,
        };
    }

    static async Task<byte[]> Read(HttpResponseMessage response, CancellationToken ct)
    {
        await using var body = await response.Content.ReadAsStreamAsync(ct);
        var (buffer, total) = (new byte[LargestAnswer + 1], 0);
        for (int read; (read = await body.ReadAsync(buffer.AsMemory(total), ct)) > 0;)
            if ((total += read) > LargestAnswer) throw new IOException("The answer is longer than any of this protocol.");
        return buffer[..total];
    }

    static string Refusal(string? status, string? message, string? service) => status switch
    {
        null => "The answer ended without a gRPC status.",
        "5" => $"The server does not know the service \"{service}\".",
        "12" => "The server does not offer grpc.health.v1.",
        "16" or "7" => "The server refused the request: it wants other credentials.",
        _ => $"The server answered with the gRPC status {Shown(status)}{(message is null ? "." : $": {Shown(Uri.UnescapeDataString(message))}")}",
    };

    static string? Trailer(HttpHeaders headers, string name) => headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;

    protected override string? Words(Exception e, Progress look)
    {
        for (var inner = e; inner is not null; inner = inner.InnerException)
            if (inner is HttpProtocolException) return "The server does not speak HTTP/2.";
        return base.Words(e, look) ?? HttpWords.For(e);
    }
}
