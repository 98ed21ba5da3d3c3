using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Persistence.Alerting;

namespace Portal.Features.Alerting;

/// <summary>Signals that are taken in together: everything that they may touch is loaded once, and each is applied in its order.</summary>
sealed class IntakeBatch
{
    readonly PortalDbContext db;
    readonly HeldAlerts held;
    readonly AlertRouting routing;
    readonly Dictionary<ServiceId, Service> services;
    readonly DateTimeOffset now;
    readonly Dictionary<(ServiceId, string), Alert> open;
    readonly Dictionary<(ServiceId, string), DateTimeOffset> ends;
    readonly Dictionary<ServiceId, List<Alert>> heads;
    readonly List<Alert> ended = [], acknowledged = [];
    /// <summary>Firsts of groups that are over and whose places are not taken yet.</summary>
    readonly List<Alert> vacant = [];

    IntakeBatch(PortalDbContext db, HeldAlerts held, AlertRouting routing, Dictionary<ServiceId, Service> services, Dictionary<(ServiceId, string), DateTimeOffset> ends, DateTimeOffset now)
    {
        (this.db, this.held, this.routing, this.services, this.ends, this.now) = (db, held, routing, services, ends, now);
        open = held.All.Where(a => a.IsOpen).ToDictionary(a => (a.ServiceId, a.Key));
        heads = held.All.Where(a => a.IsOpen && a.GroupId is null && a.Quiet == AlertQuiet.No).OrderBy(a => a.TriggeredAt).GroupBy(a => a.ServiceId).ToDictionary(g => g.Key, g => g.ToList());
    }

    /// <summary>Triggers that came after the end of what they tell of.</summary>
    public int Late { get; private set; }

    public static async Task<IntakeBatch> Load(PortalDbContext db, IReadOnlyList<HeardSignal> heard, DateTimeOffset now, CancellationToken ct)
    {
        var held = await HeldAlerts.Hold(db, await Touched(db, heard, now, ct), ct);
        var serviceIds = heard.Select(h => h.ServiceId).Distinct().ToList();
        var services = await db.Services.AsNoTracking().Where(s => serviceIds.Contains(s.Id)).ToDictionaryAsync(s => s.Id, ct);
        var monitors = heard.Select(h => h.Signal.Monitor).Concat(held.All.Select(a => a.MonitorId)).OfType<MonitorId>().ToHashSet();
        var rules = heard.Select(h => h.Signal.Rule).Concat(held.All.Select(a => a.RuleId)).OfType<AlertRuleId>().ToHashSet();
        var quietness = await Quietness.Load(db, monitors, rules, now, ct);
        var routing = await AlertRouting.Load(db, held, quietness, services.Values, quietness.Rules, now, ct);
        return new(db, held, routing, services, await Ends(db, heard, ct), now);
    }

    /// <summary>Open alerts that are named, the ones that page for them, what joined those that end, and the ones that a new alert may join.</summary>
    static async Task<List<AlertId>> Touched(PortalDbContext db, IReadOnlyList<HeardSignal> heard, DateTimeOffset now, CancellationToken ct)
    {
        var named = heard.Select(h => (h.ServiceId, h.Signal.Key)).Distinct().ToList();
        var ending = heard.Where(h => h.Signal.Action == SignalAction.Resolve).Select(h => (h.ServiceId, h.Signal.Key)).ToHashSet();
        Guid[] of = [.. named.Select(n => n.ServiceId.Value)], services = [.. of.Distinct()];
        string[] keys = [.. named.Select(n => n.Key)];
        bool[] ends = [.. named.Select(ending.Contains)];
        var ids = await db.Database.SqlQuery<Guid>($"""
            with named as (
                select a.id, a.group_id, n.ends from unnest({of}, {keys}, {ends}) as n (service_id, key, ends)
                join alerts a on a.service_id = n.service_id and a.key = n.key where a.state <> 'Resolved')
            select id as "Value" from named
            union select group_id from named where group_id is not null
            union select m.id from named n join alerts m on m.group_id = n.id where n.ends and m.state <> 'Resolved'
            union select a.id from alerts a join services s on s.id = a.service_id
            where a.service_id = any ({services}) and a.state <> 'Resolved' and a.group_id is null and a.quiet = 'No' and s.group_for > 0
              and a.triggered_at > {now.AddDays(-1)} and coalesce(a.grouped_at, a.triggered_at) > {now} - make_interval(mins => s.group_for)
            """).ToListAsync(ct);
        return [.. ids.Select(AlertId.From)];
    }

