using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Portal.Hosting;

namespace Portal.Tests.HouseRules;

public class ConfigurationRules
{
    const string Reader = "Portal/Hosting/OptionsReader.cs";

    /// <summary>What makes the configuration and hands it to the reader, and how that reads a single value.</summary>
    static readonly string[] Others = ["Portal/Hosting/SettingsReader.cs", "Portal/Hosting/ConfigurationSources.cs", "Portal/Hosting/Startup.cs"];

    [Fact]
    public void Configuration_is_read_in_one_place_and_everybody_else_takes_options()
    {
        Rule.Accepts(ReadElsewhere, Rule.Plant("Portal/Live/Some.cs", "sealed class Some(PortalOptions options) { }"));
        Rule.Holds(ReadElsewhere, Repository.Product,
            Rule.Plant("Portal/Live/Some.cs", "sealed class Some(IConfiguration configuration) { }"),
            Rule.Plant("Portal/Public/Some.razor", "@inject IConfiguration Configuration"),
            Rule.Plant("Portal/Live/Some.cs", "class Some { object A(IConfigurationSection section) => section; }"));
    }

    [Fact]
    public void Every_key_of_the_shipped_file_is_read_and_every_key_that_is_read_stands_there()
    {
        static Source With(params IEnumerable<string> keys) => new(Reader, $"class OptionsReader {{ string[] keys = [{string.Join(", ", keys.Select(k => $"\"{k}\""))}]; }}");
        Rule.Accepts(Unmatched, With([.. Leaves, "SENTRY_DSN"]));
        Rule.Holds(Unmatched, Repository.Read(Reader), With(Leaves.Skip(1)), With([.. Leaves, "Public:Colour"]));
    }

    static IEnumerable<string> ReadElsewhere(IReadOnlyList<Source> sources) =>
        from source in sources
        where source.Path != Reader && !Others.Contains(source.Path)
        from Match found in Regex.Matches(source.Text, @"\bIConfiguration\w*\b")
        select $"{source.Path} uses {found.Value}: what is configured is read and checked by OptionsReader";

    static IEnumerable<string> Unmatched(Source reader)
    {
        var read = reader.All<LiteralExpressionSyntax>().Where(l => l.IsKind(SyntaxKind.StringLiteralExpression)).Select(l => l.Token.ValueText)
            .Where(t => Regex.IsMatch(t, "^[A-Z][A-Za-z0-9]*(:[A-Z][A-Za-z0-9]*)+$") || Leaves.Contains(t)).ToHashSet();
        foreach (var key in Leaves.Where(k => !read.Contains(k))) yield return $"appsettings.json has {key}, which nothing reads";
        foreach (var key in read.Where(k => !Leaves.Contains(k))) yield return $"{key} is read and does not stand in appsettings.json";
    }

    /// <summary>Keys that hold a value; of a log's level the part that is not chosen freely.</summary>
    static HashSet<string> Leaves { get; } = FindLeaves();

    static HashSet<string> FindLeaves()
    {
        var keys = ConfigurationSources.KnownKeys();
        return [.. keys.Where(k => !keys.Any(o => o.StartsWith(k + ":", StringComparison.Ordinal))).Select(k => k.StartsWith("Logging:LogLevel:", StringComparison.Ordinal) ? "Logging:LogLevel" : k)];
    }
}
