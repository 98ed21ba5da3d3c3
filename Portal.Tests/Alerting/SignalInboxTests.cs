using System.Net;
using System.Net.Http.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Domain.Alerting;
using Portal.Domain.Shared;
using Portal.Features.Alerting;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Persistence.Alerting;
using Portal.Tests.Support;
using static Portal.Tests.Alerting.AlertingRig;

namespace Portal.Tests.Alerting;

public class SignalInboxTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    readonly AlertingRig rig = new(database);

    static SignalInbox Inbox(Database of) => new(new SignalWriter(of), new FakeClock(), NullLogger<SignalInbox>.Instance);

    [Fact]
    public async Task Signals_are_stored_in_their_order_and_as_the_rest_of_the_portal_reads_them()
    {
        var service = await rig.Service();
        using var inbox = Inbox(database.Database);
        await inbox.StartAsync(CancellationToken.None);
        AlertSignal[] signals = [Signal("a", at: rig.Now, labels: new AlertLabel("x", "y")) with { Details = "{\"a\":1}", Link = "https://example.com", By = "Test" }, Signal("b"), Signal("a", SignalAction.Resolve)];
        Assert.True(await inbox.Store(service.Id, signals, null, CancellationToken.None));
        await using var db = database.Open();
        var heard = await db.HeardSignals.AsNoTracking().Where(s => s.ServiceId == service.Id).OrderBy(s => s.Id).ToListAsync();
        Assert.Equal(signals.Select(s => s.Bounded()), heard.Select(h => h.Signal));
        await inbox.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_named_message_is_stored_once_however_often_it_comes_at_the_same_moment()
    {
        var service = await rig.Service();
        using var inbox = Inbox(database.Database);
        var name = Guid.NewGuid().ToByteArray();
        var all = Enumerable.Range(0, 5).Select(_ => inbox.Store(service.Id, [Signal("a")], name, CancellationToken.None)).ToList();
        await inbox.StartAsync(CancellationToken.None);
        Assert.Single(await Task.WhenAll(all), stored => stored);
        Assert.False(await inbox.Store(service.Id, [Signal("a")], name, CancellationToken.None));
        await using var db = database.Open();
        Assert.Equal(1, await db.HeardSignals.CountAsync(s => s.ServiceId == service.Id));
        await inbox.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task One_service_that_floods_is_told_to_come_again_and_others_are_not()
    {
        using var inbox = Inbox(database.Database);
        var (flood, other) = (await rig.Service(), await rig.Service());
        var waiting = inbox.Store(flood.Id, [.. Enumerable.Repeat(Signal("a"), SignalInbox.MostOfService)], null, CancellationToken.None);
        await Assert.ThrowsAsync<TooOftenException>(() => inbox.Store(flood.Id, [Signal("a")], null, CancellationToken.None));
        var calm = inbox.Store(other.Id, [Signal("a")], null, CancellationToken.None);
        await inbox.StartAsync(CancellationToken.None);
        Assert.True(await waiting && await calm);
        Assert.True(await inbox.Store(flood.Id, [Signal("a")], null, CancellationToken.None));
        await inbox.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Without_a_database_nothing_is_said_to_be_stored()
    {
        await using var away = new Database();
        using var inbox = Inbox(away);
        await inbox.StartAsync(CancellationToken.None);
        await Assert.ThrowsAsync<DatabaseAwayException>(() => inbox.Store(new ServiceId(Guid.CreateVersion7()), [Signal("a")], null, CancellationToken.None));
        await inbox.StopAsync(CancellationToken.None);

        await using var host = new PortalHost { WithDatabase = false };
        await host.InitializeAsync();
        var answer = await host.Client().PostAsJsonAsync("/v2/enqueue", new { routing_key = "k", event_action = "trigger", payload = new { summary = "x", source = "s", severity = "info" } });
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
    }
}
