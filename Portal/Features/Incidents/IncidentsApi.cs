using Portal.Api;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.Access;
using Portal.Features.StatusPages;

namespace Portal.Features.Incidents;

/// <summary><c>/api/v1/incidents</c>.</summary>
public static class IncidentsApi
{
    /// <param name="Slug">Slug or id of a component.</param>
    public sealed record NamedComponent(string? Slug, ComponentStatus? Status);

    /// <param name="Impact">Left out: what is usual for the severity.</param>
    /// <param name="NextUpdateBy">Left out: what is usual for the severity; null promises nothing.</param>
    /// <param name="StartedAt">When it began, if it was earlier.</param>
    /// <param name="ResolvedAt">When it ended, if it is declared as resolved; left out: now.</param>
    /// <param name="Notify">Whether subscribers are told; taken and not used until there are subscribers.</param>
    public sealed record NewIncident(
        string? Title, Severity? Severity, string? Message, Given<DateTimeOffset?> NextUpdateBy, IReadOnlyList<NamedComponent?>? Components = null, Indicator? Impact = null,
        IncidentStatus? Status = null, DateTimeOffset? StartedAt = null, DateTimeOffset? ResolvedAt = null, bool? Notify = null);

    /// <param name="Status">Left out: stays as it is. A note cannot change it.</param>
    /// <param name="Visibility">Left out: public. A note, internal, has a message alone.</param>
    public sealed record NewUpdate(
        string? Message, Given<DateTimeOffset?> NextUpdateBy, IncidentStatus? Status = null, UpdateVisibility? Visibility = null, IReadOnlyList<NamedComponent?>? Components = null, bool? Notify = null);

    /// <summary>What is left out stays as it is. A null impact is what is usual for the severity, a null nextUpdateBy promises nothing.</summary>
    public sealed record IncidentPatch(Given<string> Title, Given<Severity?> Severity, Given<Indicator?> Impact, Given<DateTimeOffset?> NextUpdateBy, uint? Version = null);

    /// <param name="Revision">The revision that was read; another one by now is a conflict.</param>
    public sealed record UpdatePatch(string? Message, int? Revision);

    public sealed record UpdateAnswer(
        IncidentUpdateId Id, IncidentStatus Status, string Message, UpdateVisibility Visibility, string Author, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, int Revision,
        IReadOnlyList<EarlierText> Earlier, IReadOnlyList<ChangedComponent> Components);

    public sealed record EarlierText(string Message, string ReplacedBy, DateTimeOffset ReplacedAt);

    public sealed record ChangedComponent(ComponentId Id, string Slug, string Name, ComponentStatus OldStatus, ComponentStatus Status);

    public sealed record TouchedComponent(ComponentId Id, string Slug, string Name, ComponentStatus Status, DateTimeOffset Since, DateTimeOffset? Until);

    public sealed record IncidentAnswer(
        IncidentId Id, string Title, Severity Severity, Indicator Impact, IncidentStatus Status, DateTimeOffset StartedAt, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt,
        DateTimeOffset? MonitoringAt, DateTimeOffset? ResolvedAt, DateTimeOffset? NextUpdateBy, IReadOnlyList<UpdateAnswer> Updates, IReadOnlyList<TouchedComponent> Components, uint Version);

    public sealed record IncidentRow(
        IncidentId Id, string Title, Severity Severity, Indicator Impact, IncidentStatus Status, DateTimeOffset StartedAt, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt,
        DateTimeOffset? ResolvedAt, DateTimeOffset? NextUpdateBy, IReadOnlyList<string> Components);

    public static void MapIncidentsApi(this IEndpointRouteBuilder api)
    {
        var incidents = api.MapGroup("/incidents").WithTags("Incidents");
        var (view, run) = (nameof(Permission.ViewOps), nameof(Permission.RunIncidents));
        incidents.MapGet("/", List).RequireAuthorization(view).WithSummary("Incidents, newest beginning first; ?open=true for unresolved ones").Produces<CursorPage<IncidentRow>>();
        incidents.MapGet("/{id}", Get).RequireAuthorization(view).WithSummary("One incident with its whole timeline").Produces<IncidentAnswer>();
        incidents.MapPost("/", Declare).RequireAuthorization(run).WithSummary("Declare an incident").Produces<IncidentAnswer>(StatusCodes.Status201Created);
        incidents.MapPatch("/{id}", Change).RequireAuthorization(run).WithSummary("Correct title, severity, impact or promise").Produces<IncidentAnswer>();
        incidents.MapPost("/{id}/updates", Post).RequireAuthorization(run).WithSummary("Post an update, or a note for the team").Produces<UpdateAnswer>(StatusCodes.Status201Created);
        incidents.MapPatch("/{id}/updates/{update}", Edit).RequireAuthorization(run).WithSummary("Replace the text of an update; the old one is kept").Produces<UpdateAnswer>();
    }

    static async Task<CursorPage<IncidentRow>> List(Cursor cursor, IncidentList list, CancellationToken ct, bool? open = null, Severity? severity = null)
    {
        var rows = await list.Load(new IncidentList.Filter(open, severity), cursor.AfterId<IncidentId>(), cursor.Take, ct);
        return cursor.Page(rows, r => new IncidentRow(r.Id, r.Title, r.Severity, r.Impact, r.Status, r.StartedAt, r.CreatedAt, r.UpdatedAt, r.ResolvedAt, r.NextUpdateBy, r.Components), r => r.Id.ToString());
    }

