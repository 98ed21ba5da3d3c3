using System.Diagnostics.CodeAnalysis;
using System.Reflection;
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
            return to.OnMessage(message is not ITestFailed failed ? message
                : new TestFailed(failed.Test, failed.ExecutionTime, failed.Output, failed.ExceptionTypes, [failed.Messages[0] + Told.All(), .. failed.Messages.Skip(1)], failed.StackTraces, failed.ExceptionParentIndices));
        }
    }
}
