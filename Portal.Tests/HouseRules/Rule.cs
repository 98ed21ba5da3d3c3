namespace Portal.Tests.HouseRules;

/// <summary>A rule is a function from what it looks at to the violations it sees. It is believed only after it has seen planted ones.</summary>
static class Rule
{
    /// <param name="planted">Each breaks the rule by itself.</param>
    public static void Holds<T>(Func<T, IEnumerable<string>> rule, T real, params IEnumerable<T> planted)
    {
        Assert.All(planted, plant => Assert.NotEmpty(rule(plant)));
        var violations = rule(real).ToList();
        Assert.True(violations.Count == 0, string.Join('\n', violations.Prepend($"{violations.Count} violation(s):")));
    }

    /// <summary>What is right must stay quiet, else a rule that always shouts would pass for a good one.</summary>
    public static void Accepts<T>(Func<T, IEnumerable<string>> rule, T fine) => Assert.Empty(rule(fine));

    public static IReadOnlyList<Source> Plant(string path, string text) => [new Source(path, text)];
}
