using System.Buffers;
using System.Globalization;
using System.Security.Claims;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Portal.Infrastructure;

namespace Portal.Hosting.Logs;

/// <summary>One JSON object a line, for programs: time, level, category, message, node, request id and user on every one; what a message names beside it.</summary>
public sealed class JsonLines(CurrentRequest current, NodeName node, TimeProvider clock) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "portal-json";

    static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        if (PortalLogs.IsNoise(logEntry.Category, logEntry.Exception)) return;
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Readable))
        {
            var context = current.Http;
            json.WriteStartObject();
            json.WriteString("time", clock.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            json.WriteString("level", Word(logEntry.LogLevel));
            json.WriteString("category", logEntry.Category);
            json.WriteString("message", logEntry.Formatter(logEntry.State, logEntry.Exception));
            json.WriteString("requestId", context?.TraceIdentifier);
            json.WriteString("user", ActingUser.Of(scopeProvider) ?? context?.User.FindFirstValue(ClaimTypes.NameIdentifier));
            json.WriteString("node", node.Value);
            if (logEntry.State is IReadOnlyList<KeyValuePair<string, object?>> { Count: > 1 } named) WriteNamed(json, named);
            if (logEntry.Exception is { } exception) json.WriteString("exception", exception.ToString());
            json.WriteEndObject();
        }
        textWriter.WriteLine(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    static void WriteNamed(Utf8JsonWriter json, IReadOnlyList<KeyValuePair<string, object?>> named)
    {
        json.WriteStartObject("data");
        var seen = new HashSet<string>();
        foreach (var (name, value) in named)
        {
            if (name == "{OriginalFormat}" || !seen.Add(name)) continue;
            json.WritePropertyName(JsonNamingPolicy.CamelCase.ConvertName(name));
            switch (value)
            {
                case null: json.WriteNullValue(); break;
                case int number: json.WriteNumberValue(number); break;
                case long number: json.WriteNumberValue(number); break;
                case double number when double.IsFinite(number): json.WriteNumberValue(number); break;
                case bool truth: json.WriteBooleanValue(truth); break;
                default: json.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture)); break;
            }
        }
        json.WriteEndObject();
    }

    static string Word(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warning",
        LogLevel.Error => "error",
        _ => "critical",
    };
}
