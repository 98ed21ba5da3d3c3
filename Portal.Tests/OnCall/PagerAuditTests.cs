using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Domain.Access;
using Portal.Domain.Alerting;
using Portal.Domain.Notifications;
using Portal.Domain.OnCall;
using Portal.Features.Health;
using Portal.Features.OnCall;
using Portal.Tests.Support;
using static Portal.Tests.OnCall.Crew;

namespace Portal.Tests.OnCall;

/// <summary>Each alert that was to page somebody is accounted for; what does not add up is complained about until it does.</summary>
public sealed class PagerAuditTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    readonly FakeClock clock = new(At("2026-03-02T12:00Z"));
    PagerRig rig = null!;
    EscalationPolicy policy = null!;

    public async Task InitializeAsync()
    {
        rig = new(database, clock);
        await rig.Clear();
        policy = await rig.Policy(0, PagerRig.Step(5, EscalationTarget.Of(await rig.Person("Ann", Role.Admin))));
    }

    public Task DisposeAsync() => Task.CompletedTask;

    Auditor Auditor() => new(rig.Audit(), database.Contexts, new(), clock, NullLogger<Auditor>.Instance);

    async Task<string> Sum()
    {
        var s = await rig.Audit().Load(default);
        Assert.Equal(s.Triggered, s.Delivered + s.Failed + s.Pending + s.Settled + s.Lost);
        return $"{s.Triggered} = {s.Delivered} + {s.Failed} + {s.Pending} + {s.Settled} + {s.Lost}: {string.Join(",", s.Findings.Select(f => f.Kind))}";
    }

    [Fact]
    public async Task Alerts_go_from_pending_to_delivered_failed_or_settled_and_none_is_lost()
    {
        Assert.Equal("0 = 0 + 0 + 0 + 0 + 0: ", await Sum());
        var id = await rig.Trigger(policy);
        Assert.Equal("1 = 0 + 0 + 1 + 0 + 0: ", await Sum());
        await rig.Node().Drain(default);
        Assert.Equal("1 = 0 + 0 + 1 + 0 + 0: exhausted", await Sum());
        await rig.Settle(DeliveryState.Failed);
        Assert.Equal("1 = 0 + 1 + 0 + 0 + 0: nobody,exhausted", await Sum());
        await rig.Settle(DeliveryState.Sent);
        await rig.On(id, (a, e) => { a.Acknowledge(Cast.Bob, rig.Now); e.Acknowledge(rig.Now, Cast.Bob); });
        Assert.Equal("1 = 1 + 0 + 0 + 0 + 0: ", await Sum());
        var early = await rig.Trigger(policy, "early");
        await rig.On(early, (a, e) => { a.Resolve(null, rig.Now); e.Resolve(rig.Now); });
        Assert.Equal("2 = 1 + 0 + 0 + 1 + 0: ", await Sum());
    }

    [Fact]
    public async Task An_open_alert_without_an_escalation_is_found_unless_it_is_quiet()
    {
        var quiet = new Alert(rig.Service, PagerRig.Signal("quiet"), rig.Now);
        quiet.Hush(AlertQuiet.Silenced, "Silenced by Bob");
        await rig.Add(quiet);
        await rig.Add(new Alert(rig.Service, PagerRig.Signal("forgotten"), rig.Now));
        Assert.Equal("1 = 0 + 0 + 1 + 0 + 0: ", await Sum());
        clock.FastForward(TimeSpan.FromMinutes(1));
        Assert.Equal("1 = 0 + 0 + 0 + 0 + 1: unescalated,lost", await Sum());
    }

    [Fact]
    public async Task Steps_and_messages_that_are_late_are_found()
    {
        await rig.Trigger(policy);
        clock.FastForward(TimeSpan.FromMinutes(1));
        Assert.Contains(": overdue", await Sum(), StringComparison.Ordinal);
        await rig.Node().Drain(default);
        clock.FastForward(TimeSpan.FromMinutes(2));
        Assert.Contains(": deliveries", await Sum(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_found_is_told_once_an_hour_by_mail_shows_as_a_red_part_and_is_over_by_itself()
    {
        var auditor = Auditor();
        var part = new PagerPart(auditor, clock);
        Assert.Equal(PartState.NotConfigured, (await part.Look(default)).State);
        await auditor.Turn(default);
        Assert.Equal(PartState.Ok, (await part.Look(default)).State);

        var alert = new Alert(rig.Service, PagerRig.Signal("forgotten"), rig.Now);
        await rig.Add(alert);
        clock.FastForward(TimeSpan.FromMinutes(1));
        foreach (var node in new[] { auditor, Auditor(), auditor }) await node.Turn(default);
        Assert.Equal(["The pager does not add up: lost", "The pager does not add up: unescalated"], (await rig.Notices()).Select(n => n.Title).Order());
        Assert.Equal(2, await Mails());
        var red = await part.Look(default);
        Assert.Equal(PartState.Failing, red.State);
        Assert.Contains("1 open alert should page somebody", red.Note, StringComparison.Ordinal);
        clock.FastForward(TimeSpan.FromHours(1));
        await auditor.Turn(default);
        Assert.Equal(4, await Mails());

        await rig.Add(new Escalation(alert.Id, policy.Current, rig.Now, rig.Now));
        await auditor.Turn(default);
        Assert.Empty(await rig.Notices());
        Assert.Equal(PartState.Ok, (await part.Look(default)).State);
        clock.FastForward(TimeSpan.FromMinutes(4));
        Assert.Contains("Nobody has looked", (await part.Look(default)).Note, StringComparison.Ordinal);
    }

    async Task<int> Mails()
    {
        await using var db = database.Open();
        return await db.Mails.CountAsync();
    }
}
