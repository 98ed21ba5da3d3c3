using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Portal.E2E.Support;

/// <summary>A failed journey says in its own message what the portals logged and what the browser complained about meanwhile.</summary>
[SuppressMessage("Performance", "CA1812", Justification = "Named by an attribute.")]
sealed class TellingFramework(IMessageSink diagnostics) : XunitTestFramework(diagnostics)
{
    protected override ITestFrameworkExecutor CreateExecutor(AssemblyName assemblyName) => new Executor(assemblyName, SourceInformationProvider, DiagnosticMessageSink);

    sealed class Executor(AssemblyName assembly, ISourceInformationProvider sources, IMessageSink diagnostics) : XunitTestFrameworkExecutor(assembly, sources, diagnostics)
    {
        protected override void RunTestCases(IEnumerable<IXunitTestCase> testCases, IMessageSink executionMessageSink, ITestFrameworkExecutionOptions executionOptions) =>
            base.RunTestCases(testCases, new Sink(executionMessageSink), executionOptions);
    }

    sealed class Sink(IMessageSink to) : LongLivedMarshalByRefObject, IMessageSink
    {
        public bool OnMessage(IMessageSinkMessage message)
        {
            if (message is ITestStarting) Told.Begin();
            return to.OnMessage(message is not ITestFailed failed ? message
                : new TestFailed(failed.Test, failed.ExecutionTime, failed.Output, failed.ExceptionTypes, [failed.Messages[0] + Told.All(), .. failed.Messages.Skip(1)], failed.StackTraces, failed.ExceptionParentIndices));
        }
    }
}

/// <summary>What was said since the running journey began; journeys run one after the other.</summary>
static class Told
{
    const int Most = 40;
    static readonly Lock Gate = new();
    static readonly List<string> Portal = [], Troubles = [], Browser = [];

    public static void Begin()
    {
        lock (Gate) foreach (var list in (List<string>[])[Portal, Troubles, Browser]) list.Clear();
    }

    public static void ByPortal(string line)
    {
        lock (Gate) (IsTrouble(line) ? Troubles : Portal).Add(line);
    }

    public static void ByBrowser(string line) { lock (Gate) Browser.Add(line); }

    /// <summary>Lines that are not JSON come from a shell or a runtime, which speak up only when something is wrong, or from a start.</summary>
    public static bool IsTrouble(string line) => line.Contains("\"level\":\"warning\"", StringComparison.Ordinal) || IsError(line);

    public static bool IsError(string line) => line.Contains("\"level\":\"error\"", StringComparison.Ordinal) || line.Contains("\"level\":\"critical\"", StringComparison.Ordinal) || line.StartsWith("Unhandled exception", StringComparison.Ordinal);

    public static string All()
    {
        lock (Gate) return $"{Part("The portal's warnings and errors", Troubles, Most)}{Part("The portal's last other lines", Portal, 12)}{Part("The browser's complaints", Browser, Most)}";
    }

    static string Part(string title, List<string> lines, int most)
    {
        var text = new StringBuilder($"\n--- {title}: {lines.Count}");
        foreach (var line in lines.TakeLast(most)) text.Append("\n    ").Append(line.Length > 1_500 ? $"{line[..1_500]}…" : line);
        return text.ToString();
    }
}
