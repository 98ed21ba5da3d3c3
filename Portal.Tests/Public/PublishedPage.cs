using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Incidents;
using Portal.Domain.StatusPages;
using Portal.Public;
using Portal.Tests.Support;

namespace Portal.Tests.Public;

/// <summary>A running portal whose page shows one component and one incident.</summary>
public sealed class PublishedPage : IAsyncLifetime
{
    public PortalHost Host { get; } = new() { Configuration = { ["Public:TimeZone"] = "Europe/Berlin", ["Public:Title"] = "Example", ["Public:BaseUrl"] = "https://status.example" } };
    /// <summary>Where the history of this page begins.</summary>
    public static readonly DateTimeOffset Beginning = new(2019, 12, 1, 12, 0, 0, TimeSpan.Zero);

    public Incident Incident { get; private set; } = null!;
    public Component Component { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        await Host.InitializeAsync();
        await FirstChecks();
        (Component, Incident) = await Declare("Card payments fail", "payments");
        await Shows("/en/", "Card payments fail");
        await Shows("/components/payments", "payments");
        await Shows("/history", "Card payments fail");
    }

    /// <summary>The portal's own monitors turn from unknown to up in the first seconds, and the page with them; afterwards it stands still between full minutes.</summary>
    async Task FirstChecks()
    {
        for (var i = 0; i < 1_200; i++)
        {
            await using var db = Host.Database.Open();
            if (await db.MonitorStates.CountAsync(s => s.LastCheckAt != null) >= 10) return;
            await Task.Delay(TimeSpan.FromMilliseconds(25), TimeProvider.System);
        }
        Assert.Fail("The first monitors were not checked");
    }

    public async Task<(Component, Incident)> Declare(string title, string slug)
    {
        var now = TimeProvider.System.GetUtcNow();
        var component = new Component(slug, slug, null, null, 0, Beginning);
        var incident = new Incident(title, Severity.P1, null, now, now);
        incident.Post(IncidentStatus.Investigating, "We are looking.", UpdateVisibility.Public, [new(component.Id, ComponentStatus.PartialOutage)], Cast.Bob, now);
        incident.Post(IncidentStatus.Investigating, "INTERNAL", UpdateVisibility.Internal, [], Cast.Bob, now);
        await using var db = Host.Database.Open();
        db.AddRange(component, incident);
        await db.Commit(new AuditEntry(Cast.Bob, "incident.declared", incident.Id.ToString(), title, now), default);
        return (component, incident);
    }

    public async Task Shows(string path, string text)
    {
        for (var i = 0; i < 600; i++)
        {
            if (Host.Get<Publisher>().Find(path) is { } bytes && System.Text.Encoding.UTF8.GetString(bytes.Plain.Body).Contains(text, StringComparison.Ordinal)) return;
            await Task.Delay(TimeSpan.FromMilliseconds(25), TimeProvider.System);
        }
        Assert.Fail($"{path} never showed \"{text}\"");
    }

    public Task DisposeAsync() => Host.DisposeAsync();
}
