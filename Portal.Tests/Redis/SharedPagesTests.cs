using Portal.Domain.Audit;
using Portal.Domain.Incidents;
using Portal.Domain.StatusPages;
using Portal.Features.StatusPages;
using Portal.Infrastructure.Redis;
using Portal.Public;
using Portal.Tests.Monitoring;
using Portal.Tests.Support;

namespace Portal.Tests.Redis;

/// <summary>Pages on demand of two nodes with one database and one Redis.</summary>
public class SharedPagesTests
{
    [Fact]
    public async Task What_one_node_read_another_serves_also_while_the_database_is_away()
    {
        await using var redis = await ShakenRedis.Start();
        Dictionary<string, string?> settings = new() { ["Redis:ConnectionString"] = redis.Address, ["Public:BaseUrl"] = "https://status.example.com" };
        await using var one = await PortalHost.Start(settings);
        using var line = new DatabaseLine(one.Database.ConnectionString);
        await using var other = await PortalHost.Start(new(settings) { ["Database:ConnectionString"] = line.ConnectionString, ["Security:MasterKeyFile"] = Path.Combine(one.DataFolder, "keys", "master.key") });
        foreach (var node in new[] { one, other }) await Soon.Comes(() => node.Get<RedisConnection>().IsConnected, "Redis is connected");
        await AddLatest(one);
        var (known, unknown) = (await Declare(one, "Long ago"), await Declare(one, "Never read"));
        await Soon.Comes(() => one.Get<Publisher>().Model?.Version is { } version && other.Get<Publisher>().Model?.Version == version && one.Get<Publisher>().Model!.Components.Count == 2, "both nodes know the same page");

        using var at = new Both(one.Client(), other.Client());
        var first = await at.One.GetAsync(new Uri($"/incidents/{known}", UriKind.Relative));
        var text = await first.Content.ReadAsStringAsync();
        Assert.Contains("Long ago", text, StringComparison.Ordinal);
        Assert.Equal((0, 1), (one.Get<SharedCache>().Figures.Hits, one.Get<SharedCache>().Figures.Misses));
        line.Cut();
        var second = await at.Other.GetAsync(new Uri($"/incidents/{known}", UriKind.Relative));
        Assert.Equal((text, first.Headers.ETag), (await second.Content.ReadAsStringAsync(), second.Headers.ETag));
        Assert.Equal((1, 0), (other.Get<SharedCache>().Figures.Hits, other.Get<SharedCache>().Figures.Misses));
        Assert.Equal(503, (int)(await at.Other.GetAsync(new Uri($"/incidents/{unknown}", UriKind.Relative))).StatusCode);
    }

    sealed record Both(HttpClient One, HttpClient Other) : IDisposable
    {
        public void Dispose()
        {
            One.Dispose();
            Other.Dispose();
        }
    }

    /// <summary>As many as are published however old they are.</summary>
    static async Task AddLatest(PortalHost host)
    {
        var now = TimeProvider.System.GetUtcNow();
        await using var db = host.Database.Open();
        for (var i = 0; i < StatusPageSnapshot.LatestIncidents; i++)
        {
            var incident = new Incident($"Filler {i}", Severity.P3, null, null, now);
            incident.Post(IncidentStatus.Resolved, "Nothing.", UpdateVisibility.Public, [], Cast.Bob, now);
            db.Add(incident);
        }
        await db.SaveChangesAsync();
    }

    /// <summary>Older than what is published.</summary>
    static async Task<string> Declare(PortalHost host, string title)
    {
        var then = TimeProvider.System.GetUtcNow().AddDays(-200);
        await using var db = host.Database.Open();
        var component = new Component($"{title} component", null, null, null, 0, then);
        var incident = new Incident(title, Severity.P2, null, null, then);
        incident.Post(IncidentStatus.Investigating, "We looked.", UpdateVisibility.Public, [new(component.Id, ComponentStatus.PartialOutage)], Cast.Bob, then);
        incident.Post(IncidentStatus.Resolved, "It was mended.", UpdateVisibility.Public, [], Cast.Bob, then.AddHours(1));
        db.AddRange(component, incident);
        await db.Commit(new AuditEntry(Cast.Bob, "incident.declared", incident.Id.ToString(), title, then), default);
        return incident.Id.ToString();
    }
}
