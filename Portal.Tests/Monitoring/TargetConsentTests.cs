using System.Net;
using System.Net.Sockets;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Features.Monitoring;
using Portal.Infrastructure.Monitoring;
using Portal.Tests.Support;

namespace Portal.Tests.Monitoring;

/// <summary>Who may lead the portal to a private address.</summary>
public sealed class TargetConsentTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    static readonly Dictionary<string, string> Names = new() { ["shop.example"] = "93.184.216.34", ["inner.example"] = "10.1.2.3" };
    readonly FakeClock clock = new();

    TargetConsent Consent => new(new GuardedConnector(
        (host, _) => Task.FromResult<IReadOnlyList<IPAddress>>(IPAddress.TryParse(host, out var literal) ? [literal]
            : Names.TryGetValue(host, out var address) ? [IPAddress.Parse(address)] : throw new SocketException((int)SocketError.HostNotFound)),
        NameResolver.Open), clock);
    CreateMonitor Create => new(database.Contexts, Consent, Sealing.Secrets, clock);
    ChangeMonitor Change => new(database.Contexts, Consent, Sealing.Secrets, clock);

    static MonitorSettings Settings(string target = "https://shop.example/") => new("Shop", MonitorKind.Http, target, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10), null);

    async Task<Domain.Monitoring.Monitor> Read(MonitorId id)
    {
        await using var db = database.Open();
        return await db.Monitors.AsNoTracking().SingleAsync(m => m.Id == id);
    }

    [Theory]
    [InlineData("http://10.0.0.1/")]
    [InlineData("http://inner.example/")]
    [InlineData("http://127.0.0.1:9000/")]
    [InlineData("http://[::ffff:192.168.0.1]/")]
    public async Task A_private_target_takes_an_administrator_who_says_so(string target)
    {
        var refusal = await Assert.ThrowsAsync<DomainException>(() => Create.Execute(new(Settings(target)), Cast.Bob, default));
        Assert.Equal("target", refusal.Field);
        Assert.Contains("Ask an administrator", refusal.Message, StringComparison.Ordinal);
        Assert.True((await Read(await Create.Execute(new(Settings(target), AllowPrivate: true), Cast.Alice, default))).AllowPrivate);
        foreach (var asked in new bool?[] { false, null })
        {
            refusal = await Assert.ThrowsAsync<DomainException>(() => Create.Execute(new(Settings(target), asked), Cast.Alice, default));
            Assert.Equal("target", refusal.Field);
            Assert.Contains("allowPrivate", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Nobody_smuggles_a_consent_in()
    {
        Assert.False((await Read(await Create.Execute(new(Settings() with { AllowPrivate = true }), Cast.Bob, default))).AllowPrivate);
        Assert.Equal("allowPrivate", (await Assert.ThrowsAsync<DomainException>(() => Create.Execute(new(Settings(), AllowPrivate: true), Cast.Bob, default))).Field);
        Assert.False((await Read(await Create.Execute(new(Settings("https://nobody.example/")), Cast.Bob, default))).AllowPrivate);
    }

    [Fact]
    public async Task A_consent_outlives_an_edit_by_staff_only_while_the_target_stays()
    {
        var id = await Create.Execute(new(Settings("http://10.0.0.1/health"), AllowPrivate: true), Cast.Alice, default);
        await Change.Execute(new(id, Settings("http://10.0.0.1/health") with { Name = "Renamed" }), Cast.Bob, default);
        Assert.True((await Read(id)).AllowPrivate);
        Assert.Equal("target", (await Assert.ThrowsAsync<DomainException>(() => Change.Execute(new(id, Settings("http://10.0.0.1/other")), Cast.Bob, default))).Field);
        await Change.Execute(new(id, Settings()), Cast.Bob, default);
        Assert.False((await Read(id)).AllowPrivate);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task From_another_place_the_same_address_is_another_machine_and_is_consented_to_anew(bool builtIn)
    {
        var place = new ProbePlace($"Frankfurt {builtIn}", clock.GetUtcNow());
        await using (var db = database.Open()) { db.Add(place); await db.SaveChangesAsync(); }
        var id = await Create.Execute(new(Settings("http://10.0.0.1/health"), AllowPrivate: true), Cast.Alice, default);
        if (builtIn)
            await using (var db = database.Open()) await db.Database.ExecuteSqlAsync($"update monitors set built_in = true where id = {id.Value}");
        var wider = Settings("http://10.0.0.1/health") with { Places = [place.Id] };
        foreach (var (actor, asked, word) in new[] { (Cast.Bob, (bool?)null, "Ask an administrator"), (Cast.Bob, true, "Ask an administrator"), (Cast.Alice, null, "allowPrivate") })
        {
            var refusal = await Assert.ThrowsAsync<DomainException>(() => Change.Execute(new(id, wider, asked), actor, default));
            Assert.Equal("places", refusal.Field);
            Assert.Contains(word, refusal.Message, StringComparison.Ordinal);
        }
        Assert.Empty((await Read(id)).Places);
        await Change.Execute(new(id, wider, AllowPrivate: true), Cast.Alice, default);
        Assert.True((await Read(id)).AllowPrivate);
        // What stands may be edited, and fewer places are no other machine.
        await Change.Execute(new(id, wider with { Name = "Renamed" }), Cast.Bob, default);
        await Change.Execute(new(id, wider with { Places = [] }), Cast.Bob, default);
        Assert.Empty((await Read(id)).Places);
    }

    [Fact]
    public async Task Where_only_another_place_may_reach_it_the_portal_does_not_without_an_administrator()
    {
        var place = new ProbePlace("Oslo", clock.GetUtcNow());
        await using (var db = database.Open()) { db.Add(place); await db.SaveChangesAsync(); }
        var there = Settings("http://10.0.0.1/health") with { Places = [place.Id], FromHere = false };
        var id = await Create.Execute(new(there, AllowPrivate: true), Cast.Alice, default);
        Assert.Equal("places", (await Assert.ThrowsAsync<DomainException>(() => Change.Execute(new(id, there with { FromHere = true }), Cast.Bob, default))).Field);
        var remove = new Portal.Features.Monitoring.Places.RemovePlace(database.Contexts, clock);
        Assert.Contains("Ask an administrator", (await Assert.ThrowsAsync<DomainException>(() => remove.Execute(place.Id, Cast.Bob, default))).Message, StringComparison.Ordinal);
        Assert.False((await Read(id)).FromHere);
        await remove.Execute(place.Id, Cast.Alice, default);
        Assert.True((await Read(id)).FromHere);
    }
}
