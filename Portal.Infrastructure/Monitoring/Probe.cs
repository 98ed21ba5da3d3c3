using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Portal.Domain.Monitoring;

namespace Portal.Infrastructure.Monitoring;

/// <summary>What every look has in common: it ends at its time-out, it is measured, and what goes wrong becomes words.</summary>
public abstract class Probe(TimeProvider clock) : IProbe
{
    public abstract MonitorKind Kind { get; }

    protected TimeProvider Clock => clock;

    /// <summary>May throw whatever the connection throws. A duration of zero is measured here.</summary>
    protected abstract Task<ProbeAnswer> Try(ProbeRequest request, Progress look, CancellationToken ct);

    public async Task<ProbeAnswer> Look(ProbeRequest request, CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        using var limit = new CancellationTokenSource(request.Timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
        var look = new Progress { Url = request.Target };
        ProbeAnswer verdict;
        try
        {
            verdict = await Try(request, look, either.Token);
        }
        catch (Exception) when (ct.IsCancellationRequested)
        {
            throw new OperationCanceledException(ct);
        }
        catch (Exception e)
        {
            verdict = Down(limit.IsCancellationRequested ? TooSlow(request, look) : look.Certificate ?? Words(e, look) ?? "The check failed: " + Shown(e.Message), look.Status);
        }
        if (verdict.Duration == TimeSpan.Zero) verdict = verdict with { Duration = clock.GetElapsedTime(began) };
        return verdict.Outcome == CheckOutcome.Up && request.Options.SlowerThanMilliseconds is { } most && verdict.Duration.TotalMilliseconds > most
            ? verdict with { Outcome = CheckOutcome.Down, Detail = string.Create(CultureInfo.InvariantCulture, $"Slow: it took {verdict.Duration.TotalMilliseconds:#,0} ms; at most {most:#,0} ms are wanted.") } : verdict;
    }

    /// <summary>Null where the exception says nothing that a person could use.</summary>
    protected virtual string? Words(Exception e, Progress look)
    {
        for (var inner = e; inner is not null; inner = inner.InnerException)
            switch (inner)
            {
                case PassageRefusedException or NameUnknownException:
                    return inner.Message;
                case SocketException socket:
                    return SocketWords(socket, look);
                case AuthenticationException:
                    return "The TLS handshake failed.";
            }
        return e is IOException ? "The connection ended before the answer was complete." : null;
    }

    protected static ProbeAnswer Up(string? detail = null) => new(CheckOutcome.Up, default, null, detail);

    protected static ProbeAnswer Down(string detail, int? status = null) => new(CheckOutcome.Down, default, status, detail);

    /// <summary>What a target said, fit to be shown.</summary>
    protected static string Shown(string text)
    {
        var clean = new string([.. text.Where(c => !char.IsControl(c) && !char.IsSurrogate(c))]);
        return clean.Length <= 300 ? clean : clean[..299] + "…";
    }

    static string TooSlow(ProbeRequest request, Progress look)
    {
        var within = request.Timeout.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture);
        if (look.Status is not null) return $"The answer was not complete within {within} s.";
        return look.Stage == Stage.Connecting ? $"No connection to {look.Url.Host} within {within} s." : $"No answer within {within} s.";
    }

    static string SocketWords(SocketException e, Progress look) => e.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => $"{look.Url.Authority} refused the connection.",
        SocketError.ConnectionReset => "The connection was reset.",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => $"There is no way to {look.Url.Host} from here.",
        SocketError.TimedOut => $"No connection to {look.Url.Host}.",
        _ => $"No connection to {look.Url.Authority}: {Shown(e.Message)}",
    };

    protected enum Stage { Connecting, Waiting }

    /// <summary>How far the look came, for the words about its failure.</summary>
    protected sealed class Progress
    {
        public Uri? From { get; set; }
        public required Uri Url { get; set; }
        public Stage Stage { get; set; }
        public int? Status { get; set; }
        public string? Certificate { get; set; }
    }
}

/// <summary>A look that talks over one connection of its own.</summary>
public abstract class ConnectionProbe(GuardedConnector connector, TimeProvider clock) : Probe(clock)
{
    /// <summary>Who is trusted in place of the machine's own authorities; null trusts those.</summary>
    public X509Certificate2Collection? Roots { get; init; }

    protected abstract Task<ProbeAnswer> Talk(Stream stream, ProbeRequest request, Progress look, CancellationToken ct);

    protected sealed override async Task<ProbeAnswer> Try(ProbeRequest request, Progress look, CancellationToken ct)
    {
        await using var stream = await connector.Connect(request.Target.IdnHost, request.Target.Port, request.Passage, Clock, ct);
        look.Stage = Stage.Waiting;
        return await Talk(stream, request, look, ct);
    }

    /// <summary>Goes on encrypted, once the certificate was found good.</summary>
    protected async Task<SslStream> Encrypt(Stream stream, ProbeRequest request, Progress look, Action<X509Certificate2>? seen, CancellationToken ct)
    {
        var options = Certificates.Options(request.Target.IdnHost, Clock, (certificate, refusal) =>
        {
            look.Certificate = refusal;
            if (certificate is not null) seen?.Invoke(certificate);
            return refusal is null;
        });
        options.TargetHost = request.Target.IdnHost;
        Certificates.Trust(options, Roots);
        var tls = new SslStream(stream);
        try
        {
            await tls.AuthenticateAsClientAsync(options, ct);
            return tls;
        }
        catch
        {
            await tls.DisposeAsync();
            throw;
        }
    }

    /// <summary>One line as text protocols send it, without its end; null when the other side closed before.</summary>
    /// <exception cref="IOException">Longer than any greeting has reason to be.</exception>
    protected static async Task<string?> ReadLine(Stream stream, CancellationToken ct)
    {
        var line = new List<byte>();
        var one = new byte[1];
        while (line.Count < 1_000)
        {
            if (await stream.ReadAsync(one, ct) == 0) return null;
            if (one[0] == (byte)'\n') return Shown(System.Text.Encoding.UTF8.GetString([.. line]));
            line.Add(one[0]);
        }
        throw new IOException("A line without an end.");
    }

    protected static Task Say(Stream stream, string line, CancellationToken ct) => stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(line + "\r\n"), ct).AsTask();
}
