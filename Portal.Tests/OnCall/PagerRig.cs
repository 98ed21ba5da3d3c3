using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Domain.Access;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Notifications;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Features.OnCall;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Support;

namespace Portal.Tests.OnCall;

/// <summary>People, a service and its alerts in a real database, and as many nodes that escalate them as a test wants.</summary>
sealed class PagerRig(TestDatabase database, FakeClock clock)
{
    public static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
    int count;

    public DateTimeOffset Now => clock.GetUtcNow();
    public ServiceId Service { get; private set; }

    public async Task Clear()
    {
        await using var db = database.Open();
        await db.Database.ExecuteSqlRawAsync("truncate alerts, services, escalation_policies, on_call_schedules, rotations, people, notices, mails, deliveries, contacts, channels, contact_groups, shift_settings cascade");
        var service = new Service(new("Payments", "payments", null, new(null, null, null, null), null, null, 0, null, []), [.. Guid.NewGuid().ToByteArray()], [1], Now);
        db.Add(service);
        await db.SaveChangesAsync();
        Service = service.Id;
    }

    public DueEscalations Node() => new(database.Contexts, new StepTelling(Configured.Shipped), clock, NullLogger<DueEscalations>.Instance);

    public PagerAudit Audit() => new(database.Contexts, clock);

    public async Task<T> Add<T>(T row) where T : class
    {
        await using var db = database.Open();
        db.Add(row);
        await db.SaveChangesAsync();
        return row;
    }

    public async Task<PersonId> Person(string name, Role role = Role.Staff) => (await Add(new Person(name, $"{name.ToLowerInvariant()}@example.com", role, Now.AddSeconds(++count)))).Id;

    public Task<EscalationPolicy> Policy(int repeat, params EscalationStep[] steps) => Add(new EscalationPolicy("Policy", steps, repeat, "x", Now));

    public static EscalationStep Step(int delay, params EscalationTarget[] targets) => new(new(targets), delay);

    public static AlertSignal Signal(string key, Severity severity = Severity.P1, bool isTest = false) => new(SignalAction.Trigger, key, severity, $"Card payments fail ({key})", "shop-1", new([]), IsTest: isTest);

    public async Task<AlertId> Trigger(EscalationPolicy policy, string key = "a", bool isTest = false, DateTimeOffset? firstAt = null)
    {
        await using var db = database.Open();
        var alert = new Alert(Service, Signal(key, isTest: isTest), Now);
        db.AddRange(alert, new Escalation(alert.Id, policy.Current, firstAt ?? Now, Now));
        await db.SaveChangesAsync();
        return alert.Id;
    }

    public async Task On(AlertId id, Action<Alert, Escalation> act)
    {
        await using var db = database.Open();
        act(await db.Alerts.SingleAsync(a => a.Id == id), await db.Escalations.SingleAsync(e => e.AlertId == id));
        await db.SaveChangesAsync();
    }

    public async Task<Escalation> Escalation(AlertId id)
    {
        await using var db = database.Open();
        return await db.Escalations.SingleAsync(e => e.AlertId == id);
    }

    public async Task<IReadOnlyList<Delivery>> Deliveries()
    {
        await using var db = database.Open();
        return await db.Deliveries.OrderBy(d => d.Step).ThenBy(d => d.DueAt).ThenBy(d => d.Address).ToListAsync();
    }

    /// <summary>"0 ann@example.com", the step and where it goes.</summary>
    public async Task<IReadOnlyList<string>> Told() => [.. (await Deliveries()).Select(d => $"{d.Step} {d.Address}")];

    public async Task<IReadOnlyList<AlertEvent>> Events(AlertId id)
    {
        await using var db = database.Open();
        return await db.AlertEvents.Where(e => e.AlertId == id).OrderBy(e => e.At).ThenBy(e => e.Id).ToListAsync();
    }

    public async Task<IReadOnlyList<Notice>> Notices()
    {
        await using var db = database.Open();
        return await db.Notices.Where(n => n.ResolvedAt == null).OrderBy(n => n.At).ToListAsync();
    }

    /// <summary>As if the dispatcher had done its work.</summary>
    public async Task Settle(DeliveryState state)
    {
        await using var db = database.Open();
        await db.Deliveries.ExecuteUpdateAsync(s => s.SetProperty(d => d.State, state).SetProperty(d => d.EndedAt, Now));
    }
}
