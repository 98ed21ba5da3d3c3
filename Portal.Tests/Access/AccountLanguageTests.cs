using System.Net;
using System.Text.RegularExpressions;
using Portal.Account;
using Portal.Tests.Support;

namespace Portal.Tests.Access;

public partial class AccountLanguageTests(PortalHost host) : IClassFixture<PortalHost>
{
    async Task<string> Get(string path, string language)
    {
        using var client = host.Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.AcceptLanguage.ParseAdd(language);
        using var answer = await client.SendAsync(request);
        Assert.Contains("Accept-Language", answer.Headers.Vary);
        return WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Account_pages_speak_the_language_that_the_browser_prefers()
    {
        var (english, german) = (await Get("/login", "en-GB"), await Get("/login", "de-DE,de;q=0.9,en;q=0.5"));
        Assert.Contains("<html lang=\"en\">", english);
        Assert.Contains("E-mail address", english);
        Assert.Contains("<html lang=\"de\">", german);
        Assert.Contains("E-Mail-Adresse", german);
        Assert.DoesNotContain("Sign in", german);
        Assert.Contains("Dieser Link gilt nicht mehr", await Get("/setup?token=nothing", "de"));
    }

    [Fact]
    public void Every_text_of_the_account_pages_is_translated()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Portal.sln"))) folder = folder.Parent;
        var sources = Directory.GetFiles(Path.Combine(folder.FullName, "Portal", "Account")).Where(f => f.EndsWith(".razor", StringComparison.Ordinal) || f.EndsWith(".cs", StringComparison.Ordinal));
        var texts = sources.SelectMany(f => Asked().Matches(File.ReadAllText(f)).Select(m => m.Groups[1].Value)).Distinct().ToList();
        Assert.True(texts.Count > 50);
        Assert.All(texts.Where(t => t != "Name"), t => Assert.NotEqual(t, AccountText.German[t]));
    }

    [GeneratedRegex(@"(?:T|text|For\(http\))(?:\.Of\(|\[)""([^""]+)""")]
    private static partial Regex Asked();
}
