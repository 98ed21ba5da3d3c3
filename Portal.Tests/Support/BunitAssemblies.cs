using System.Runtime.CompilerServices;
using System.Runtime.Loader;

namespace Portal.Tests.Support;

/// <summary>bUnit's AngleSharp.Diffing is copied beside the tests by hand (docs/adr/0001): it is not in the restored graph.</summary>
static class BunitAssemblies
{
    [ModuleInitializer]
    internal static void Prepare()
    {
        Resolve();
        Patience();
    }

    /// <summary>A screen that loads from a real database on a busy machine is waited for; a condition that comes true ends the wait at once.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    static void Patience() => Bunit.BunitContext.DefaultWaitTimeout = TimeSpan.FromSeconds(20);

    static void Resolve() => AssemblyLoadContext.Default.Resolving += (context, name) =>
        name.Name == "AngleSharp.Diffing" ? context.LoadFromAssemblyPath(Path.Combine(AppContext.BaseDirectory, "bunit", "AngleSharp.Diffing.dll")) : null;
}
