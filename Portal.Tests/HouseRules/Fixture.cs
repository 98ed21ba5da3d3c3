using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Portal.Tests.HouseRules;

/// <summary>A planted violation compiled into an assembly of its own.</summary>
static class Fixture
{
    static readonly IReadOnlyList<MetadataReference> References =
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Where(p => !p.Contains("AngleSharp", StringComparison.Ordinal)).Select(p => MetadataReference.CreateFromFile(p))];

    public static CSharpCompilation Compilation(string source) => CSharpCompilation.Create("Planted",
        [CSharpSyntaxTree.ParseText("using System; using System.Threading; using System.Threading.Tasks;\n" + source)], References,
        new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary));

    public static byte[] Image(string source)
    {
        using var image = new MemoryStream();
        var result = Compilation(source).Emit(image);
        Assert.True(result.Success, string.Join('\n', result.Diagnostics));
        return image.ToArray();
    }

    public static Assembly Load(string source) => Assembly.Load(Image(source));
}
