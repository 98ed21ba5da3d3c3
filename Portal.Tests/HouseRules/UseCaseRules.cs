using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Portal.Tests.HouseRules;

public class UseCaseRules
{
    const string Good = """
        public sealed class RenameThing(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
        {
            public async Task Execute(string name, Actor actor, CancellationToken ct)
            {
                actor.Require(Permission.ManageComponents);
                await db.Commit(new AuditEntry(actor, "thing.renamed", "x", name, now), ct);
            }
        }
        """;

    static IReadOnlyList<Source> Plant(string text) => Rule.Plant("Portal/Features/Things/RenameThing.cs", text);

    [Fact]
    public void A_use_case_is_one_sealed_class_with_one_public_Execute_whose_last_parameter_is_a_required_token()
    {
        Rule.Accepts(Shape, Plant(Good));
        Rule.Holds(Shape, Repository.Product,
            Plant(Good.Replace("sealed ", "")),
            Plant(Good.Replace("CancellationToken ct)", "CancellationToken ct = default)")),
            Plant(Good.Replace(", CancellationToken ct)", ")")),
            Plant(Good.Replace("public async Task Execute", "public void Prepare() { }\n public async Task Execute")),
            Plant(Good.Replace("public async Task Execute", "public void Execute(CancellationToken ct) { }\n public async Task Execute")));
    }

    [Fact]
    public void A_use_case_begins_by_asking_who_acts_and_saves_only_together_with_its_audit_row()
    {
        Rule.Accepts(Saves, Plant(Good));
        Rule.Holds(Saves, Repository.Product,
            Plant(Good.Replace("db.Commit(new AuditEntry(actor, \"thing.renamed\", \"x\", name, now), ct)", "db.SaveChangesAsync(ct)")),
            Plant(Good.Replace("await db.Commit", "await db.SaveChangesAsync(ct); await db.Commit")),
            Plant(Good.Replace("await db.Commit", "await db.Database.BeginTransactionAsync(ct); await db.SaveChangesAsync(ct); await db.Commit")),
            Plant(Good.Replace("await db.Commit", "await db.Things.ExecuteDeleteAsync(ct); await db.Commit")));
        Rule.Accepts(Asks, Plant(Good));
        Rule.Holds(Asks, Repository.Product, Plant(Good.Replace("actor.Require(Permission.ManageComponents);", "")));
    }

    [Fact]
    public void A_query_has_Load_and_never_writes()
    {
        const string query = "public sealed class ThingList { public async Task<int> Load(CancellationToken ct) { return await db.Things.CountAsync(ct); } }";
        Rule.Accepts(QueriesOnlyRead, Plant(query));
        Rule.Holds(QueriesOnlyRead, Repository.Product,
            Plant(query.Replace("db.Things.CountAsync(ct)", "db.SaveChangesAsync(ct)")),
            Plant(query.Replace("db.Things.CountAsync(ct)", "db.Things.ExecuteUpdateAsync(s => s, ct)")),
            Plant(query.Replace("CancellationToken ct", "")));
    }

    [Fact]
    public void A_context_never_uses_another_contexts_use_cases()
    {
        IReadOnlyList<Source> Two(string path, string text) => [.. Plant(Good), new Source(path, text)];
        Rule.Accepts(OwnUseCasesOnly, Two("Portal/Features/Things/ThingPage.razor", "@inject RenameThing Rename"));
        Rule.Accepts(OwnUseCasesOnly, Two("Portal/Account/Page.razor", "@inject RenameThing Rename"));
        Rule.Holds(OwnUseCasesOnly, Repository.Product,
            Two("Portal/Features/Others/OtherPage.razor", "@inject RenameThing Rename"),
            Two("Portal/Features/Others/DoOther.cs", "sealed class DoOther(RenameThing rename) { }"));
    }

    static IEnumerable<string> Shape(IReadOnlyList<Source> sources) =>
        from useCase in UseCases(sources)
        from violation in Check(useCase.Class)
        select $"{useCase.Source.At(useCase.Class)} {useCase.Class.Identifier}: {violation}";

    static IEnumerable<string> Check(ClassDeclarationSyntax type)
    {
        if (!type.Modifiers.Any(SyntaxKind.SealedKeyword)) yield return "is not sealed";
        var entries = PublicMethods(type).ToList();
        if (entries.Count > 1) yield return $"has more than one public method: {string.Join(", ", entries.Select(e => e.Identifier))}";
        var last = entries[0].ParameterList.Parameters.LastOrDefault();
        if (last?.Type?.ToString() != "CancellationToken" || last.Default is not null) yield return "Execute must end with a required CancellationToken";
    }

