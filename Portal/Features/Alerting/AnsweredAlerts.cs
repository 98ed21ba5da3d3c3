using System.Text.Json;
using Portal.Domain.Access;
using Portal.Domain.Alerting;
using Portal.Domain.Shared;
using Portal.Infrastructure.Notifications;
using Portal.Infrastructure.Persistence.Outbox;

namespace Portal.Features.Alerting;

/// <summary>What people answered in a channel (a button in Slack, a key on the telephone) becomes an acknowledgement. What came too late changes nothing.</summary>
public static class AnsweredAlerts
{
    public static IServiceCollection AddAnsweredAlerts(this IServiceCollection services) =>
        services.AddSingleton(s => new OutboxHandler(DeliveryRecords.Answered, (payload, ct) => Handle(payload, s.GetRequiredService<AcknowledgeAlert>(), ct)));

    static async Task Handle(string payload, AcknowledgeAlert acknowledge, CancellationToken ct)
    {
        var answered = JsonSerializer.Deserialize<DeliveryRecords.AnsweredAlert>(payload, JsonSerializerOptions.Web)!;
        var person = answered.Person is { } text ? Id.Parse<PersonId>(text, "person").Value : (Guid?)null;
        // Whoever was paged may acknowledge; in a place that many read, whoever the channel lets in.
        var actor = new Actor(ActorKind.Person, person, answered.By, new HashSet<Permission> { Permission.HandleAlerts });
        try
        {
            await acknowledge.Execute([Id.Parse<AlertId>(answered.Alert, "alert")], actor, ct);
        }
        catch (Exception e) when (e is DomainException or NotFoundException)
        {
            // It is over, or was deleted.
        }
    }
}
