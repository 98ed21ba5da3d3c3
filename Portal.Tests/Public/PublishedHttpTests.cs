using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Portal.Tests.Support;

namespace Portal.Tests.Public;

public class PublishedHttpTests(PublishedPage page) : IClassFixture<PublishedPage>
{
    async Task<HttpResponseMessage> Get(string path, string? encoding = null, string? language = null, string? tag = null, HttpMethod? method = null)
    {
        using var client = page.Host.Client();
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, path);
        if (encoding is not null) request.Headers.AcceptEncoding.ParseAdd(encoding);
        if (language is not null) request.Headers.AcceptLanguage.ParseAdd(language);
        if (tag is not null) request.Headers.TryAddWithoutValidation("If-None-Match", tag);
        return await client.SendAsync(request);
    }

    static string Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) || response.Content.Headers.TryGetValues(name, out values) ? string.Join(", ", values) : "";

    [Fact]
    public async Task Every_encoding_says_the_same_and_has_a_strong_tag_of_its_own()
    {
        using var plain = await Get("/components/payments");
        using var gzip = await Get("/components/payments", "gzip");
        using var brotli = await Get("/components/payments", "br, gzip");
        var text = await plain.Content.ReadAsStringAsync();
        Assert.Contains("payments", text);
        Assert.Equal("gzip", Header(gzip, "Content-Encoding"));
        Assert.Equal("br", Header(brotli, "Content-Encoding"));
        await using (var unpacked = new GZipStream(await gzip.Content.ReadAsStreamAsync(), CompressionMode.Decompress)) Assert.Equal(text, await new StreamReader(unpacked).ReadToEndAsync());
        await using (var unpacked = new BrotliStream(await brotli.Content.ReadAsStreamAsync(), CompressionMode.Decompress)) Assert.Equal(text, await new StreamReader(unpacked).ReadToEndAsync());
        var tags = new[] { plain, gzip, brotli }.Select(r => r.Headers.ETag!).ToList();
        Assert.Equal(3, tags.Distinct().Count());
        Assert.DoesNotContain(tags, t => t.IsWeak);
        Assert.All([plain, gzip, brotli], r => Assert.Equal("Accept-Encoding", Header(r, "Vary")));
    }

    [Fact]
    public async Task Who_holds_the_bytes_is_told_so()
    {
        using var first = await Get("/history", "br");
        using var same = await Get("/history", "br", tag: first.Headers.ETag!.ToString());
        Assert.Equal(HttpStatusCode.NotModified, same.StatusCode);
        Assert.Equal(first.Headers.ETag, same.Headers.ETag);
        Assert.Equal(Header(first, "Cache-Control"), Header(same, "Cache-Control"));
        Assert.Empty(await same.Content.ReadAsByteArrayAsync());
        using var weakened = await Get("/history", "br", tag: $"\"other\", W/{first.Headers.ETag}");
        Assert.Equal(HttpStatusCode.NotModified, weakened.StatusCode);
        using var otherCoding = await Get("/history", "gzip", tag: first.Headers.ETag.ToString());
        Assert.Equal(HttpStatusCode.OK, otherCoding.StatusCode);
    }

    [Fact]
    public async Task Who_holds_a_page_that_is_made_on_demand_is_told_so()
    {
        using var first = await Get("/history/2020-01");
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        using var again = await Get("/history/2020-01", tag: first.Headers.ETag!.ToString());
        Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
        Assert.Equal(first.Headers.ETag, again.Headers.ETag);
        Assert.Empty(await again.Content.ReadAsByteArrayAsync());
        using var missing = await Get("/history/1999-01");
        Assert.Equal((HttpStatusCode.NotFound, null), (missing.StatusCode, missing.Headers.ETag));
    }

    [Fact]
    public async Task Head_is_answered_like_get_without_the_body()
    {
        using var get = await Get("/history", "gzip");
        using var head = await Get("/history", "gzip", method: HttpMethod.Head);
        Assert.Equal((get.StatusCode, get.Headers.ETag, get.Content.Headers.ContentLength), (head.StatusCode, head.Headers.ETag, head.Content.Headers.ContentLength));
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("/history/2019-12", HttpStatusCode.OK)]
    [InlineData("/de/history/2019-12", HttpStatusCode.OK)]
    [InlineData("/incidents/00000000000070008000000000000000", HttpStatusCode.NotFound)]
    public async Task Head_is_answered_for_pages_that_are_not_kept_ready(string path, HttpStatusCode status)
    {
        using var get = await Get(path);
        using var head = await Get(path, method: HttpMethod.Head);
        Assert.Equal((status, status), (get.StatusCode, head.StatusCode));
        Assert.Equal((get.Content.Headers.ContentType, get.Content.Headers.ContentLength), (head.Content.Headers.ContentType, head.Content.Headers.ContentLength));
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task A_query_string_changes_nothing_and_no_number_of_requests_is_refused()
    {
        using var client = page.Host.Client();
        var tags = new HashSet<string>();
        for (var i = 0; i < 600; i++)
        {
            using var response = await client.GetAsync(new Uri($"/history?x={i}", UriKind.Relative));
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            tags.Add(response.Headers.ETag!.Tag);
        }
        // The page is rendered anew at full minutes; that is the only difference there may be.
        using var plain = await Get("/history");
        Assert.InRange(tags.Count, 1, 3);
        Assert.Contains(plain.Headers.ETag!.Tag, tags);
    }

    [Fact]
    public async Task The_front_page_is_in_the_visitors_language_and_others_are_told_that_it_varies()
    {
        using var english = await Get("/", language: "en-GB");
        using var german = await Get("/", language: "de-DE,en;q=0.5");
        using var none = await Get("/");
        Assert.Contains("lang=\"en\"", await english.Content.ReadAsStringAsync());
        Assert.Contains("lang=\"de\"", await german.Content.ReadAsStringAsync());
        Assert.Contains("lang=\"en\"", await none.Content.ReadAsStringAsync());
        Assert.Equal("Accept-Language, Accept-Encoding", Header(german, "Vary"));
        using var fixedGerman = await Get("/de/", language: "en");
        Assert.Contains("lang=\"de\"", await fixedGerman.Content.ReadAsStringAsync());
        Assert.Empty(Header(german, "Set-Cookie"));
    }

    [Fact]
    public async Task Headers_are_those_that_were_decided()
    {
        using var response = await Get("/");
        Assert.Equal("public, max-age=0, s-maxage=10, stale-if-error=86400", string.Join(", ", response.Headers.NonValidated["Cache-Control"]));
        Assert.Equal("max-age=10, stale-while-revalidate=60, stale-if-error=86400", Header(response, "CDN-Cache-Control"));
        Assert.Equal("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'", Header(response, "Content-Security-Policy"));
        Assert.Equal("max-age=31536000", Header(response, "Strict-Transport-Security"));
        Assert.Equal("nosniff", Header(response, "X-Content-Type-Options"));
        Assert.Matches("^0\\.\\d{6}$", Header(response, "X-Process-Time"));
        Assert.NotEmpty(Header(response, "X-Request-Id"));
        Assert.DoesNotContain("style=", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("/api/v2/summary.json")]
    [InlineData("/history.rss")]
    [InlineData("/de/history.atom")]
    [InlineData("favicon-major.svg")]
    public async Task What_is_not_a_page_may_load_nothing_and_be_framed_nowhere(string path)
    {
        using var response = await Get(path.StartsWith('/') ? path : page.Host.Get<Portal.Public.PublicAssets>()[path]);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("default-src 'none'; frame-ancestors 'none'", Header(response, "Content-Security-Policy"));
        Assert.Equal("max-age=31536000", Header(response, "Strict-Transport-Security"));
    }

    [Theory]
    [InlineData("https://status.example", true)]
    [InlineData("http://status.example", false)]
    [InlineData(null, false)]
    public void Only_a_page_that_is_reached_by_tls_demands_it(string? address, bool secure)
    {
        var options = Configured.With(("Public:BaseUrl", address));
        Assert.Equal(secure, new Portal.Public.PublicAddress(options, new Portal.Hosting.PortalAddress(options, null!)).IsSecure);
    }

    [Fact]
    public async Task Notes_for_the_team_are_on_no_page()
    {
        foreach (var path in new[] { "/", $"/incidents/{page.Incident.Id}", "/history", "/components/payments" })
        {
            using var response = await Get(path);
            var text = await response.Content.ReadAsStringAsync();
            Assert.Contains("payments", text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("INTERNAL", text);
        }
    }

    [Fact]
    public async Task Styles_and_scripts_are_named_by_their_content_and_kept_for_ever()
    {
        using var front = await Get("/");
        var text = await front.Content.ReadAsStringAsync();
        var paths = new AngleSharp.Html.Parser.HtmlParser().ParseDocument(text).QuerySelectorAll("link[rel=stylesheet], link[rel=icon], script")
            .Select(e => e.GetAttribute("href") ?? e.GetAttribute("src")!).ToList();
        Assert.Equal(3, paths.Count);
        foreach (var path in paths)
        {
            using var asset = await Get(path, "br");
            Assert.Equal(HttpStatusCode.OK, asset.StatusCode);
            Assert.Contains("immutable", Header(asset, "Cache-Control"));
        }
    }

    [Fact]
    public async Task The_first_load_is_small()
    {
        using var front = await Get("/", "br");
        var size = (await front.Content.ReadAsByteArrayAsync()).Length;
        var publisher = page.Host.Get<Portal.Public.Publisher>();
        var assets = page.Host.Get<Portal.Public.PublicAssets>();
        foreach (var name in new[] { "public.css", "public.js", "favicon-major.svg" }) size += publisher.Find(assets[name])!.Brotli.Body.Length;
        Assert.InRange(size, 3_000, 40 * 1024);
    }

    [Theory]
    [InlineData("/incidents/00000000000070008000000000000000", 404)]
    [InlineData("/incidents/nonsense", 404)]
    [InlineData("/de/components/nothing", 404)]
    [InlineData("/history/2019-13", 404)]
    [InlineData("/history/2019-12", 200)]
    [InlineData("/history/2019-11", 404)]
    [InlineData("/subscribe", 404)]
    public async Task What_is_not_kept_ready_is_looked_for_or_refused_in_words(string path, int status)
    {
        using var response = await Get(path);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Contains("<h1>", await response.Content.ReadAsStringAsync());
        Assert.StartsWith("default-src 'none'; script-src 'self'", Header(response, "Content-Security-Policy"));
    }

    [Theory]
    [InlineData("/subscribe", "de-DE", "Diese Seite gibt es nicht")]
    [InlineData("/fr/", "de", "Diese Seite gibt es nicht")]
    [InlineData("/trust", "fr", "There is no such page")]
    [InlineData("/en/nothing", "de", "There is no such page")]
    public async Task An_unknown_address_is_answered_by_the_pages_own_page_in_the_wished_language(string path, string language, string words)
    {
        using var client = page.Host.Client();
        client.DefaultRequestHeaders.Add("Accept-Language", language);
        using var response = await client.GetAsync(path);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        var text = await response.Content.ReadAsStringAsync();
        Assert.Contains($"<h1>{words}</h1>", text);
        Assert.Contains("<footer class=\"foot\">", text);
    }

    [Theory]
    [InlineData("/history/", "/history")]
    [InlineData("/History", "/history")]
    [InlineData("/DE/history//", "/de/history")]
    [InlineData("/EN/", "/en")]
    [InlineData("/Components/payments", "/components/payments")]
    [InlineData("/components/payments/?x=1", "/components/payments")]
    [InlineData("/api/v2/Summary.json", "/api/v2/summary.json")]
    public async Task What_is_published_is_served_at_one_address_and_others_lead_there(string asked, string published)
    {
        using var moved = await Get(asked);
        Assert.Equal((HttpStatusCode.PermanentRedirect, published), (moved.StatusCode, moved.Headers.Location?.OriginalString));
        using var there = await Get(published);
        Assert.Equal(HttpStatusCode.OK, there.StatusCode);
    }

    [Fact]
    public async Task A_crowd_that_asks_for_old_pages_is_answered_in_turn_or_asked_to_wait()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Get($"/incidents/{i:x8}000070008000000000000000")));
        Assert.All(answers, a => Assert.True(a.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.ServiceUnavailable, $"{a.StatusCode}"));
        Assert.All(answers.Where(a => a.StatusCode == HttpStatusCode.ServiceUnavailable), a => Assert.Equal("10", Header(a, "Retry-After")));
        Assert.Contains(answers, a => a.StatusCode == HttpStatusCode.NotFound);
        foreach (var answer in answers) answer.Dispose();
    }

    [Fact]
    public async Task A_forged_host_is_written_nowhere()
    {
        using var client = page.Host.Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Host = "evil.example";
        using var response = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var text = Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync());
        Assert.Contains("https://status.example/", text);
        Assert.DoesNotContain("evil.example", text + response.Headers);
    }
}
