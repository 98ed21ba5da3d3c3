using System.Diagnostics;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Portal.Tests.HouseRules;

/// <summary>A file of the repository, or one that a test plants: the path is relative to the root, with slashes.</summary>
sealed record Source(string Path, string Text)
{
    public bool IsCSharp => Path.EndsWith(".cs", StringComparison.Ordinal);
    public bool IsRazor => Path.EndsWith(".razor", StringComparison.Ordinal);
    public string FileName => Path[(Path.LastIndexOf('/') + 1)..];

    public CompilationUnitSyntax Syntax => syntax ??= CSharpSyntaxTree.ParseText(Text).GetCompilationUnitRoot();
    CompilationUnitSyntax? syntax;

    public IEnumerable<T> All<T>() where T : SyntaxNode => IsCSharp ? Syntax.DescendantNodes().OfType<T>() : [];

    public string At(SyntaxNode node) => $"{Path}:{node.GetLocation().GetLineSpan().StartLinePosition.Line + 1}";
}

/// <summary>What git knows of this checkout, with what is new in it and not ignored.</summary>
static class Repository
{
    public static string Root { get; } = FindRoot();

    public static IReadOnlyList<string> Files { get; } = ListFiles();

    /// <summary>The hand-written C# and Razor of the product: not migrations, not tests.</summary>
    public static IReadOnlyList<Source> Product { get; } =
        [.. Files.Where(f => (f.StartsWith("Portal/", StringComparison.Ordinal) || f.StartsWith("Portal.Domain/", StringComparison.Ordinal) || f.StartsWith("Portal.Infrastructure/", StringComparison.Ordinal))
            && !f.Contains("/Migrations/", StringComparison.Ordinal) && (f.EndsWith(".cs", StringComparison.Ordinal) || f.EndsWith(".razor", StringComparison.Ordinal))).Select(Read)];

    public static Source Read(string path) => new(path, File.ReadAllText(Path.Combine(Root, path)));

    static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Portal.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("The house rules read the checkout that the tests were built in, and it is not there.");
    }

    static string[] ListFiles()
    {
        using var git = Process.Start(new ProcessStartInfo("git", ["-c", "safe.directory=*", "-C", Root, "ls-files", "--cached", "--others", "--exclude-standard", "-z"]) { RedirectStandardOutput = true })!;
        var output = git.StandardOutput.ReadToEnd();
        git.WaitForExit();
        Assert.Equal(0, git.ExitCode);
        return [.. output.Split('\0', StringSplitOptions.RemoveEmptyEntries).Where(f => File.Exists(Path.Combine(Root, f))).Distinct().Order(StringComparer.Ordinal)];
    }
}
