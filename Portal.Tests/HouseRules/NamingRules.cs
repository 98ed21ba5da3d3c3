using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Portal.Tests.HouseRules;

public class NamingRules
{
    static readonly string[] Empty = ["Manager", "Helper", "Helpers", "Service", "Services", "Impl", "Dto", "Util", "Utils", "Utility"];

    /// <summary>By itself it is the field's word for what a team looks after; these are about one.</summary>
    static readonly string[] OfTheField = ["Service", "CreateService", "ChangeService", "NewService"];

    [Fact]
    public void Names_are_the_words_of_the_field()
    {
        Rule.Accepts(EmptyNames, Rule.Plant("Portal/X.cs", "class DeclareIncident { }"));
        Rule.Accepts(EmptyNames, Rule.Plant("Portal.Domain/Alerting/Service.cs", "class Service { }"));
        Rule.Holds(EmptyNames, Repository.Product,
            Rule.Plant("Portal/X.cs", "class IncidentManager { }"),
            Rule.Plant("Portal/X.cs", "record struct IncidentDto;"),
            Rule.Plant("Portal/X.cs", "interface IMailService { }"),
            Rule.Plant("Portal/X.cs", "class A { enum StatusUtil { } }"),
            Rule.Plant("Portal/Features/X/TimeHelper.razor", ""));
    }

    [Fact]
    public void Every_public_domain_type_says_in_a_sentence_what_it_is()
    {
        Rule.Accepts(Undocumented, Rule.Plant("Portal.Domain/X.cs", "/// <summary>A thing.</summary>\npublic class A { }"));
        Rule.Accepts(Undocumented, Rule.Plant("Portal.Domain/X.cs", "public readonly record struct AId(Guid Value) : IId<AId>;"));
        Rule.Holds(Undocumented, Repository.Product,
            Rule.Plant("Portal.Domain/X.cs", "public class A { }"),
            Rule.Plant("Portal.Domain/X.cs", "// A thing.\npublic sealed record A(int X);"),
            Rule.Plant("Portal.Domain/X.cs", "public enum A { B }"),
            Rule.Plant("Portal.Domain/X.cs", "/// <summary></summary>\npublic static class A { }"));
    }

    [Fact]
    public void A_namespace_is_the_folder_and_stands_at_the_top_of_the_file()
    {
        Rule.Accepts(Misplaced, Rule.Plant("Portal/Features/Things/A.cs", "namespace Portal.Features.Things;"));
        Rule.Holds(Misplaced, Repository.Product,
            Rule.Plant("Portal/Features/Things/A.cs", "namespace Portal.Features.Others;"),
            Rule.Plant("Portal/Features/Things/A.cs", "namespace Portal.Features.Things { }"));
    }

    static IEnumerable<string> EmptyNames(IReadOnlyList<Source> sources) =>
        sources.SelectMany(s => s.All<BaseTypeDeclarationSyntax>().Select(t => (Source: s, Name: t.Identifier.Text)).Append((Source: s, Name: s.FileName.Split('.')[0])))
            .Where(t => !OfTheField.Contains(t.Name) && Empty.Any(e => t.Name.EndsWith(e, StringComparison.Ordinal)))
            .Select(t => $"{t.Source.Path}: {t.Name} says nothing of what it is").Distinct();

    /// <summary>Ids are exempt: their name is all there is to say.</summary>
    static IEnumerable<string> Undocumented(IReadOnlyList<Source> sources) =>
        from source in sources
        where source.Path.StartsWith("Portal.Domain/", StringComparison.Ordinal)
        from type in source.All<BaseTypeDeclarationSyntax>()
        where type.Modifiers.Any(SyntaxKind.PublicKeyword) && type.BaseList?.Types.Any(t => t.Type.ToString().StartsWith("IId<", StringComparison.Ordinal)) != true
        let summary = type.GetLeadingTrivia().Select(t => t.GetStructure()).OfType<DocumentationCommentTriviaSyntax>()
            .SelectMany(d => d.Content.OfType<XmlElementSyntax>()).FirstOrDefault(e => e.StartTag.Name.ToString() == "summary")
        where summary is null || summary.Content.ToString().Trim(' ', '/', '\n', '.').Length == 0
        select $"{source.At(type)} {type.Identifier} has no sentence";

    static IEnumerable<string> Misplaced(IReadOnlyList<Source> sources) =>
        from source in sources
        from space in source.All<BaseNamespaceDeclarationSyntax>()
        let folder = source.Path[..source.Path.LastIndexOf('/')].Replace('/', '.')
        where space is not FileScopedNamespaceDeclarationSyntax || space.Name.ToString() != folder
        select $"{source.Path} declares {space.Name}, expected {folder} as a file-scoped namespace";
}