    static IEnumerable<string> Saves(IReadOnlyList<Source> sources)
    {
        foreach (var (source, type) in UseCases(sources))
        {
            var calls = Calls(type);
            // Locks, notices and bulk writes are well in the transaction that Commit saves in.
            foreach (var banned in calls.Intersect(calls.Contains("BeginTransactionAsync") ? Saving : Writing)) yield return $"{source.At(type)} {type.Identifier} calls {banned}: a use case saves through Commit";
            // What has no database at hand has nothing to save ("try it now").
            if (type.ToString().Contains("IDbContextFactory", StringComparison.Ordinal) && !calls.Contains("Commit"))
                yield return $"{source.At(type)} {type.Identifier} never calls Commit: what only reads is a query, with Load";
        }
    }

    /// <summary>What everybody may do: sign in and out, and look after their own name, password and sessions.</summary>
    static readonly string[] OwnAccount = ["SignIn", "SignOut", "ChangeOwnName", "ChangeOwnPassword", "RevokeSession", "RevokeOtherSessions"];

    static IEnumerable<string> Asks(IReadOnlyList<Source> sources) =>
        from useCase in UseCases(sources)
        where PublicMethods(useCase.Class).Any(m => m.ParameterList.Parameters.Any(p => p.Type?.ToString() == "Actor"))
        where !Calls(useCase.Class).Contains("Require") && !Calls(useCase.Class).Contains("May")
        where !OwnAccount.Contains(useCase.Class.Identifier.Text)
        select $"{useCase.Source.At(useCase.Class)} {useCase.Class.Identifier} takes an actor and never asks what they may do";

    static IEnumerable<string> QueriesOnlyRead(IReadOnlyList<Source> sources)
    {
        foreach (var source in Features(sources))
            foreach (var type in source.All<ClassDeclarationSyntax>())
            {
                var load = type.Members.OfType<MethodDeclarationSyntax>().FirstOrDefault(m => m.Identifier.Text == "Load" && m.Modifiers.Any(SyntaxKind.PublicKeyword) && !m.Modifiers.Any(SyntaxKind.StaticKeyword));
                if (load is null) continue;
                foreach (var banned in Calls(type).Intersect([.. Writing, "Commit"])) yield return $"{source.At(type)} {type.Identifier} is a query and calls {banned}";
                if (load.ReturnType.ToString() is var returns && returns.Contains("Task", StringComparison.Ordinal) && load.ParameterList.Parameters.LastOrDefault() is not { Default: null, Type: IdentifierNameSyntax { Identifier.Text: "CancellationToken" } })
                    yield return $"{source.At(load)} {type.Identifier}.Load must end with a required CancellationToken";
            }
    }

    static IEnumerable<string> OwnUseCasesOnly(IReadOnlyList<Source> sources)
    {
        var owners = UseCases(sources).ToDictionary(u => u.Class.Identifier.Text, u => ContextOf(u.Source));
        foreach (var source in Features(sources))
        {
            var context = ContextOf(source);
            foreach (var name in Words(source).Distinct())
                if (owners.TryGetValue(name, out var owner) && owner != context)
                    yield return $"{source.Path} uses {name}, a use case of {owner}: a reaction in another context is an outbox row";
        }
    }

    static readonly string[] Saving = ["SaveChanges", "SaveChangesAsync"];
    static readonly string[] Writing = [.. Saving, "ExecuteUpdate", "ExecuteUpdateAsync", "ExecuteDelete", "ExecuteDeleteAsync", "ExecuteSqlAsync", "ExecuteSqlRawAsync", "ExecuteSqlInterpolatedAsync"];

    static IEnumerable<Source> Features(IReadOnlyList<Source> sources) => sources.Where(s => s.Path.StartsWith("Portal/Features/", StringComparison.Ordinal));

    static string ContextOf(Source source) => source.Path.Split('/')[2];

    static IEnumerable<(Source Source, ClassDeclarationSyntax Class)> UseCases(IReadOnlyList<Source> sources) =>
        from source in Features(sources)
        from type in source.All<ClassDeclarationSyntax>()
        where PublicMethods(type).Any(m => m.Identifier.Text == "Execute")
        select (source, type);

    static IEnumerable<MethodDeclarationSyntax> PublicMethods(ClassDeclarationSyntax type) =>
        type.Members.OfType<MethodDeclarationSyntax>().Where(m => m.Modifiers.Any(SyntaxKind.PublicKeyword) && !m.Modifiers.Any(SyntaxKind.StaticKeyword))
            .OrderByDescending(m => m.Identifier.Text == "Execute");

    static HashSet<string> Calls(ClassDeclarationSyntax type) => type.DescendantNodes().OfType<InvocationExpressionSyntax>()
        .Select(i => i.Expression switch { MemberAccessExpressionSyntax m => m.Name.Identifier.Text, MemberBindingExpressionSyntax b => b.Name.Identifier.Text, SimpleNameSyntax n => n.Identifier.Text, _ => "" }).ToHashSet();

    static IEnumerable<string> Words(Source source) => source.IsCSharp
        ? source.All<IdentifierNameSyntax>().Select(n => n.Identifier.Text)
        : System.Text.RegularExpressions.Regex.Matches(source.Text, @"\b[A-Z]\w+\b").Select(m => m.Value);
}
