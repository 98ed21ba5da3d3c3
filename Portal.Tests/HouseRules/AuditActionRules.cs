using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Portal.Components.Ui;
using Portal.Features.Incidents;

namespace Portal.Tests.HouseRules;

public partial class AuditActionRules
{
    const string Fixed = """db.Commit(new AuditEntry(actor, "thing.done", id, "words", now), ct);""";
    const string Chosen = """var action = some ? "thing.done" : "thing.undone"; db.Commit(new AuditEntry(actor, action, id, "words", now), ct);""";
    const string ByMethod = """db.Commit(new AuditEntry(actor, ActionOf(x), id, "words", now), ct); } string ActionOf(int x) => x switch { 0 => "thing.done", _ => "thing.undone" }; void M() {""";
    const string Handed = """Note("thing.done", "words"); void Note(string action, string words) => done.Add(new AuditEntry(actor, action, id, words, now));""";

    static IReadOnlyList<Source> Plant(string body) => Rule.Plant("Portal/Features/Things/DoThing.cs", $$"""class DoThing { void Execute() { {{body}} } }""");

    [Fact]
    public void Every_action_that_the_overview_shows_is_written_by_somebody()
    {
        var written = Repository.Product.SelectMany(Written).SelectMany(w => w.Actions).ToHashSet();
        Assert.DoesNotContain(SituationNow.Interesting, action => !written.Contains(action));
        Assert.DoesNotContain(AuditWords.Known, action => !written.Contains(action));
    }

    [Fact]
    public void Every_audited_action_has_words_for_people()
    {
        Rule.Accepts(WithoutWords, Plant(Fixed.Replace("thing.done", "incident.declared")));
        Rule.Accepts(WithoutWords, Plant(Handed.Replace("thing.done", "incident.declared")));
        Rule.Holds(WithoutWords, Repository.Product,
            Plant(Fixed), Plant(Chosen), Plant(ByMethod), Plant(Handed),
            Plant(Chosen.Replace("thing.done", "incident.declared")),
            Plant("db.Commit(new AuditEntry(actor, elsewhere.Action, id, words, now), ct);"));
    }

    static IEnumerable<string> WithoutWords(IReadOnlyList<Source> sources) =>
        from source in sources
        from written in Written(source)
        from violation in written.Actions.Count == 0
            ? [$"{source.At(written.Where)} writes an action that no test can read: use a literal"]
            : written.Actions.Where(a => !AuditWords.Known.Contains(a)).Select(a => $"{source.At(written.Where)} writes \"{a}\", which has no words in AuditWords.cs")
        select violation;

    /// <summary>Where audit rows are made, and the actions that each can carry.</summary>
    static IEnumerable<(SyntaxNode Where, IReadOnlyList<string> Actions)> Written(Source source) =>
        source.All<ObjectCreationExpressionSyntax>().Where(c => c.Type.ToString() == "AuditEntry" && c.ArgumentList?.Arguments.Count > 1)
            .Select(c => ((SyntaxNode)c, (IReadOnlyList<string>)[.. Literals(c.ArgumentList!.Arguments[1].Expression).Concat(Named(source, c.ArgumentList.Arguments[1].Expression)).Distinct()]));

    static IEnumerable<string> Literals(SyntaxNode node) =>
        node.DescendantNodesAndSelf().OfType<LiteralExpressionSyntax>().Select(l => l.Token.ValueText).Where(t => Action().IsMatch(t));

    /// <summary>Behind a name: what a variable begins with, what a method returns, what a parameter is handed.</summary>
    static IEnumerable<string> Named(Source source, ExpressionSyntax expression)
    {
        foreach (var name in expression.DescendantNodesAndSelf().OfType<IdentifierNameSyntax>().Select(i => i.Identifier.Text).Distinct())
        {
            foreach (var variable in source.All<VariableDeclaratorSyntax>().Where(v => v.Identifier.Text == name))
                foreach (var action in Literals(variable)) yield return action;
            foreach (var method in source.All<MethodDeclarationSyntax>().Where(m => m.Identifier.Text == name))
                foreach (var action in Literals(method)) yield return action;
            foreach (var local in source.All<LocalFunctionStatementSyntax>())
            {
                var at = local.ParameterList.Parameters.IndexOf(p => p.Identifier.Text == name);
                if (at < 0) continue;
                foreach (var call in source.All<InvocationExpressionSyntax>().Where(i => i.Expression.ToString() == local.Identifier.Text && i.ArgumentList.Arguments.Count > at))
                    foreach (var action in Literals(call.ArgumentList.Arguments[at])) yield return action;
            }
        }
    }

    [GeneratedRegex("^[a-z_-]+\\.[a-z_-]+$")]
    private static partial Regex Action();
}