    /// <summary>When what is triggered with a time of its own ended last, by its source.</summary>
    static async Task<Dictionary<(ServiceId, string), DateTimeOffset>> Ends(PortalDbContext db, IReadOnlyList<HeardSignal> heard, CancellationToken ct)
    {
        var timed = heard.Where(h => h.Signal is { Action: SignalAction.Trigger, At: not null }).Select(h => (h.ServiceId, h.Signal.Key)).Distinct().ToList();
        if (timed.Count == 0) return [];
        Guid[] of = [.. timed.Select(n => n.ServiceId.Value)];
        string[] keys = [.. timed.Select(n => n.Key)];
        var found = await db.Database.SqlQuery<KeyEnd>($"""
            select a.service_id as "Service", a.key as "Key", max(a.ended_at) as "EndedAt" from unnest({of}, {keys}) as n (service_id, key)
            join alerts a on a.service_id = n.service_id and a.key = n.key where a.ended_at is not null group by 1, 2
            """).ToListAsync(ct);
        return found.ToDictionary(e => (ServiceId.From(e.Service), e.Key), e => e.EndedAt);
    }

    sealed record KeyEnd(Guid Service, string Key, DateTimeOffset EndedAt);

    public void Hear(HeardSignal heard)
    {
        // A service that is gone has nobody to tell.
        if (!services.TryGetValue(heard.ServiceId, out var service)) return;
        var signal = heard.Signal;
        var alert = open.GetValueOrDefault((heard.ServiceId, signal.Key));
        switch (signal.Action)
        {
            case SignalAction.Trigger when alert is not null:
                if (alert.Again(signal, now)) Worse(alert, service);
                break;
            case SignalAction.Trigger:
                Trigger(service, signal);
                break;
            case SignalAction.Acknowledge when alert is { State: AlertState.Triggered }:
                held.Acknowledge(alert, Source(signal), now);
                acknowledged.Add(alert);
                break;
            case SignalAction.Resolve when alert is not null:
                End(alert, signal);
                break;
        }
    }

    void Trigger(Service service, AlertSignal signal)
    {
        if (signal.At is { } at && ends.TryGetValue((service.Id, signal.Key), out var end) && at < end)
        {
            Late++;
            return;
        }
        TakePlaces();
        var alert = new Alert(service.Id, signal, now);
        held.Add(alert, service);
        held.Note(alert, AlertEventKind.Triggered, signal.By, signal.Summary, now);
        open[(service.Id, signal.Key)] = alert;
        if (!heads.TryGetValue(service.Id, out var candidates)) heads[service.Id] = candidates = [];
        routing.Route(alert, service, candidates.FirstOrDefault(h => h.Takes(alert, TimeSpan.FromMinutes(service.GroupFor), now)));
        if (alert.Quiet == AlertQuiet.No) candidates.Add(alert);
    }

    void Worse(Alert alert, Service service)
    {
        held.Note(alert, AlertEventKind.Worse, null, $"It is {alert.Severity} now: {alert.Summary}", now);
        routing.Worsen(alert, service);
        if (alert.Quiet == AlertQuiet.No && heads.TryGetValue(service.Id, out var candidates) && !candidates.Contains(alert)) candidates.Add(alert);
    }

    void End(Alert alert, AlertSignal signal)
    {
        alert.End(signal.At, now);
        held.EscalationOf(alert)?.Resolve(now);
        held.Note(alert, AlertEventKind.Resolved, null, signal.By is { } by ? $"Resolved by {by}" : "Its source says that it is over", now);
        open.Remove((alert.ServiceId, alert.Key));
        ends[(alert.ServiceId, alert.Key)] = alert.EndedAt!.Value;
        if (heads.TryGetValue(alert.ServiceId, out var candidates)) candidates.Remove(alert);
        ended.Add(alert);
        if (alert.GroupId is null && alert.GroupCount > 0) vacant.Add(alert);
    }

    /// <summary>Only when somebody asks who pages, so that a group that ends together has no first for a moment.</summary>
    void TakePlaces()
    {
        foreach (var first in vacant)
        {
            routing.Promote(first);
            foreach (var next in held.All.Where(a => a.IsOpen && a.GroupId is null && a.Quiet == AlertQuiet.No && a.ServiceId == first.ServiceId))
                if (heads.TryGetValue(first.ServiceId, out var candidates) && !candidates.Contains(next)) candidates.Add(next);
        }
        vacant.Clear();
    }

    /// <summary>What follows from all of them together.</summary>
    public async Task Finish(CancellationToken ct)
    {
        TakePlaces();
        List<Alert> taken = [.. acknowledged.Where(a => a.State == AlertState.Acknowledged)];
        await ToldPlaces.Drop(db, [.. taken, .. ended], "There is no need any more", now, ct);
        await ToldPlaces.Follow(db, taken, "Acknowledged by its source", over: false, now, ct);
        await ToldPlaces.Follow(db, ended, "It is over", over: true, now, ct);
    }

    static Actor Source(AlertSignal signal)
    {
        var name = signal.By ?? (signal.Source.Length > 0 ? signal.Source : "Its source");
        return new(ActorKind.ApiKey, null, name.Length <= Text.NameLength ? name : name[..Text.NameLength], new HashSet<Permission>());
    }
}
