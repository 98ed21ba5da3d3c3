using System.Text;
using Microsoft.Extensions.FileProviders;
using Portal.Public;

namespace Portal.Tests.Public;

public sealed class BrandTests : IDisposable
{
    const string Svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 64 32\"><rect width=\"64\" height=\"32\"/></svg>";
    static readonly byte[] Png = Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==");
    readonly string folder = Directory.CreateTempSubdirectory("portal-brand-").FullName;

    static (Brand Brand, IReadOnlyList<(string Key, string Why)> Problems) Read(params (string Key, string Value)[] settings) =>
        Brand.Read(settings.ToDictionary(s => "Public:" + s.Key, s => (string?)s.Value), "/nowhere");

    string Kept(string name, byte[] content)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    [Theory]
    [InlineData("AccentColour", "#ffcc00", "1.5:1 on #ffffff")]
    [InlineData("AccentColourDark", "#2b55c9", "on #0f1318")]
    [InlineData("AccentColour", "red;}", "is not a colour")]
    [InlineData("Links", "Help", "is not like Help=")]
    [InlineData("Links", "Help=javascript:alert(1)", "is not like Help=")]
    [InlineData("Logo", "/nowhere/logo.svg", "is no file")]
    [InlineData("Logo", "https://cdn.example.com/logo.svg", "not an address")]
    public void What_cannot_be_shown_is_refused_with_the_reason(string key, string value, string why)
    {
        var problem = Assert.Single(Read((key, value)).Problems);
        Assert.Equal("Public:" + key, problem.Key);
        Assert.Contains(why, problem.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void A_logo_must_be_small_and_a_picture_of_a_known_kind()
    {
        Assert.Contains("larger than 12 KB", Assert.Single(Read(("Logo", Kept("big.svg", new byte[13 * 1024]))).Problems).Why);
        Assert.Contains("neither an SVG", Assert.Single(Read(("Logo", Kept("page.svg", "<html/>"u8.ToArray()))).Problems).Why);
        Assert.Contains("neither a PNG nor a JPEG", Assert.Single(Read(("Picture", Kept("picture.svg", Encoding.UTF8.GetBytes(Svg)))).Problems).Why);
    }

    [Fact]
    public void Logo_colours_links_and_picture_are_on_every_page_without_another_request()
    {
        var (brand, problems) = Read(("Logo", Kept("logo.svg", Encoding.UTF8.GetBytes(Svg))), ("Picture", Kept("picture.png", Png)),
            ("AccentColour", "#7a1fa2"), ("AccentColourDark", "#d9a6f0"), ("Links", "Help=https://help.example/?a=1&b=2; Contact=mailto:help@example.com"));
        Assert.Empty(problems);
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "assets")).FullName, "public.css"), "body{}");
        using var files = new PhysicalFileProvider(folder);
        var (plain, assets) = (new PublicAssets(files), new PublicAssets(files, brand));
        Assert.NotEqual(plain["public.css"], assets["public.css"]);
        var style = Encoding.UTF8.GetString(assets.Documents.Single(d => d.Path == assets["public.css"]).Body);
        Assert.StartsWith("body{}", style);
        Assert.Contains(":root{--accent:#7a1fa2}", style);
        Assert.Contains("width:64px", style);
        Assert.Contains(assets.Documents, d => d.Path == assets.Picture && d.ContentType == "image/png");

        using var rendering = new PageRendering();
        var pages = new IPublication[] { new FrontPages(rendering, assets), new ArchivePages(rendering, assets) }.SelectMany(p => p.Render(Models.Page(), Models.At(Models.Now)))
            .Where(d => d.ContentType.StartsWith("text/html", StringComparison.Ordinal)).ToList();
        Assert.True(pages.Count > 6);
        Assert.All(pages.Select(p => Encoding.UTF8.GetString(p.Body)), html =>
        {
            Assert.Contains("class=\"name logo\"", html);
            Assert.Contains($"<meta property=\"og:image\" content=\"https://status.example{assets.Picture}\"", html);
            Assert.Contains("<a href=\"https://help.example/?a=1&amp;b=2\">Help</a>", html);
            Assert.DoesNotContain("<img", html);
        });
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
