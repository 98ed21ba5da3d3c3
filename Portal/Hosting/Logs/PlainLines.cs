using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Portal.Hosting.Logs;

/// <summary>One line a message for a person at a terminal: "14:20:05 warning Publisher: …". Line breaks of others cannot forge a line.</summary>
public sealed class PlainLines(CurrentRequest current, TimeProvider clock) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "portal-plain";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        if (PortalLogs.IsNoise(logEntry.Category, logEntry.Exception)) return;
        textWriter.Write(clock.GetLocalNow().ToString("HH:mm:ss ", CultureInfo.InvariantCulture));
        textWriter.Write(logEntry.LogLevel switch { LogLevel.Warning => "warning ", LogLevel.Error => "ERROR ", LogLevel.Critical => "CRITICAL ", LogLevel.Information => "", _ => "debug " });
        textWriter.Write(logEntry.Category[(logEntry.Category.LastIndexOf('.') + 1)..]);
        textWriter.Write(": ");
        textWriter.Write(logEntry.Formatter(logEntry.State, logEntry.Exception).ReplaceLineEndings(" "));
        if (logEntry.LogLevel >= LogLevel.Warning && current.Http is { } http) textWriter.Write($" [{http.TraceIdentifier}]");
        textWriter.WriteLine();
        if (logEntry.Exception is { } exception) textWriter.WriteLine(exception.ToString());
    }
}
