using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Portal.Components.Ui;
using Portal.Domain.Access;
using Portal.Domain.Alerting;
using Portal.Domain.Notifications;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Features.Notifications;
using Portal.Hosting;
using Portal.Infrastructure.Notifications;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.OnCall;

/// <summary>A step that fires now, with what it is about.</summary>
public sealed record Firing(Alert Alert, Escalation Escalation, EscalationPolicyVersion Version, string Policy, FiredStep Step);

/// <summary>Whom a step tells and by which messages, asked at this moment; also what the timeline says of it, and the complaint where nobody was reached.</summary>
public sealed class StepTelling(PortalOptions options)
{
    const int NamesInALine = 12;

    sealed record Known(Rosters Rosters, ILookup<Told, WaysToReach.Way> Ways, Dictionary<PersonId, string> Names, Dictionary<ServiceId, string> Services);

    /// <summary>Everything that the steps need is read once, however many there are.</summary>
    public async Task Add(PortalDbContext db, IReadOnlyList<Firing> firings, DateTimeOffset now, CancellationToken ct)
    {
        if (firings.Count == 0) return;
        var schedules = firings.SelectMany(f => f.Step.Step.Targets).Select(t => t.Schedule).OfType<OnCallScheduleId>().Distinct().ToList();
        var rosters = await Rosters.Load(db, new(now, now.AddSeconds(1)), schedules, ct);
        var told = firings.Select(f => f.Step.Step.At(now, rosters.OnCallAt)).ToList();
        var ways = (await WaysToReach.LoadAll(db, [.. told.SelectMany(t => t).Where(t => !t.IsNobody).Select(Plain).Distinct()], ct)).ToLookup(w => w.Told);
        var people = told.SelectMany(t => t).Select(t => t.Person).OfType<PersonId>().Distinct().ToList();
        var serviceIds = firings.Select(f => f.Alert.ServiceId).Distinct().ToList();
        var known = new Known(rosters, ways,
            await db.People.AsNoTracking().Where(p => people.Contains(p.Id)).ToDictionaryAsync(p => p.Id, p => p.Name, ct),
            await db.Services.AsNoTracking().Where(s => serviceIds.Contains(s.Id)).ToDictionaryAsync(s => s.Id, s => s.Name, ct));
        for (var i = 0; i < firings.Count; i++) Tell(db, firings[i], told[i], known, now);
        await Complain(db, firings, told, known, now, ct);
    }

    void Tell(PortalDbContext db, Firing firing, IReadOnlyList<Told> told, Known known, DateTimeOffset now)
    {
        var (alert, service) = (firing.Alert, known.Services[firing.Alert.ServiceId]);
        var (title, body) = (PageWords.Title(alert, service), PageWords.Body(alert, service, firing.Step, firing.Version, firing.Policy, options.Public.TimeZone));
        var ways = WaysOf(told, known);
        foreach (var way in ways)
            db.Deliveries.Add(new Delivery(DeliveryPurpose.Page, way.Address, $"{alert.Id}:{firing.Escalation.Fired}:{KeyOf(way.Address)}", title, body, alert.Id, now + way.After, now, firing.Escalation.LastPosition, alert.IsTest));
        var step = Capital(PageWords.Of(firing.Step, firing.Version));
        var missing = Missing(told, known);
        if (ways.Count > 0) db.AlertEvents.Add(new AlertEvent(alert.Id, AlertEventKind.Paged, null, $"{step}: told {InWords(ways, known)}.{(missing.Length > 0 ? $" {missing}" : "")}", now));
        else
        {
            var next = firing.Escalation.Hasten(firing.Version, now) ? " The next step fires at once." : "";
            db.AlertEvents.Add(new AlertEvent(alert.Id, AlertEventKind.PagedNobody, null, $"{step} reached nobody. {missing}{next}", now));
        }
        // After the line of the step itself, which has the same moment.
        if (firing.Escalation.State == EscalationState.Exhausted)
            db.AlertEvents.Add(new AlertEvent(alert.Id, AlertEventKind.Exhausted, null, "Every step has fired: nobody else is told by itself. Acknowledge it, or reassign it.", now.AddMicroseconds(1)));
    }

