using Portal.Api;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Notifications;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Features.Access;

namespace Portal.Features.Alerting;

/// <summary><c>/api/v1/alerts</c>.</summary>
public static class AlertsApi
{
    /// <param name="Service">Slug or id.</param>
    /// <param name="Key">Open alerts of the service with the same key are one; left out: it is a new one.</param>
    /// <param name="Details">A JSON document, as text.</param>
    public sealed record NewAlert(string? Service, Severity? Severity, string? Summary, string? Key = null, string? Source = null, IReadOnlyDictionary<string, string>? Labels = null, string? Details = null, string? Link = null);

    /// <param name="Until">In the future, at most 7 days ahead.</param>
    public sealed record Snooze(DateTimeOffset? Until);

    /// <param name="Policy">Its id: the alert begins anew by it.</param>
    public sealed record Reassign(string? Policy);

    public sealed record Note(string? Text);

    public sealed record AlertRow(
        AlertId Id, ServiceId Service, string ServiceName, Severity Severity, string Summary, AlertState State, long Count, int GroupCount, DateTimeOffset TriggeredAt, DateTimeOffset? AcknowledgedAt, string? AcknowledgedBy,
        DateTimeOffset? SnoozedUntil, DateTimeOffset? ResolvedAt, string? ResolvedBy, AlertQuiet Quiet, string? QuietBecause, bool IsTest, IncidentId? Incident);

    /// <param name="Group">The alert that pages for this one too.</param>
    public sealed record AlertAnswer(
        AlertId Id, ServiceId Service, string ServiceName, string Key, Severity Severity, string Summary, string Source, IReadOnlyDictionary<string, string> Labels, string? Details, string? Link, AlertState State, long Count,
        DateTimeOffset BeganAt, DateTimeOffset TriggeredAt, DateTimeOffset LastAt, DateTimeOffset? AcknowledgedAt, string? AcknowledgedBy, DateTimeOffset? SnoozedUntil, DateTimeOffset? ResolvedAt, string? ResolvedBy,
        AlertQuiet Quiet, string? QuietBecause, AlertId? Group, int GroupCount, bool IsTest, IncidentId? Incident, GoingAnswer? Escalation, IReadOnlyList<EventAnswer> Timeline, IReadOnlyList<DeliveryAnswer> Deliveries, uint Version);

    /// <param name="NextAt">When something happens by itself.</param>
    public sealed record GoingAnswer(EscalationPolicyId Policy, string PolicyName, EscalationState State, int Position, int Steps, DateTimeOffset? NextAt);

    public sealed record EventAnswer(DateTimeOffset At, AlertEventKind Kind, string? By, string Text);

    public sealed record DeliveryAnswer(DeliveryId Id, DeliveryPurpose Purpose, ChannelKind Kind, string Address, DeliveryState State, DateTimeOffset DueAt, DateTimeOffset? SentAt, int Attempts, string? Error, DateTimeOffset? ConfirmedAt);

    /// <param name="Key">Under which it is found as soon as it is taken in.</param>
    public sealed record RaisedAnswer(string Key);

    public static void MapAlertsApi(this IEndpointRouteBuilder api)
    {
        var alerts = api.MapGroup("/alerts").WithTags("Alerts");
        var (view, handle) = (nameof(Permission.ViewAlerts), nameof(Permission.HandleAlerts));
        alerts.MapGet("/", List).RequireAuthorization(view).WithSummary("Alerts, newest first; ?state=, ?service= (slug or id), ?severity=, ?open=true for those that are not resolved. What joined another one stands in that one").Produces<CursorPage<AlertRow>>();
        alerts.MapGet("/{id}", Get).RequireAuthorization(view).WithSummary("One alert with its timeline and deliveries, newest first").Produces<AlertAnswer>();
        alerts.MapPost("/", Raise).RequireAuthorization(handle).WithSummary("Raise an alert by hand; 202 where it is stored and not taken in yet").Produces<AlertAnswer>(StatusCodes.Status201Created).Produces<RaisedAnswer>(StatusCodes.Status202Accepted);
        alerts.MapPost("/{id}/acknowledge", (string id, HttpContext http, AcknowledgeAlert use, AlertRoom room, CancellationToken ct) => Do(id, http, (a, by) => use.Execute(a, by, ct), room, ct)).RequireAuthorization(handle).WithSummary("Take it: nobody is paged of it any more").Produces<AlertAnswer>();
        alerts.MapPost("/{id}/release", (string id, HttpContext http, UnacknowledgeAlert use, AlertRoom room, CancellationToken ct) => Do(id, http, (a, by) => use.Execute(a, by, ct), room, ct)).RequireAuthorization(handle).WithSummary("Give it back: it pages again at once").Produces<AlertAnswer>();
        alerts.MapPost("/{id}/resolve", (string id, HttpContext http, ResolveAlert use, AlertRoom room, CancellationToken ct) => Do(id, http, (a, by) => use.Execute(a, by, ct), room, ct)).RequireAuthorization(handle).WithSummary("It is over, and with it what had joined it").Produces<AlertAnswer>();
        alerts.MapPost("/{id}/escalate", (string id, HttpContext http, EscalateAlert use, AlertRoom room, CancellationToken ct) => Do(id, http, (a, by) => use.Execute(a, by, ct), room, ct)).RequireAuthorization(handle).WithSummary("The next step fires at once").Produces<AlertAnswer>();
        alerts.MapPost("/{id}/snooze", (string id, Snooze body, HttpContext http, SnoozeAlert use, AlertRoom room, CancellationToken ct) =>
            Do(id, http, (a, by) => use.Execute(a, body.Until ?? throw new DomainException("Say until when.", "until"), by, ct), room, ct)).RequireAuthorization(handle).WithSummary("Take it and be paged again later").Produces<AlertAnswer>();
        alerts.MapPost("/{id}/reassign", (string id, Reassign body, HttpContext http, ReassignAlert use, AlertRoom room, CancellationToken ct) =>
            Do(id, http, (a, by) => use.Execute(a, Policy(body.Policy), by, ct), room, ct)).RequireAuthorization(handle).WithSummary("Begin anew by another policy").Produces<AlertAnswer>();
        alerts.MapPost("/{id}/notes", (string id, Note body, HttpContext http, NoteOnAlert use, AlertRoom room, CancellationToken ct) =>
            Do(id, http, (a, by) => use.Execute(a[0], body.Text ?? "", by, ct), room, ct)).RequireAuthorization(handle).WithSummary("Write into its timeline").Produces<AlertAnswer>();
    }

