using System.Net;
using Portal.Domain.Audit;
using Portal.Domain.StatusPages;
using Portal.Public;
using Portal.Tests.Monitoring;
using Portal.Tests.Support;

namespace Portal.Tests.Public;

/// <summary>Which months there are is known from the page itself; what happened in an old one only from the database.</summary>
public class MonthsWithoutDatabaseTests
{
    [Fact]
    public async Task A_month_before_the_beginning_stays_missing_and_one_with_history_says_that_the_database_is_away()
    {
        var database = new TestDatabase();
        await database.InitializeAsync();
        using var line = new DatabaseLine(database.ConnectionString);
        await using var host = await PortalHost.Start(new() { ["Public:TimeZone"] = "Europe/Berlin", ["Database:ConnectionString"] = line.ConnectionString });
        var beginning = Today().AddMonths(-6).ToUniversalTime();
        await using (var db = database.Open())
        {
            db.Add(new Component("Old", "old", null, null, 0, beginning));
            await db.Commit(new AuditEntry(Cast.Bob, "component.added", "old", "Old", TimeProvider.System.GetUtcNow()), default);
        }
        using var client = host.Client();
        client.DefaultRequestHeaders.Add("Accept-Language", "en");
        string Month(int ago) => $"/history/{Today().AddMonths(-ago):yyyy-MM}";
        async Task<HttpStatusCode> Ask(string path) => (await client.GetAsync(new Uri(path, UriKind.Relative))).StatusCode;
        for (var i = 0; i < 400 && await Ask(Month(6)) != HttpStatusCode.OK; i++) await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        Assert.Equal(HttpStatusCode.OK, await Ask(Month(6)));
        Assert.Equal(HttpStatusCode.NotFound, await Ask(Month(7)));

        line.Cut();
        await Missing(client, Month(8));
        await Missing(client, $"/history/{Today().AddMonths(2):yyyy-MM}");
        await Away(client, Month(5));
        await database.DisposeAsync();
    }

    [Fact]
    public async Task Before_anything_was_ever_read_no_month_is_called_missing()
    {
        var host = new PortalHost { WithDatabase = false };
        await host.InitializeAsync();
        await using var _ = host;
        Assert.Null(host.Get<Publisher>().Model);
        using var client = host.Client();
        client.DefaultRequestHeaders.Add("Accept-Language", "en");
        await Away(client, "/history/2021-03");
        await Away(client, $"/history/{TimeProvider.System.GetUtcNow():yyyy-MM}");
        await Missing(client, "/history/2021-13");
    }

    /// <summary>In the page's zone, by which it counts its months.</summary>
    static DateTimeOffset Today() => TimeZoneInfo.ConvertTime(TimeProvider.System.GetUtcNow(), TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin"));

    static async Task Missing(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative));
        Assert.Equal((path, HttpStatusCode.NotFound), (path, answer.StatusCode));
    }

    static async Task Away(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative));
        Assert.Equal((path, HttpStatusCode.ServiceUnavailable), (path, answer.StatusCode));
        Assert.NotNull(answer.Headers.RetryAfter);
        Assert.DoesNotContain("Exception", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}
