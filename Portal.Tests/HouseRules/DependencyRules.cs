using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Tests.HouseRules;

public class DependencyRules
{
    static readonly Assembly Domain = typeof(Interval).Assembly, Infrastructure = typeof(Database).Assembly, Web = typeof(Program).Assembly;

    [Fact]
    public void The_domain_knows_nothing_but_the_base_class_library()
    {
        Rule.Holds(BeyondTheBaseLibrary, Domain,
            Fixture.Load("public class A { public Npgsql.NpgsqlConnection? C; }"),
            Fixture.Load("public class A { public Microsoft.Extensions.Logging.ILogger? L; }"));
        Rule.Holds(ReferencesBeyondAnalyzers, Repository.Read("Portal.Domain/Portal.Domain.csproj"),
            new Source("x.csproj", """<Project><ItemGroup><PackageReference Include="Npgsql" /></ItemGroup></Project>"""),
            new Source("x.csproj", """<Project><ItemGroup><FrameworkReference Include="Microsoft.AspNetCore.App" /></ItemGroup></Project>"""));
    }

    [Fact]
    public void Infrastructure_does_not_know_the_portal_and_the_end_to_end_tests_know_nobody()
    {
        Rule.Holds(KnowsThePortal, Infrastructure, Fixture.Load("public class A { public global::Program? P; }"));
        Rule.Holds(HasProjectReference, Repository.Read("Portal.E2E/Portal.E2E.csproj"),
            new Source("x.csproj", """<Project><ItemGroup><ProjectReference Include="../Portal/Portal.csproj" /></ItemGroup></Project>"""));
    }

    [Fact]
    public void A_page_never_sees_the_database() => Rule.Holds(PagesSeeTheDatabase, Repository.Product,
        Rule.Plant("Portal/Features/Things/ThingPage.razor", "@inject IDbContextFactory<PortalDbContext> Contexts"),
        Rule.Plant("Portal/Features/Things/ThingPage.razor", "@code { async Task Load(PortalDbContext db) { } }"),
        Rule.Plant("Portal/_Imports.razor", "@using Microsoft.EntityFrameworkCore"),
        Rule.Plant("Portal/Features/Things/ThingPage.razor.cs", "public partial class ThingPage { [Inject] Database Database { get; set; } }"),
        Rule.Plant("Portal/Features/Things/ThingPage.cs", "public sealed class ThingPage(IDbContextFactory<PortalDbContext> contexts) : StaffPage { }"));

    [Fact]
    public void An_interface_has_two_implementations_or_stands_for_something_outside()
    {
        Rule.Accepts<Assembly[]>(LonelyInterfaces, [Fixture.Load("public interface IThing { } class A : IThing { } class B : IThing { }")]);
        Rule.Accepts<Assembly[]>(LonelyInterfaces, [Fixture.Load("public interface IThing<T> { } class A : IThing<int> { } class B : IThing<string> { }")]);
        Rule.Holds<Assembly[]>(LonelyInterfaces, [Domain, Infrastructure, Web],
            [Fixture.Load("public interface IThing { } class A : IThing { }")],
            [Fixture.Load("interface IThing { }")]);
    }

    /// <summary>External systems, where a second implementation is another product and not ours to write yet.</summary>
    static readonly string[] Outside = ["IProbe", "INotificationChannel", "IBackupSource", "IBackupStore", "IErrorReporter", "ILiveBus"];

    static IEnumerable<string> LonelyInterfaces(Assembly[] assemblies)
    {
        var types = assemblies.SelectMany(a => a.GetTypes()).ToList();
        foreach (var port in types.Where(t => t.IsInterface && !Outside.Contains(t.Name)))
        {
            var implementations = types.Where(t => t is { IsInterface: false, IsAbstract: false } && t.GetInterfaces().Any(i => (i.IsGenericType ? i.GetGenericTypeDefinition() : i) == port));
            if (implementations.Take(2).Count() < 2) yield return $"{port.FullName} has fewer than two implementations";
        }
    }

    static IEnumerable<string> BeyondTheBaseLibrary(Assembly assembly) => assembly.GetReferencedAssemblies().Select(r => r.Name!)
        .Where(r => !(r == "System" || r == "netstandard" || r.StartsWith("System.", StringComparison.Ordinal))).Select(r => $"{assembly.GetName().Name} references {r}");

    static IEnumerable<string> KnowsThePortal(Assembly assembly) => assembly.GetReferencedAssemblies().Select(r => r.Name!)
        .Where(r => r is "Portal" or "Portal.Tests").Select(r => $"{assembly.GetName().Name} references {r}");

    static IEnumerable<string> ReferencesBeyondAnalyzers(Source project) => Regex.Matches(project.Text, """<(?:Package|Project|Framework)Reference Include="([^"]+)"[^>]*>""")
        .Where(m => !m.Value.Contains("PrivateAssets=\"all\"", StringComparison.Ordinal)).Select(m => $"{project.Path} references {m.Groups[1].Value}");

    static IEnumerable<string> HasProjectReference(Source project) => Regex.Matches(project.Text, "<ProjectReference ").Select(_ => $"{project.Path} references a project");

    static readonly Regex DatabaseWords = new(@"\b(PortalDbContext|IDbContextFactory|Microsoft\.EntityFrameworkCore|Portal\.Infrastructure\.Persistence|NpgsqlDataSource|NpgsqlConnection|Database Database)\b");

    static IEnumerable<string> PagesSeeTheDatabase(IReadOnlyList<Source> sources) =>
        from source in sources
        where source.IsRazor || source.Path.EndsWith(".razor.cs", StringComparison.Ordinal) || source.All<ClassDeclarationSyntax>().Any(IsComponent)
        let word = DatabaseWords.Match(source.Text)
        where word.Success
        select $"{source.Path} sees {word.Value}";

    static bool IsComponent(ClassDeclarationSyntax type) =>
        type.BaseList?.Types.Any(t => t.Type.ToString() is "ComponentBase" or "StaffPage" or "LayoutComponentBase" or "OwningComponentBase") == true;
}
