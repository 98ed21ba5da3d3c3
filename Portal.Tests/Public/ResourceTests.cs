using System.Text.RegularExpressions;
using Portal.Public;

namespace Portal.Tests.Public;

public partial class ResourceTests
{
    [Fact]
    public void Both_languages_have_the_same_texts_with_the_same_places()
    {
        Assert.NotEmpty(PublicText.English.Keys);
        Assert.Equal(PublicText.English.Keys.Order(), PublicText.German.Keys.Order());
        foreach (var key in PublicText.English.Keys)
        {
            Assert.Equal(Places(PublicText.English[key]), Places(PublicText.German[key]));
            Assert.False(string.IsNullOrWhiteSpace(PublicText.German[key]), key);
        }
        Assert.NotEqual(PublicText.English["components"], PublicText.German["components"]);
    }

    [Fact]
    public void A_text_that_does_not_exist_is_a_fault() => Assert.Throws<KeyNotFoundException>(() => PublicText.English["no such text"]);

    [Fact]
    public void No_page_holds_a_text_of_its_own()
    {
        Assert.NotEmpty(HardCoded("<p>Hello <b>there</b></p>"));
        Assert.NotEmpty(HardCoded("<a title=\"Click here\">@T[\"x\"]</a>"));
        var pages = Directory.GetFiles(Path.Combine(Root(), "Portal", "Public", "Pages"), "*.razor");
        Assert.True(pages.Length > 10);
        foreach (var page in pages)
            Assert.True(HardCoded(File.ReadAllText(page)) is [], $"{Path.GetFileName(page)}: {string.Join(" | ", HardCoded(File.ReadAllText(page)))}");
    }

    /// <summary>Words between tags, and in attributes that are read out, which do not come from an expression. Names of formats are no words.</summary>
    static List<string> HardCoded(string razor)
    {
        var code = razor.IndexOf("@code {", StringComparison.Ordinal);
        var markup = Comments().Replace(code < 0 ? razor : razor[..code], "");
        markup = string.Join('\n', markup.Split('\n').Where(l => !l.TrimStart().StartsWith("var ", StringComparison.Ordinal)));
        for (string before = ""; before != markup;)
        {
            before = markup;
            markup = Expressions().Replace(markup, "");
        }
        return [.. Texts().Matches(markup).Select(m => m.Groups[1].Value).Concat(Spoken().Matches(markup).Select(m => m.Groups[1].Value))
            .Select(t => t.Trim()).Where(t => Words().IsMatch(t) && t is not ("RSS" or "Atom" or "API"))];
    }

    static int[] Places(string text) => [.. PlaceMarks().Matches(text).Select(m => m.Value[1] - '0').Distinct().Order()];

    static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Portal.sln"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }

    [GeneratedRegex(@"@\*.*?\*@", RegexOptions.Singleline)]
    private static partial Regex Comments();
    [GeneratedRegex(@"@(?:foreach|if|inherits|namespace|using)\b[^\n]*|\belse(?: if [^\n]*)?|@\((?>[^()""]|""[^""]*""|(?<o>\()|(?<-o>\)))*(?(o)(?!))\)|@[A-Za-z][\w.]*(?:\[[^\]]*\]|\((?>[^()""]|""[^""]*""|(?<o>\()|(?<-o>\)))*(?(o)(?!))\)|\.\w+)*")]
    private static partial Regex Expressions();
    [GeneratedRegex(@">([^<>{}]*)<")]
    private static partial Regex Texts();
    [GeneratedRegex(@"(?:title|aria-label|alt|placeholder)=""([^""]*)""")]
    private static partial Regex Spoken();
    [GeneratedRegex(@"\p{L}{2,}")]
    private static partial Regex Words();
    [GeneratedRegex(@"\{\d")]
    private static partial Regex PlaceMarks();
}
