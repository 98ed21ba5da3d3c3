using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Portal.Infrastructure.Sentry;

/// <summary>What stands in every event of this process.</summary>
public sealed record ReportedProgram(string Release, string Environment, string Node);

/// <summary>Writes a report as an event of the Sentry protocol, in an envelope. Whatever is text passes <see cref="Redaction"/>.</summary>
/// <remarks>https://develop.sentry.dev/sdk/data-model/envelopes/ and …/event-payloads/. Grouping is left to the server.</remarks>
static class EventJson
{
    const int MostExceptions = 8, MostFrames = 100;
    public const string Client = "portal.envelope/1.0";

    static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <returns>Three lines: the envelope's header, the item's header, the event.</returns>
    public static byte[] Envelope(ErrorReport report, ReportedProgram program, string id, DateTimeOffset now)
    {
        var body = new ArrayBufferWriter<byte>(8 * 1024);
        using (var json = new Utf8JsonWriter(body, Readable)) Event(json, report, program, id);
        var head = $$"""{"event_id":"{{id}}","sent_at":"{{Time(now)}}"}""" + "\n" + string.Create(CultureInfo.InvariantCulture, $$"""{"type":"event","length":{{body.WrittenCount}},"content_type":"application/json"}""") + "\n";
        return [.. Encoding.UTF8.GetBytes(head), .. body.WrittenSpan, (byte)'\n'];
    }

    static void Event(Utf8JsonWriter json, ErrorReport report, ReportedProgram program, string id)
    {
        json.WriteStartObject();
        json.WriteString("event_id", id);
        json.WriteString("timestamp", Time(report.At));
        json.WriteString("platform", "csharp");
        json.WriteString("level", report.IsFatal ? "fatal" : "error");
        if (report.Logger is { } logger) json.WriteString("logger", logger);
        if (report.Endpoint is { } endpoint) json.WriteString("transaction", report.Method is { } method ? $"{method} {endpoint}" : endpoint);
        json.WriteString("server_name", program.Node);
        json.WriteString("release", program.Release);
        json.WriteString("environment", program.Environment);
        if (report.Message is { } message) Object(json, "logentry", () => json.WriteString("formatted", Redaction.Of(message)));
        if (report.Exception is { } exception) Exceptions(json, exception, handled: !report.IsFatal);
        Tags(json, report);
        if (report.User is { } user) Object(json, "user", () => json.WriteString("id", Hash(user)));
        if (report.Endpoint is not null && report.Method is not null)
            Object(json, "request", () =>
            {
                json.WriteString("method", report.Method);
                json.WriteString("url", report.Endpoint);
            });
        Object(json, "contexts", () => Contexts(json, report));
        if (report.LeftOut > 0) Object(json, "extra", () => json.WriteNumber("left_out", report.LeftOut));
        Breadcrumbs(json, report.Breadcrumbs);
        Object(json, "sdk", () =>
        {
            json.WriteString("name", Client.Split('/')[0]);
            json.WriteString("version", Client.Split('/')[1]);
        });
        json.WriteEndObject();
    }

    static void Tags(Utf8JsonWriter json, ErrorReport report) => Object(json, "tags", () =>
    {
        json.WriteString("origin", report.Origin);
        if (report.Endpoint is { } endpoint) json.WriteString("endpoint", endpoint);
        if (report.Method is { } method) json.WriteString("method", method);
        if (report.RequestId is { } request) json.WriteString("request_id", request);
        if (report.Milliseconds is { } milliseconds) json.WriteString("response_time_ms", milliseconds.ToString("0", CultureInfo.InvariantCulture));
    });

    static void Contexts(Utf8JsonWriter json, ErrorReport report)
    {
        Object(json, "trace", () =>
        {
            json.WriteString("trace_id", report.TraceId);
            json.WriteString("span_id", report.TraceId[..16]);
        });
        Object(json, "runtime", () =>
        {
            json.WriteString("name", ".NET");
            json.WriteString("version", Environment.Version.ToString());
        });
        Object(json, "os", () => json.WriteString("name", RuntimeInformation.OSDescription));
    }

    static void Breadcrumbs(Utf8JsonWriter json, IReadOnlyList<Breadcrumb> crumbs)
    {
        if (crumbs.Count == 0) return;
        json.WriteStartObject("breadcrumbs");
        json.WriteStartArray("values");
        foreach (var crumb in crumbs)
        {
            json.WriteStartObject();
            json.WriteString("timestamp", Time(crumb.At));
            json.WriteString("level", crumb.Level);
            json.WriteString("category", crumb.Category);
            json.WriteString("message", Redaction.Of(crumb.Message));
            if (crumb.Data.Count > 0)
                Object(json, "data", () =>
                {
                    foreach (var (name, value) in crumb.Data) json.WriteString(name, Convert.ToString(value, CultureInfo.InvariantCulture));
                });
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>The innermost first, as the protocol wants it.</summary>
    static void Exceptions(Utf8JsonWriter json, Exception exception, bool handled)
    {
        var chain = new List<Exception>();
        for (var e = exception; e is not null && chain.Count < MostExceptions; e = e.InnerException) chain.Add(e);
        chain.Reverse();
        json.WriteStartObject("exception");
        json.WriteStartArray("values");
        foreach (var e in chain)
        {
            json.WriteStartObject();
            json.WriteString("type", e.GetType().Name);
            json.WriteString("module", e.GetType().Namespace);
            json.WriteString("value", Redaction.Of(e.Message));
            Frames(json, new StackTrace(e, fNeedFileInfo: true).GetFrames());
            Object(json, "mechanism", () =>
            {
                json.WriteString("type", "generic");
                json.WriteBoolean("handled", handled);
            });
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>The oldest call first.</summary>
    static void Frames(Utf8JsonWriter json, StackFrame[] frames)
    {
        if (frames.Length == 0) return;
        json.WriteStartObject("stacktrace");
        json.WriteStartArray("frames");
        foreach (var frame in frames.Take(MostFrames).Reverse())
        {
            var (module, function) = NameOf(frame);
            json.WriteStartObject();
            json.WriteString("function", function);
            if (module is not null) json.WriteString("module", module);
            if (frame.GetFileName() is { } file)
            {
                json.WriteString("filename", Within(file));
                json.WriteNumber("lineno", frame.GetFileLineNumber());
            }
            json.WriteBoolean("in_app", module?.StartsWith("Portal.", StringComparison.Ordinal) == true);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>What the compiler made of an asynchronous method is told under the name that was written.</summary>
    static (string? Module, string Function) NameOf(StackFrame frame)
    {
        var method = DiagnosticMethodInfo.Create(frame);
        if (method is null) return (null, "?");
        var (type, name) = (method.DeclaringTypeName ?? "", method.Name);
        var open = type.LastIndexOf("+<", StringComparison.Ordinal);
        if (open >= 0 && type.IndexOf('>', open) is > 0 and var close && close > open + 2) (type, name) = (type[..open], type[(open + 2)..close]);
        return (type, name);
    }

    /// <summary>Where the file lies in the sources, not on the machine that built it.</summary>
    static string Within(string file)
    {
        var parts = file.Split('/', '\\');
        var project = Array.FindLastIndex(parts, p => p is "Portal" or "Portal.Infrastructure" or "Portal.Domain" or "Portal.Tests");
        return project >= 0 ? string.Join('/', parts[project..]) : parts[^1];
    }

    static string Hash(string user) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes("portal user " + user)))[..16];

    static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    static void Object(Utf8JsonWriter json, string name, Action write)
    {
        json.WriteStartObject(name);
        write();
        json.WriteEndObject();
    }
}
