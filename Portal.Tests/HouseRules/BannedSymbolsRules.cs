using System.Collections.Immutable;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace Portal.Tests.HouseRules;

public class BannedSymbolsRules
{
    [Fact]
    public void Every_line_names_a_symbol_that_exists()
    {
        Rule.Accepts(Unknown, new Source("BannedSymbols.txt", "P:System.DateTime.Now;x"));
        Rule.Holds(Unknown, Repository.Read("BannedSymbols.txt"), new Source("BannedSymbols.txt", "P:System.DateTime.Noww;x"), new Source("BannedSymbols.txt", "M:System.Threading.Thread.Sleep;x"));
    }

    [Fact]
    public void Every_product_project_reads_the_list() => Assert.All(new[] { "Portal", "Portal.Domain", "Portal.Infrastructure" }, name =>
        Rule.Holds(Ignores, Repository.Read($"{name}/{name}.csproj"), new Source("x.csproj", "<Project><PackageReference Include=\"Microsoft.CodeAnalysis.BannedApiAnalyzers\" /></Project>"), new Source("x.csproj", "<Project />")));

    [Theory]
    [InlineData("class A { object M() => DateTime.Now; }")]
    [InlineData("class A { object M() => DateTime.UtcNow; }")]
    [InlineData("class A { object M() => DateTimeOffset.UtcNow; }")]
    [InlineData("class A { object M() => Random.Shared; }")]
    [InlineData("class A { object M() => Guid.NewGuid(); }")]
    [InlineData("class A { void M() => Thread.Sleep(1); }")]
    [InlineData("class A { Task M(CancellationToken ct) => Task.Delay(1000, ct); }")]
    [InlineData("class A { object M() => new PeriodicTimer(TimeSpan.FromSeconds(1)); }")]
    public async Task The_analyser_refuses_what_is_banned(string planted) =>
        Assert.Contains(await Diagnose(planted), d => d.Id == "RS0030");

    [Fact]
    public async Task The_analyser_lets_the_right_way_pass() =>
        Assert.Empty(await Diagnose("class A { Task M(TimeProvider clock, CancellationToken ct) => Task.Delay(TimeSpan.FromSeconds(1), clock, ct); object N(TimeProvider clock) => clock.GetUtcNow(); }"));

    static IEnumerable<string> Unknown(Source list)
    {
        var compilation = Fixture.Compilation("");
        return from line in list.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
               where DocumentationCommentId.GetSymbolsForDeclarationId(line.Split(';')[0], compilation).IsEmpty
               select $"{line} bans nothing";
    }

    static IEnumerable<string> Ignores(Source project)
    {
        if (!project.Text.Contains("Microsoft.CodeAnalysis.BannedApiAnalyzers", StringComparison.Ordinal)) yield return $"{project.Path} has no analyser";
        if (!project.Text.Contains("""<AdditionalFiles Include="../BannedSymbols.txt" />""", StringComparison.Ordinal)) yield return $"{project.Path} does not read the list";
    }

    static async Task<ImmutableArray<Diagnostic>> Diagnose(string source) => await Fixture.Compilation(source)
        .WithAnalyzers(Analyzers(), new AnalyzerOptions([new List()])).GetAnalyzerDiagnosticsAsync();

    /// <summary>The very analyser that the build uses, from the package cache.</summary>
    static ImmutableArray<DiagnosticAnalyzer> Analyzers()
    {
        var version = Regex.Match(Repository.Read("Directory.Packages.props").Text, """BannedApiAnalyzers" Version="([^"]+)""").Groups[1].Value;
        var cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        var folder = Path.Combine(cache, "microsoft.codeanalysis.bannedapianalyzers", version, "analyzers", "dotnet", "cs");
        var analyzer = Assembly.LoadFrom(Path.Combine(folder, "Microsoft.CodeAnalysis.CSharp.BannedApiAnalyzers.dll")).GetType("Microsoft.CodeAnalysis.CSharp.BannedApiAnalyzers.CSharpSymbolIsBannedAnalyzer", throwOnError: true)!;
        return [(DiagnosticAnalyzer)Activator.CreateInstance(analyzer)!];
    }

    sealed class List : AdditionalText
    {
        public override string Path => "BannedSymbols.txt";
        public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(Repository.Read("BannedSymbols.txt").Text);
    }
}
