using System.Net;
using Portal.Features.Access;
using Portal.Tests.Monitoring;
using Portal.Tests.Support;

namespace Portal.Tests.Access;

public class DatabaseAwayTests
{
    [Fact]
    public async Task The_sign_in_page_comes_at_once_while_the_database_hangs_also_if_nobody_signed_in_before()
    {
        var database = new TestDatabase();
        await database.InitializeAsync();
        using var line = new DatabaseLine(database.ConnectionString);
        await using var host = await PortalHost.Start(new() { ["Database:ConnectionString"] = line.ConnectionString });
        line.Freeze();
        using var client = host.Client();
        client.Timeout = TimeSpan.FromSeconds(5);
        var page = await client.GetAsync(new Uri("/login", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Contains("__RequestVerificationToken", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        line.Mend();
        await database.DisposeAsync();
    }

    [Fact]
    public async Task Without_the_database_screens_and_the_api_say_what_is_wrong_and_show_no_fault()
    {
        var host = new PortalHost { WithDatabase = false };
        await host.InitializeAsync();
        await using var _ = host;
        using var client = host.Client();
        client.DefaultRequestHeaders.Add("Cookie", $"{SessionCookie.PlainName}={Secret.New()}");
        foreach (var path in new[] { "/account", "/admin/people", "/setup?token=abc", "/login" })
        {
            var answer = await client.GetAsync(new Uri(path, UriKind.Relative));
            Assert.Equal((path, HttpStatusCode.ServiceUnavailable), (path, answer.StatusCode));
            var words = await answer.Content.ReadAsStringAsync();
            Assert.Contains("The database cannot be reached", words, StringComparison.Ordinal);
            Assert.DoesNotContain("Exception", words, StringComparison.Ordinal);
            Assert.NotNull(answer.Headers.RetryAfter);
        }
        using var robot = host.Client(Secret.NewApiKey());
        var refused = await robot.GetAsync(new Uri("/api/v1/people", UriKind.Relative));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "application/problem+json"), (refused.StatusCode, refused.Content.Headers.ContentType?.MediaType));
        Assert.NotEqual(HttpStatusCode.ServiceUnavailable, (await robot.GetAsync(new Uri("/health/live", UriKind.Relative))).StatusCode);
    }
}
