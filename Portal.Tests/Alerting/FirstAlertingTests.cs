using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Alerting;
using Portal.Domain.Notifications;
using Portal.Domain.OnCall;
using Portal.Features.Access;
using Portal.Features.Alerting;
using Portal.Features.Monitoring;
using Portal.Infrastructure.Security;
using Portal.Tests.Support;

namespace Portal.Tests.Alerting;

public sealed class FirstAlertingTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    readonly FakeClock clock = new();

    FirstAlerting Step() => new(database.Contexts, Configured.With(("Public:TimeZone", "Europe/Berlin")), Sealing.Box, clock);

    [Fact]
    public async Task The_first_start_makes_what_alerting_needs_and_no_later_one_does()
    {
        await new FirstMonitors(database.Contexts, clock).Run(default);
        await using (var before = database.Open())
        {
            before.Add(new Person("Alice", "alice@example.com", Role.Admin, clock.GetUtcNow()));
            before.Add(new Person("Bob", "bob@example.com", Role.Staff, clock.GetUtcNow()));
            await before.SaveChangesAsync();
        }
        await Task.WhenAll(Step().Run(default), Step().Run(default), Step().Run(default));

        await using var db = database.Open();
        var alice = await db.People.SingleAsync(p => p.Name == "Alice");
        var (services, rules, groups) = (await db.Services.ToListAsync(), await db.AlertRules.ToListAsync(), await db.ContactGroups.ToDictionaryAsync(g => g.Id, g => g.Name));
        Assert.Equal(["API", "Authentication", "Database", "Infrastructure", "Jobs", "Payments"], services.Select(s => s.Name).Order());
        Assert.All(services, s => Assert.Equal(Secret.HashOf(Sealing.Box.Open(s.SealedRoutingKey, s.Id.Value)), s.RoutingKeyHash));
        Assert.Equal(["Development", "On-call engineer", "Operations", "PagerDuty"], groups.Values.Order());
        Assert.Equal(["Critical infrastructure", "High priority", "Medium priority"], (await db.EscalationPolicies.ToListAsync()).Select(p => p.Name).Order());
        Assert.All(await db.Rotations.ToListAsync(), r => Assert.Equal([alice.Id], r.Participants));
        Assert.Equal(3, await db.OnCallSchedules.CountAsync());

        // Each of the ten first monitors has one rule of its own; any other one has the one without.
        var outages = rules.Where(r => r.Condition.Kind == AlertRuleKind.Outage).ToList();
        Assert.Equal((await db.Monitors.Select(m => m.Id).ToListAsync()).Select(m => m.Value).Order(), outages.SelectMany(r => r.Condition.Monitors).Select(m => m.Value).Order());
        Assert.Single(outages, r => r.Condition.Monitors.Count == 0);
        Assert.Equal(["database-errors > 10 in 5: Operations, Development, On-call engineer, PagerDuty", "error-rate > 5 in 5: Operations, Development", "response-time > 500 in 10: Operations"],
            rules.Except(outages).Select(r => $"{r.Condition.Figure} > {r.Condition.Limit} in {r.Condition.WindowMinutes}: {string.Join(", ", r.Tells.Select(t => groups[new ContactGroupId(t.Id)]))}").Order());

        db.RemoveRange(rules);
        db.RemoveRange(services);
        await db.SaveChangesAsync();
        await Step().Run(default);
        Assert.Equal(0, await db.Services.CountAsync());
    }
}
