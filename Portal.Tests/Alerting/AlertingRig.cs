using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Domain.Access;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Features.Alerting;
using Portal.Infrastructure.Persistence.Alerting;
using Portal.Tests.Support;

namespace Portal.Tests.Alerting;

/// <summary>Services, policies and the intake on a real database, with one clock.</summary>
sealed class AlertingRig(TestDatabase database)
{
    public FakeClock Clock { get; } = new();

    public DateTimeOffset Now => Clock.GetUtcNow();

    public AlertIntake Intake => new(database.Contexts, Clock, NullLogger<AlertIntake>.Instance);

    /// <param name="person">Whom both steps tell; null: somebody who does not exist.</param>
    public async Task<EscalationPolicy> Policy(string name, PersonId? person = null)
    {
        await using var db = database.Open();
        EscalationStep Step() => new(new([EscalationTarget.Of(person ?? new PersonId(Guid.CreateVersion7()))]), 5);
        var policy = new EscalationPolicy(name, [Step(), Step()], 0, "Alice", Now);
        db.EscalationPolicies.Add(policy);
        await db.SaveChangesAsync();
        return policy;
    }

    /// <param name="policies">Null: one for all severities.</param>
    public async Task<Service> Service(int groupFor = 0, SeverityPolicies? policies = null, SupportHours? hours = null, int? acknowledgedFor = null, Action<Service>? change = null, string? key = null)
    {
        if (policies is null)
        {
            var policy = (await Policy("All")).Id;
            policies = new(policy, policy, policy, policy);
        }
        await using var db = database.Open();
        var name = $"service-{Guid.NewGuid():N}"[..20];
        key ??= Secret.New();
        var service = new Service(new(name, name, null, policies, hours, acknowledgedFor, groupFor, null, []), Secret.HashOf(key), [1], Now);
        change?.Invoke(service);
        db.Services.Add(service);
        await db.SaveChangesAsync();
        return service;
    }

    public static AlertSignal Signal(string key, SignalAction action = SignalAction.Trigger, Severity severity = Severity.P1, DateTimeOffset? at = null, string? summary = null, params AlertLabel[] labels) =>
        new(action, key, severity, summary ?? $"{key} is wrong", "db1", new(labels), At: at);

    public async Task Hear(Service service, params AlertSignal[] signals)
    {
        await using var db = database.Open();
        // One after the other: their order is that of their numbers.
        foreach (var signal in signals)
        {
            db.HeardSignals.Add(new(service.Id, signal, Now));
            await db.SaveChangesAsync();
        }
    }

    public async Task TakeIn(Service service, params AlertSignal[] signals)
    {
        await Hear(service, signals);
        while (await Intake.Take(CancellationToken.None) is > 0) { }
    }

    public async Task<List<Alert>> Alerts(Service service)
    {
        await using var db = database.Open();
        return await db.Alerts.AsNoTracking().Where(a => a.ServiceId == service.Id).OrderBy(a => a.TriggeredAt).ThenBy(a => a.Id).ToListAsync();
    }

    public async Task<Alert> Alert(Service service, string key) => (await Alerts(service)).Last(a => a.Key == key);

    public async Task<Escalation?> EscalationOf(Alert alert)
    {
        await using var db = database.Open();
        return await db.Escalations.AsNoTracking().SingleOrDefaultAsync(e => e.AlertId == alert.Id);
    }

    public async Task<List<AlertEvent>> Events(Alert alert)
    {
        await using var db = database.Open();
        return await db.AlertEvents.AsNoTracking().Where(e => e.AlertId == alert.Id).OrderBy(e => e.At).ThenBy(e => e.Id).ToListAsync();
    }

    public AcknowledgeAlert Acknowledge => new(database.Contexts, Clock);
    public ResolveAlert Resolve => new(database.Contexts, Clock);
    public SnoozeAlert Snooze => new(database.Contexts, Clock);
    public UnacknowledgeAlert Release => new(database.Contexts, Clock);
    public EscalateAlert Escalate => new(database.Contexts, Clock);
    public ReassignAlert Reassign => new(database.Contexts, Clock);
}