    static async Task<IncidentAnswer> Get(string id, HttpContext http, IncidentRoom room, CancellationToken ct) => Told(http, await room.Load(Known(id), ct));

    static async Task<IResult> Declare(NewIncident body, HttpContext http, DeclareIncident declare, IncidentRoom room, ComponentStatuses statuses, CancellationToken ct)
    {
        var severity = body.Severity ?? throw new DomainException("The severity is required: P0, P1, P2 or P3.", "severity");
        var request = new DeclareIncident.Request(body.Title ?? "", severity, body.Message ?? "", await Changes(body.Components, statuses, ct), body.Impact,
            body.Status ?? IncidentStatus.Investigating, Next(body.NextUpdateBy), body.StartedAt, ResolvedAt: body.ResolvedAt);
        var id = await declare.Execute(request, http.User.ToActor(), ct);
        return Results.Created($"/api/v1/incidents/{id}", Told(http, await room.Load(id, ct)));
    }

    static async Task<IncidentAnswer> Change(string id, IncidentPatch body, HttpContext http, ChangeIncident change, IncidentRoom room, CancellationToken ct)
    {
        var incident = Known(id);
        if (body.Title is { IsGiven: true, Value: null }) throw new DomainException("The title is required.", "title");
        if (body.Severity is { IsGiven: true, Value: null }) throw new DomainException("The severity is required: P0, P1, P2 or P3.", "severity");
        var impact = body.Impact.IsGiven ? body.Impact.Value ?? (body.Severity.Value ?? (await room.Load(incident, ct)).Severity).Impact() : (Indicator?)null;
        var request = new ChangeIncident.Request(incident, body.Title.Value, body.Severity.Value, impact, Next(body.NextUpdateBy), Version: RowVersion.Expected(http, body.Version));
        await change.Execute(request, http.User.ToActor(), ct);
        return Told(http, await room.Load(incident, ct));
    }

    static async Task<IResult> Post(string id, NewUpdate body, HttpContext http, PostIncidentUpdate post, IncidentRoom room, ComponentStatuses statuses, CancellationToken ct)
    {
        var incident = Known(id);
        var request = new PostIncidentUpdate.Request(incident, body.Message ?? "", body.Visibility ?? UpdateVisibility.Public, await Changes(body.Components, statuses, ct), body.Status, Next(body.NextUpdateBy));
        var update = await post.Execute(request, http.User.ToActor(), ct);
        return Results.Created($"/api/v1/incidents/{incident}", Answer((await room.Load(incident, ct)).Entries.Single(e => e.Id == update)));
    }

    static async Task<UpdateAnswer> Edit(string id, string update, UpdatePatch body, HttpContext http, EditIncidentUpdate edit, IncidentRoom room, CancellationToken ct)
    {
        var (incident, entry) = (Known(id), Id.Parse<IncidentUpdateId>(update, "update"));
        var revision = body.Revision ?? throw new DomainException("The revision that you read is required.", "revision");
        await edit.Execute(new EditIncidentUpdate.Request(incident, entry, body.Message ?? "", revision), http.User.ToActor(), ct);
        return Answer((await room.Load(incident, ct)).Entries.Single(e => e.Id == entry));
    }

    static IncidentId Known(string id) => Id.Parse<IncidentId>(id, "incident");

    static NextUpdate? Next(Given<DateTimeOffset?> by) => by.IsGiven ? new NextUpdate(by.Value) : null;

    /// <summary>From slugs to ids; an unknown one is named by its place in the request.</summary>
    static async Task<IReadOnlyList<ComponentChange>> Changes(IReadOnlyList<NamedComponent?>? named, ComponentStatuses statuses, CancellationToken ct)
    {
        if (named is not { Count: > 0 }) return [];
        var known = (await statuses.Load(ct)).Components;
        return [.. named.Select((n, i) =>
        {
            if (n is null) throw new DomainException("A component is an object with slug and status, not null.", $"components[{i}]");
            var isId = Id.TryParse<ComponentId>(n.Slug, out var id);
            var component = known.FirstOrDefault(c => isId && c.Id == id || c.Slug == n.Slug)
                ?? throw new DomainException($"There is no component \"{(n.Slug is { Length: > 60 } ? n.Slug[..60] : n.Slug)}\".", $"components[{i}].slug");
            return new ComponentChange(component.Id, n.Status ?? throw new DomainException($"The status is required: {string.Join(", ", ApiJson.Words(typeof(ComponentStatus)))}.", $"components[{i}].status"));
        })];
    }

    static IncidentAnswer Told(HttpContext http, IncidentRoom.View view)
    {
        RowVersion.Tell(http, view.Version);
        return new IncidentAnswer(view.Id, view.Title, view.Severity, view.Impact, view.Status, view.StartedAt, view.CreatedAt, view.UpdatedAt, view.MonitoringAt, view.ResolvedAt, view.NextUpdateBy,
            [.. view.Entries.Select(Answer)], [.. view.Components.Select(c => new TouchedComponent(c.Component, c.Slug, c.Name, c.Status, c.Since, c.Until))], view.Version);
    }

    static UpdateAnswer Answer(IncidentRoom.Entry entry) => new(entry.Id, entry.Status, entry.Body, entry.Visibility, entry.Author, entry.CreatedAt, entry.UpdatedAt, entry.Revision,
        [.. entry.Earlier.Select(e => new EarlierText(e.Body, e.ReplacedBy, e.ReplacedAt))], [.. entry.Affected.Select(a => new ChangedComponent(a.Component, a.Slug, a.Name, a.Old, a.New))]);
}
