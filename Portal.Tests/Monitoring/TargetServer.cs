using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Portal.Tests.Monitoring;

/// <summary>A target on this machine that behaves as badly as a test wants: what it does with each connection is a function.</summary>
sealed class TargetServer : IAsyncDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource ended = new();
    readonly Func<Stream, string, CancellationToken, Task> answer;
    readonly X509Certificate2? certificate;
    readonly List<string> requests = [];

    public TargetServer(Func<Stream, string, CancellationToken, Task> answer, X509Certificate2? certificate = null)
    {
        (this.answer, this.certificate) = (answer, certificate);
        listener.Start();
        _ = Accept();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;
    public string Address => $"http{(certificate is null ? "" : "s")}://127.0.0.1:{Port}/";
    public IReadOnlyList<string> Requests { get { lock (requests) return [.. requests]; } }
    /// <summary>Bytes that were sent before the other side closed.</summary>
    public long Sent;
    public int Connections;

    public static TargetServer Saying(string response) => new((stream, _, ct) => Write(stream, response, ct));

    public static TargetServer Status(int code, string head = "") => Saying($"HTTP/1.1 {code} X\r\n{head}Content-Length: 2\r\n\r\nok");

    public static Task Write(Stream stream, string text, CancellationToken ct) => stream.WriteAsync(Encoding.Latin1.GetBytes(text), ct).AsTask();

    async Task Accept()
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptTcpClientAsync(ended.Token);
                Interlocked.Increment(ref Connections);
                _ = Serve(client);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException) { }
    }

    async Task Serve(TcpClient client)
    {
        using var _ = client;
        try
        {
            Stream stream = client.GetStream();
            if (certificate is not null)
            {
                var tls = new SslStream(stream);
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, ended.Token);
                stream = tls;
            }
            var head = new StringBuilder();
            var buffer = new byte[4096];
            while (!head.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
            {
                var read = await stream.ReadAsync(buffer, ended.Token);
                if (read == 0) return;
                head.Append(Encoding.Latin1.GetString(buffer, 0, read));
                // A TLS greeting to a server that speaks none.
                if (head[0] == 0x16) head.Append(" tls \r\n\r\n");
            }
            lock (requests) requests.Add(head.ToString());
            await answer(stream, head.ToString().Split(' ')[1], ended.Token);
            client.Client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException or System.Security.Authentication.AuthenticationException) { }
    }

    /// <summary>A certificate that nobody vouches for.</summary>
    public static X509Certificate2 Certificate(DateTimeOffset from, DateTimeOffset to, string name = "localhost")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        if (name == "localhost") names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var made = request.CreateSelfSigned(from, to);
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
    }

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        listener.Stop();
    }
}