    static async Task<CursorPage<AlertRow>> List(Cursor cursor, HttpContext http, AlertBoard board, CancellationToken ct, AlertState? state = null, string? service = null, Severity? severity = null, bool? open = null)
    {
        var of = service is null ? (ServiceId?)null : await ServiceOf(board, service, ct);
        var rows = await board.Load(new(open, state, of, severity), cursor.AfterId<AlertId>(), cursor.Take, http.User.ToActor(), ct);
        return cursor.Page(rows, r => new AlertRow(r.Id, r.Service, r.ServiceName, r.Severity, r.Summary, r.State, r.Count, r.GroupCount, r.TriggeredAt, r.AcknowledgedAt, r.AcknowledgedBy, r.SnoozedUntil, r.ResolvedAt, r.ResolvedBy, r.Quiet, r.QuietBecause, r.IsTest, r.Incident), r => r.Id.ToString());
    }

    static async Task<AlertAnswer> Get(string id, HttpContext http, AlertRoom room, CancellationToken ct) => Told(http, await room.Load(Known(id), http.User.ToActor(), ct));

    static async Task<IResult> Raise(NewAlert body, HttpContext http, RaiseAlert raise, RaisedAlert raised, AlertRoom room, AlertBoard board, CancellationToken ct)
    {
        var severity = body.Severity ?? throw new DomainException("The severity is required: P0, P1, P2 or P3.", "severity");
        var service = await ServiceOf(board, body.Service, ct);
        var labels = body.Labels?.Select(l => new AlertLabel(l.Key, l.Value ?? throw new DomainException("A label has a text.", $"labels.{l.Key}"))).ToList();
        var key = await raise.Execute(new(service, severity, body.Summary ?? "", body.Key, body.Source, labels, body.Details, body.Link), http.User.ToActor(), ct);
        return await raised.Load(service, key, ct) is { } id ? Results.Created($"/api/v1/alerts/{id}", Told(http, await room.Load(id, Viewing(http), ct))) : Results.Accepted((string?)null, new RaisedAnswer(key));
    }

    static async Task<AlertAnswer> Do(string id, HttpContext http, Func<IReadOnlyList<AlertId>, Actor, Task> act, AlertRoom room, CancellationToken ct)
    {
        var alert = Known(id);
        await act([alert], http.User.ToActor());
        return Told(http, await room.Load(alert, Viewing(http), ct));
    }

    /// <summary>Whoever changed an alert sees what became of it, also with a key that reads no others.</summary>
    static Actor Viewing(HttpContext http) => http.User.ToActor() is var actor && actor.May(Permission.ViewAlerts) ? actor : actor with { Grants = actor.Grants.Append(Permission.ViewAlerts).ToHashSet() };

    /// <exception cref="DomainException">There is none.</exception>
    internal static async Task<ServiceId> ServiceOf(AlertBoard board, string? named, CancellationToken ct)
    {
        if (named is null) throw new DomainException("Name the service.", "service");
        var isId = Id.TryParse<ServiceId>(named, out var id);
        var found = (await board.LoadServices(ct)).FirstOrDefault(s => isId && s.Id == id || s.Slug == named);
        return found.Slug is null ? throw new DomainException($"There is no service \"{(named.Length > 60 ? named[..60] : named)}\".", "service") : found.Id;
    }

    static EscalationPolicyId Policy(string? id) => Id.TryParse<EscalationPolicyId>(id, out var policy) ? policy : throw new DomainException("Name the policy by its id.", "policy");

    static AlertId Known(string id) => Id.Parse<AlertId>(id, "alert");

    static AlertAnswer Told(HttpContext http, AlertRoom.View view)
    {
        var a = view.Alert;
        RowVersion.Tell(http, a.Version);
        return new(a.Id, a.ServiceId, view.ServiceName, a.Key, a.Severity, a.Summary, a.Source, a.Labels.DistinctBy(l => l.Name).ToDictionary(l => l.Name, l => l.Value), a.Details, a.Link, a.State, a.Count,
            a.BeganAt, a.TriggeredAt, a.LastAt, a.AcknowledgedAt, a.AcknowledgedBy, a.SnoozedUntil, a.ResolvedAt, a.ResolvedBy, a.Quiet, a.QuietBecause, a.GroupId, a.GroupCount, a.IsTest, a.IncidentId,
            view.Policy is { } p ? new(p.Id, p.Name, p.State, p.Position, p.Steps, p.NextAt) : null,
            [.. view.Events.Select(e => new EventAnswer(e.At, e.Kind, e.By, e.Text))],
            [.. view.Deliveries.Select(d => new DeliveryAnswer(d.Id, d.Purpose, d.Kind, d.Address, d.State, d.DueAt, d.SentAt, d.Attempts, d.LastError, d.ConfirmedAt))], a.Version);
    }
}