    static List<WaysToReach.Way> WaysOf(IReadOnlyList<Told> told, Known known) => [.. told.SelectMany(t => known.Ways[Plain(t)]).DistinctBy(w => w.Address)];

    /// <summary>By whatever target a person is meant, their ways are the same.</summary>
    static Told Plain(Told told) => told.Person is { } person ? new(EscalationTarget.Of(person), person) : told;

    /// <summary>One firing tells an address once. A mail address may be longer than a key.</summary>
    static string KeyOf(DeliveryAddress to) => to.Contact is { } contact ? $"contact-{contact}" : to.Channel is { } channel ? $"channel-{channel}" : $"{to.Kind}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(to.Address)))}";

    static string InWords(IReadOnlyList<WaysToReach.Way> ways, Known known)
    {
        var parts = ways.GroupBy(w => w.Told).Select(g => g.Key.Person is { } person
            ? $"{known.Names.GetValueOrDefault(person, "somebody")} ({string.Join(", ", g.Select(w => $"{OnCallWords.Of(w.Address.Kind)}{(w.After > TimeSpan.Zero ? $" after {SpanWords.Of(w.After)}" : "")}"))})"
            : string.Join(", ", g.Select(w => $"{w.Address.Address} ({OnCallWords.Of(w.Address.Kind)})"))).ToList();
        return string.Join(", ", parts.Take(NamesInALine)) + (parts.Count > NamesInALine ? $" and {parts.Count - NamesInALine} more" : "");
    }

    /// <summary>Who was meant and is not reached.</summary>
    static string Missing(IReadOnlyList<Told> told, Known known) => string.Join(" ", told.Where(t => t.IsNobody || !known.Ways[Plain(t)].Any()).Select(t => t.Target.Kind switch
    {
        _ when t.Person is { } person => $"{known.Names.GetValueOrDefault(person, "Somebody who is gone")} cannot be reached.",
        EscalationTargetKind.Schedule => known.Rosters.NameOf(new(t.Target.Id)) is { } name ? $"Nobody is on call in {name}." : "A schedule of this step is gone.",
        EscalationTargetKind.Channel => "A channel of this step is switched off or gone.",
        _ => "A contact group of this step is empty or gone.",
    }).Distinct());

    /// <summary>In the same transaction: what nobody heard of is not lost with the node. One notice for a policy and some minutes, since a storm is one fault of it.</summary>
    static async Task Complain(PortalDbContext db, IReadOnlyList<Firing> firings, List<IReadOnlyList<Told>> told, Known known, DateTimeOffset now, CancellationToken ct)
    {
        var window = now.ToUnixTimeSeconds() / 300;
        var nobody = firings.Where((_, i) => WaysOf(told[i], known).Count == 0).ToList();
        foreach (var policy in nobody.GroupBy(f => f.Escalation.PolicyId))
        {
            var first = policy.First();
            await Noticeboard.Tell(db, new News(NoticeSeverity.Problem, $"{first.Policy}: a step reached nobody", $"{Capital(PageWords.Of(first.Step, first.Version))} was to tell of \"{PageWords.Title(first.Alert, known.Services[first.Alert.ServiceId])}\" and reached nobody{Others(policy.Count())}. {Missing(told[firings.ToList().IndexOf(first)], known)} Put somebody on call, or change the policy.",
                $"nobody:{policy.Key}", $"nobody:{policy.Key}:{window}", "/ops/on-call"), now, ct);
        }
        foreach (var policy in firings.Where(f => f.Escalation.State == EscalationState.Exhausted && !f.Alert.IsTest).GroupBy(f => f.Escalation.PolicyId))
        {
            var first = policy.First();
            await Noticeboard.Tell(db, new News(NoticeSeverity.Problem, $"{first.Policy}: every step has fired and nobody acknowledged", $"\"{PageWords.Title(first.Alert, known.Services[first.Alert.ServiceId])}\" is open{Others(policy.Count())}, and nobody else is told of it by itself.",
                $"exhausted:{policy.Key}", $"exhausted:{policy.Key}:{window}", $"/ops/alerts/{first.Alert.Id}"), now, ct);
        }
    }

    static string Others(int count) => count > 1 ? $", and so {(count == 2 ? "is 1 more alert" : $"are {count - 1} more alerts")}" : "";

    static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
