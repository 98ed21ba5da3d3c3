using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portal.Domain.Alerting;
using Portal.Features.Access;
using Portal.Infrastructure.Monitoring;
using Portal.Tests.Support;

namespace Portal.Tests.Alerting;

/// <summary>One portal for all tests of what comes in from outside; each makes services of its own.</summary>
public sealed class AlertingHost : IAsyncLifetime
{
    public const string ApiKey = "portal_alerting-host-key-0123456789abcdef";

    PortalHost? host;

    public PortalHost Portal => host!;

    /// <summary>What Amazon's addresses answer, and which were asked.</summary>
    public Dictionary<string, string> Amazon { get; } = [];
    public List<string> Asked { get; } = [];

    public async Task InitializeAsync() => host = await PortalHost.Start(
        new() { ["Bootstrap:AdminEmail"] = "alice@example.com", ["Bootstrap:AdminPassword"] = "correct horse battery", ["Bootstrap:ApiKey"] = ApiKey },
        services => services.AddSingleton<GuardedFetch>(Fetch));

    Task<byte[]> Fetch(Uri address, int most, CancellationToken ct)
    {
        lock (Asked) Asked.Add(address.AbsoluteUri);
        return Amazon.TryGetValue(address.AbsoluteUri, out var text) ? Task.FromResult(Encoding.UTF8.GetBytes(text)) : throw new HttpRequestException("Nobody answers there.");
    }

    /// <summary>A service and the key under which it hears.</summary>
    public async Task<(Service Service, string Key)> Service(Action<Service>? change = null)
    {
        var (key, rig) = (Secret.New(), new AlertingRig(Portal.Database));
        await using var db = Portal.Database.Open();
        // The escalator works here: a policy that reaches nobody would be used up at once.
        var policy = (await rig.Policy("All", await db.People.Select(p => p.Id).FirstAsync())).Id;
        return (await rig.Service(policies: new(policy, policy, policy, policy), change: change, key: key), key);
    }

    public async Task<Alert> Comes(Service service, Func<Alert, bool> good, string what) =>
        (await Soon.Reads(() => Alerts(service), all => all.Any(good), what)).First(good);

    public async Task<List<Alert>> Alerts(Service service)
    {
        await using var db = Portal.Database.Open();
        return await db.Alerts.AsNoTracking().Where(a => a.ServiceId == service.Id).OrderBy(a => a.TriggeredAt).ToListAsync();
    }

    /// <summary>Everything that was heard is taken in: "nothing came" holds then.</summary>
    public Task Settled(Service service) => Soon.Comes(async () =>
    {
        await using var db = Portal.Database.Open();
        return !await db.HeardSignals.AnyAsync(s => s.ServiceId == service.Id);
    }, "all signals are taken in");

    public async Task DisposeAsync()
    {
        if (host is not null) await host.DisposeAsync();
    }
}

[CollectionDefinition(Name)]
public sealed class AlertingHosts : ICollectionFixture<AlertingHost>
{
    public const string Name = "alerting host";
}
