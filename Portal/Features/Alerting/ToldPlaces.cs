using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Notifications;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Alerting;

/// <summary>What goes out, or no longer does, when somebody has an alert or it is over.</summary>
static class ToldPlaces
{
    /// <summary>Pages that wait are not sent any more. One that is going out at this moment goes out.</summary>
    public static async Task Drop(PortalDbContext db, IReadOnlyCollection<Alert> alerts, string because, DateTimeOffset now, CancellationToken ct)
    {
        if (alerts.Count == 0) return;
        var ids = alerts.Select(a => a.Id.Value).ToArray();
        var dropped = await db.Database.SqlQuery<Guid>($"""
            update deliveries set state = 'Dropped', ended_at = {now} where alert_id = any ({ids}) and purpose = 'Page' and step is not null and state = 'Waiting' returning id as "Value"
            """).ToListAsync(ct);
        db.DeliveryEvents.AddRange(dropped.Select(id => new DeliveryEvent(new(id), DeliveryState.Dropped, because, now)));
    }

    /// <summary>Channels and groups that heard of an alert hear how it goes on; people see that nobody pages them any more.</summary>
    /// <param name="what">"Acknowledged by Bob".</param>
    /// <param name="over">Then those that a rule told hear of it too.</param>
    public static async Task Follow(PortalDbContext db, IReadOnlyCollection<Alert> alerts, string what, bool over, DateTimeOffset now, CancellationToken ct)
    {
        if (alerts.Count == 0) return;
        var ids = alerts.Select(a => a.Id).ToList();
        var told = await db.Deliveries.AsNoTracking()
            .Where(d => d.AlertId != null && ids.Contains(d.AlertId.Value) && d.Purpose == DeliveryPurpose.Page && d.PersonId == null)
            .Where(d => d.Step != null ? d.State == DeliveryState.Sent || d.State == DeliveryState.Delivered : over && d.State != DeliveryState.Failed && d.State != DeliveryState.Dropped)
            .Select(d => new { d.AlertId, d.Kind, d.ChannelId, d.Address }).Distinct().ToListAsync(ct);
        foreach (var place in told)
        {
            var alert = alerts.First(a => a.Id == place.AlertId);
            var to = new DeliveryAddress(place.Kind, place.ChannelId, null, null, place.Address);
            db.Deliveries.Add(new(DeliveryPurpose.Follow, to, $"{alert.Id}:follow:{now.UtcTicks:x}:{KeyOf(to)}", Title(alert, what), Body(alert, what), alert.Id, now, now, isTest: alert.IsTest));
        }
    }

    /// <summary>A rule's own places hear of an alert once, whatever becomes of its pages.</summary>
    public static Delivery OfRule(Alert alert, DeliveryAddress to, string? runbook, DateTimeOffset now) =>
        new(DeliveryPurpose.Page, to, RuleKey(alert, to), Title(alert, alert.Severity.ToString()), Body(alert, "It began") + (runbook is null ? "" : $"\nRunbook: {runbook}"), alert.Id, now, now, isTest: alert.IsTest);

    public static string RuleKey(Alert alert, DeliveryAddress to) => $"{alert.Id}:rule:{KeyOf(to)}";

    /// <summary>An address in a key, whatever its length.</summary>
    public static string KeyOf(DeliveryAddress to) => to.Channel is { } channel ? channel.ToString() : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{to.Kind}:{to.Address}")))[..32];

    public static string At(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);

    public static string Title(Alert alert, string what) => $"{(alert.IsTest ? "TEST: " : "")}{what}: {alert.Summary}";

    public static string Body(Alert alert, string what) => $"""
        {(alert.IsTest ? "This is a test of the alerting: nothing is wrong.\n" : "")}{what}.
        {alert.Severity}: {alert.Summary}
        Since {At(alert.BeganAt)}{(alert.Source.Length > 0 ? $", {alert.Source}" : "")}{(alert.GroupCount > 0 ? $", with {alert.GroupCount} more" : "")}
        """;
}
