namespace Portal.Infrastructure.Sentry;

/// <summary>Hands faults to whoever collects them. Never throws, never waits.</summary>
public interface IErrorReporter
{
    void Report(ErrorReport report);

    /// <summary>For a process that ends now: sent at once, for at most two seconds.</summary>
    void ReportLast(ErrorReport report);

    /// <summary>Null where nothing is sent anywhere.</summary>
    ReportFigures? Figures { get; }
}

/// <param name="Sent">Taken by the server.</param>
/// <param name="Dropped">Given up: too many waited, the server asked for a pause, or refused it.</param>
/// <param name="AwayFor">Since when the server does not answer; null while it does.</param>
public sealed record ReportFigures(long Sent, long Dropped, int Waiting, TimeSpan? AwayFor);

/// <summary>Where no server is configured.</summary>
public sealed class NoErrorReporter : IErrorReporter
{
    public void Report(ErrorReport report) { }

    public void ReportLast(ErrorReport report) { }

    public ReportFigures? Figures => null;
}

/// <summary>A fault with what was going on around it. It is cleaned of secrets and personal data where it is written down for sending.</summary>
public sealed record ErrorReport
{
    public required DateTimeOffset At { get; init; }
    public bool IsFatal { get; init; }
    public Exception? Exception { get; init; }
    /// <summary>A log line's template, without its values.</summary>
    public string? Message { get; init; }
    /// <summary>The log's category.</summary>
    public string? Logger { get; init; }
    /// <summary>The route's template, never the path that was asked for.</summary>
    public string? Endpoint { get; init; }
    public string? Method { get; init; }
    /// <summary>request, circuit or background.</summary>
    public required string Origin { get; init; }
    public required string TraceId { get; init; }
    public string? RequestId { get; init; }
    /// <summary>Sent as a hash.</summary>
    public string? User { get; init; }
    public double? Milliseconds { get; init; }
    /// <summary>How many alike were left out since the last one.</summary>
    public int LeftOut { get; init; }
    public IReadOnlyList<Breadcrumb> Breadcrumbs { get; init; } = [];
}

/// <summary>A log line before the fault: its template, and those of its values that cannot be secrets.</summary>
public sealed record Breadcrumb(DateTimeOffset At, string Level, string Category, string Message, IReadOnlyList<KeyValuePair<string, object>> Data);
