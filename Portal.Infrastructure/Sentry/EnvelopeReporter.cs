using System.Net;
using System.Net.Http.Headers;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Portal.Infrastructure.Sentry;

/// <summary>Sends reports to a server that speaks the Sentry protocol, one after the other. What waits is bounded; what is given up is counted.</summary>
/// <remarks>Stands in for Sentry.AspNetCore (docs/adr/0001). The server's address is the operator's own word, so it passes no guard for addresses.</remarks>
public sealed class EnvelopeReporter : BackgroundService, IErrorReporter
{
    public const int MostWaiting = 100;
    /// <summary>One report that the server fails on holds up the others for half a minute, not for ever.</summary>
    const int MostTries = 5;
    const long MostBytes = 4 * 1024 * 1024;
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(10), LastWords = TimeSpan.FromSeconds(2), FirstRest = TimeSpan.FromSeconds(1), LongestRest = TimeSpan.FromSeconds(60);

    readonly SentryDsn dsn;
    readonly ReportedProgram program;
    readonly TimeProvider clock;
    readonly ILogger<EnvelopeReporter> log;
    readonly HttpClient http;
    readonly Channel<ErrorReport> reports = Channel.CreateBounded<ErrorReport>(new BoundedChannelOptions(MostWaiting) { SingleReader = true });
    readonly Channel<byte[]> envelopes = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(MostWaiting) { SingleReader = true, SingleWriter = true });
    long sent, dropped, bytes, pauseUntil, awaySince;
    bool isAway;

    public EnvelopeReporter(SentryDsn dsn, ReportedProgram program, TimeProvider clock, ILogger<EnvelopeReporter> log)
    {
        (this.dsn, this.program, this.clock, this.log) = (dsn, program, clock, log);
        http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(5), PooledConnectionLifetime = TimeSpan.FromMinutes(5) }) { Timeout = Patience };
    }

    public ReportFigures Figures => new(Interlocked.Read(ref sent), Interlocked.Read(ref dropped), reports.Reader.Count + envelopes.Reader.Count,
        Volatile.Read(ref isAway) ? clock.GetElapsedTime(Interlocked.Read(ref awaySince)) : null);

    public void Report(ErrorReport report)
    {
        if (!reports.Writer.TryWrite(report)) Interlocked.Increment(ref dropped);
    }

    public void ReportLast(ErrorReport report)
    {
        try
        {
            using var limit = new CancellationTokenSource(LastWords, clock);
            using var request = Post(Write(report));
            using var answer = http.Send(request, limit.Token);
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or InvalidOperationException)
        {
            log.LogDebug(e, "The last report was not sent");
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(WriteAll(stoppingToken), SendAll(stoppingToken));

    /// <summary>At once, so that a report does not hold on to what its exception refers to while the server is away.</summary>
    async Task WriteAll(CancellationToken ct)
    {
        await Task.Yield();
        try
        {
            await foreach (var report in reports.Reader.ReadAllAsync(ct))
                if (TryWrite(report) is not { } envelope || Interlocked.Read(ref bytes) + envelope.Length > MostBytes || !envelopes.Writer.TryWrite(envelope)) Interlocked.Increment(ref dropped);
                else Interlocked.Add(ref bytes, envelope.Length);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested) { }
        finally
        {
            envelopes.Writer.TryComplete();
        }
    }

    byte[]? TryWrite(ErrorReport report)
    {
        try
        {
            return Write(report);
        }
        catch (Exception e)
        {
            // An exception of somebody else may fail even to say what it is.
            log.LogDebug(e, "A report could not be written");
            return null;
        }
    }

    byte[] Write(ErrorReport report) => EventJson.Envelope(report, program, Guid.CreateVersion7(clock.GetUtcNow()).ToString("N"), clock.GetUtcNow());

    async Task SendAll(CancellationToken ct)
    {
        try
        {
            await foreach (var envelope in envelopes.Reader.ReadAllAsync(ct))
            {
                Interlocked.Add(ref bytes, -envelope.Length);
                Interlocked.Increment(ref await Deliver(envelope, ct) ? ref sent : ref dropped);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested) { }
    }

    /// <returns>Whether the server took it. One that does not answer is asked again, ever more patiently, while the others wait; one that answers with a fault of its own a few times.</returns>
    async Task<bool> Deliver(byte[] envelope, CancellationToken ct)
    {
        var faults = 0;
        for (var rest = FirstRest; ; rest = rest * 2 < LongestRest ? rest * 2 : LongestRest)
        {
            if (clock.GetTimestamp() < Interlocked.Read(ref pauseUntil)) return false;
            try
            {
                using var request = Post(envelope);
                using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
                var tooMany = answer.StatusCode == HttpStatusCode.TooManyRequests;
                if (RequestedPause.In(answer.Headers, tooMany, clock.GetUtcNow()) is var pause && pause > TimeSpan.Zero)
                    Interlocked.Exchange(ref pauseUntil, clock.GetTimestamp() + (long)(pause.TotalSeconds * clock.TimestampFrequency));
                if ((int)answer.StatusCode < 500)
                {
                    Found();
                    if (!answer.IsSuccessStatusCode && !tooMany) log.LogWarning("The server for error reports refuses them with {Status}: is Sentry:Dsn right?", (int)answer.StatusCode);
                    return answer.IsSuccessStatusCode;
                }
                Lost($"it answers {(int)answer.StatusCode}");
                // A proxy before a server that starts again says nothing of this report.
                if (answer.StatusCode is not (HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout) && ++faults == MostTries) return false;
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException && !ct.IsCancellationRequested)
            {
                Lost(e is HttpRequestException h ? h.HttpRequestError.ToString() : "it does not answer");
            }
            await Task.Delay(rest, clock, ct);
        }
    }

    HttpRequestMessage Post(byte[] envelope)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, dsn.Envelopes) { Content = new ByteArrayContent(envelope) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-sentry-envelope");
        request.Headers.TryAddWithoutValidation("User-Agent", EventJson.Client);
        request.Headers.TryAddWithoutValidation("X-Sentry-Auth", $"Sentry sentry_version=7, sentry_client={EventJson.Client}, sentry_key={dsn.Key}");
        return request;
    }

    void Lost(string reason)
    {
        if (isAway) return;
        Interlocked.Exchange(ref awaySince, clock.GetTimestamp());
        Volatile.Write(ref isAway, true);
        log.LogWarning("The server for error reports cannot be reached ({Reason}): up to {Most} reports wait for it", reason, MostWaiting);
    }

    void Found()
    {
        if (!isAway) return;
        Volatile.Write(ref isAway, false);
        log.LogInformation("The server for error reports is reached again, after {Seconds:0.0} s", clock.GetElapsedTime(awaySince).TotalSeconds);
    }

    /// <summary>What waits is sent, for at most two seconds.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        reports.Writer.TryComplete();
        if (ExecuteTask is { } sending) await Task.WhenAny(sending, Task.Delay(LastWords, clock, cancellationToken));
        await base.StopAsync(cancellationToken);
    }

    public override void Dispose()
    {
        http.Dispose();
        base.Dispose();
    }
}
