using System.Runtime.CompilerServices;
using System.Security.Claims;
using Microsoft.AspNetCore.Diagnostics;
using Portal.Components;
using Portal.Hosting.Logs;
using Portal.Infrastructure.Sentry;

namespace Portal.Hosting.Errors;

/// <summary>Makes reports of what is logged as an error, wherever it failed, and breadcrumbs of what was logged before.</summary>
/// <remarks>Of a line only its template is taken and those values that cannot be secrets. The reporter is asked for late: it logs, too.</remarks>
sealed class ErrorLog(IServiceProvider services, Trails trails, CurrentRequest request, TimeProvider clock) : ILoggerProvider, ISupportExternalScope
{
    static readonly object Told = new();
    static readonly string Own = typeof(EnvelopeReporter).FullName!;
    readonly ConditionalWeakTable<Exception, object> told = [];
    readonly Noise noise = new(clock);
    readonly Lazy<IErrorReporter> reporter = new(services.GetRequiredService<IErrorReporter>);
    IExternalScopeProvider? scopes;

    public ILogger CreateLogger(string categoryName) => new Writer(this, categoryName);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => scopes = scopeProvider;

    public void Dispose() { }

    /// <summary>Not from the log: a task that nobody looked at, or the end of the process.</summary>
    public void Report(Exception exception, string logger, bool last)
    {
        if (Noise.Is(exception) || !IsFirst(exception)) return;
        var report = Make(LogLevel.Critical, logger, null, exception, 0) with { IsFatal = last };
        if (last) reporter.Value.ReportLast(report);
        else reporter.Value.Report(report);
    }

    void Write(LogLevel level, string category, string? template, IReadOnlyList<KeyValuePair<string, object?>>? values, Exception? exception)
    {
        if (category == Own || PortalLogs.IsNoise(category, exception)) return;
        if (IsDatabaseAway(level, template, exception)) Tell("database", 1, level, category, "The database cannot be reached.", exception);
        else if (level >= LogLevel.Error && (exception is null || !Noise.Is(exception) && IsFirst(exception)))
            Tell($"{category} {template} {exception?.GetType()}", Noise.AlikePerMinute, level, category, template, exception);
        trails.Current.Add(new Breadcrumb(clock.GetUtcNow(), Word(level), category, template ?? exception?.GetType().Name ?? "", Harmless(values)));
    }

    void Tell(string kind, int perMinute, LogLevel level, string category, string? template, Exception? exception)
    {
        if (noise.IsWorthTelling(kind, perMinute, out var leftOut)) reporter.Value.Report(Make(level, category, template, exception, leftOut));
    }

    /// <summary>Told by many parts at once, each in its way; together they are one fault.</summary>
    static bool IsDatabaseAway(LogLevel level, string? template, Exception? exception) =>
        level >= LogLevel.Warning && (exception is not null ? Refusal.IsDatabaseAway(exception) : template?.Contains("reach the database", StringComparison.Ordinal) == true);

    /// <summary>The same exception may be logged by several on its way.</summary>
    bool IsFirst(Exception exception) => told.TryAdd(exception, Told);

    ErrorReport Make(LogLevel level, string category, string? template, Exception? exception, int leftOut)
    {
        var (trail, http) = (trails.Current, request.Http);
        return new ErrorReport
        {
            At = clock.GetUtcNow(),
            IsFatal = level == LogLevel.Critical,
            Exception = exception,
            Message = template,
            Logger = category,
            Origin = trail.Origin,
            TraceId = TraceIds.Of(trail),
            Breadcrumbs = trail.Latest,
            LeftOut = leftOut,
            Endpoint = http is null ? null : RouteOf(http),
            Method = http is null || trail.Origin != "request" ? null : KnownMethod(http.Request.Method),
            RequestId = http?.TraceIdentifier,
            User = ActingUser.Of(scopes) ?? http?.User.FindFirstValue(ClaimTypes.NameIdentifier),
            Milliseconds = http is null || trail.Started == 0 || trail.Origin != "request" ? null : clock.GetElapsedTime(trail.Started).TotalMilliseconds,
        };
    }

    /// <summary>Whoever explains a fault has no endpoint any more, but knows which it was.</summary>
    static string? RouteOf(HttpContext http) =>
        ((http.Features.Get<IExceptionHandlerFeature>()?.Endpoint ?? http.GetEndpoint()) as RouteEndpoint)?.RoutePattern.RawText is { } route ? "/" + route.Trim('/') : null;

    /// <summary>The method is what a stranger sent.</summary>
    static string KnownMethod(string method) => HttpMethods.IsGet(method) || HttpMethods.IsPost(method) || HttpMethods.IsPut(method) || HttpMethods.IsPatch(method) || HttpMethods.IsDelete(method) || HttpMethods.IsHead(method)
        ? HttpMethods.GetCanonicalizedValue(method) : "other";

    static List<KeyValuePair<string, object>> Harmless(IReadOnlyList<KeyValuePair<string, object?>>? values)
    {
        if (values is null or { Count: <= 1 }) return [];
        var harmless = new List<KeyValuePair<string, object>>();
        foreach (var (name, value) in values)
            if (value is int or long or double or float or bool or TimeSpan or Enum) harmless.Add(new(name, value));
        return harmless;
    }

    static string Word(LogLevel level) => level switch
    {
        LogLevel.Warning => "warning",
        LogLevel.Error => "error",
        LogLevel.Critical => "fatal",
        LogLevel.Information => "info",
        _ => "debug",
    };

    sealed class Writer(ErrorLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel is >= LogLevel.Information and not LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel)) return;
            var values = state as IReadOnlyList<KeyValuePair<string, object?>>;
            string? template = null;
            for (var i = (values?.Count ?? 0) - 1; i >= 0 && template is null; i--)
                if (values![i].Key == "{OriginalFormat}") template = values[i].Value as string;
            log.Write(logLevel, category, template, values, exception);
        }
    }
}
