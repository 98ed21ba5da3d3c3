using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Portal.Tests.Support;

/// <summary>A log that a test can read.</summary>
sealed class LogLines : ILoggerFactory, ILoggerProvider
{
    readonly ConcurrentQueue<(LogLevel Level, string Text)> lines = new();

    public IReadOnlyList<(LogLevel Level, string Text)> All => [.. lines];

    public IReadOnlyList<string> With(string words) => [.. lines.Select(l => l.Text).Where(t => t.Contains(words, StringComparison.Ordinal))];

    public ILogger CreateLogger(string categoryName) => new Writer(lines);

    public void AddProvider(ILoggerProvider provider) { }

    public void Dispose() { }

    sealed class Writer(ConcurrentQueue<(LogLevel, string)> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue((logLevel, formatter(state, exception)));
    }
}
