using Portal.Api;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.Access;

namespace Portal.Features.Alerting;

/// <summary><c>/api/v1/services</c> and <c>/api/v1/silences</c>.</summary>
public static class ServicesApi
{
    /// <summary>By which policy an alert of each severity goes; null pages nobody.</summary>
    public sealed record PoliciesOf(EscalationPolicyId? P0, EscalationPolicyId? P1, EscalationPolicyId? P2, EscalationPolicyId? P3);

    /// <param name="AcknowledgedFor">Minutes after which an acknowledged alert pages again; null never.</param>
    /// <param name="GroupFor">Minutes within which alerts join one another; 0 groups nothing.</param>
    /// <param name="DeclareFrom">Alerts of this severity or worse declare an incident.</param>
    public sealed record NewService(string? Name, string? Slug = null, string? Description = null, PoliciesOf? Policies = null, int? AcknowledgedFor = null, int? GroupFor = null, Severity? DeclareFrom = null, IReadOnlyList<ComponentId>? Components = null);

    /// <summary>What is left out stays as it is.</summary>
    /// <param name="SentrySecret">With what Sentry signs its hooks; it is never shown again. Null takes it away.</param>
    /// <param name="Mapping">Where the generic hook finds everything; null: $.summary, $.key, $.severity, $.status, $.source, $.link.</param>
    public sealed record ServicePatch(
        Given<string> Name, Given<string> Slug, Given<string> Description, Given<PoliciesOf> Policies, Given<int?> AcknowledgedFor, Given<int?> GroupFor, Given<Severity?> DeclareFrom, Given<IReadOnlyList<ComponentId>> Components,
        Given<string> SentrySecret, Given<MappingBody> Mapping, uint? Version = null);

    /// <summary>JSON paths such as $.alert.name or $['my-name'].</summary>
    public sealed record MappingBody(string? Summary, string? Key = null, string? Severity = null, string? State = null, IReadOnlyList<string>? ResolvedWhen = null, string? Source = null, string? Link = null);

    /// <param name="RoutingKey">Under which programs raise its alerts; only for keys with alerting:write.</param>
    public sealed record ServiceAnswer(
        ServiceId Id, string Name, string Slug, string? Description, PoliciesOf Policies, int? AcknowledgedFor, int GroupFor, Severity? DeclareFrom, IReadOnlyList<ComponentId> Components, bool HasSentrySecret, MappingBody? Mapping, string? RoutingKey, uint Version);

    /// <param name="From">Left out: now.</param>
    public sealed record NewSilence(IReadOnlyDictionary<string, string>? Labels, DateTimeOffset? To, string? Reason, DateTimeOffset? From = null);

    public sealed record SilenceAnswer(SilenceId Id, IReadOnlyDictionary<string, string> Labels, DateTimeOffset From, DateTimeOffset To, string Reason, string MadeBy, DateTimeOffset MadeAt);

    public static void MapServicesApi(this IEndpointRouteBuilder api)
    {
        var (view, handle, manage) = (nameof(Permission.ViewAlerts), nameof(Permission.HandleAlerts), nameof(Permission.ManageAlerting));
        var services = api.MapGroup("/services").WithTags("Alerts");
        services.MapGet("/", List).RequireAuthorization(view).WithSummary("Services by name").Produces<CursorPage<ServiceAnswer>>();
        services.MapGet("/{id}", Get).RequireAuthorization(view).WithSummary("One service").Produces<ServiceAnswer>();
        services.MapPost("/", Create).RequireAuthorization(manage).WithSummary("Make a service; the answer has its routing key").Produces<ServiceAnswer>(StatusCodes.Status201Created);
        services.MapPatch("/{id}", Change).RequireAuthorization(manage).WithSummary("Change a service, and how it hears hooks").Produces<ServiceAnswer>();
        services.MapPost("/{id}/routing-key", Renew).RequireAuthorization(manage).WithSummary("Give it another routing key; the one before is refused at once").Produces<ServiceAnswer>();
        var silences = api.MapGroup("/silences").WithTags("Alerts");
        silences.MapGet("/", Silences).RequireAuthorization(view).WithSummary("Silences that are not over, the next to end first, and the last that are").Produces<CursorPage<SilenceAnswer>>();
        silences.MapPost("/", Silence).RequireAuthorization(handle).WithSummary("Let alerts with these labels page nobody for a while; service, severity and source are labels too").Produces<SilenceAnswer>(StatusCodes.Status201Created);
        silences.MapDelete("/{id}", End).RequireAuthorization(handle).WithSummary("End it now: what it covered and is open pages").Produces(StatusCodes.Status204NoContent);
    }

    static async Task<CursorPage<ServiceAnswer>> List(Cursor cursor, HttpContext http, ServiceList list, CancellationToken ct)
    {
        var actor = http.User.ToActor();
        // A thousand at most, and there are as many as teams look after: the cursor is a place in their order.
        var rows = Behind(cursor, (await list.Load(actor, ct)).Rows, r => r.Service.Id.ToString());
        return cursor.Page(rows, r => Answer(r.Service, actor.May(Permission.ManageAlerting) ? list.KeyOf(r.Service) : null), r => r.Service.Id.ToString());
    }

    static async Task<ServiceAnswer> Get(string id, HttpContext http, ServiceList list, CancellationToken ct) => await Told(http, Known(id), list, http.User.ToActor(), ct);

    static async Task<IResult> Create(NewService body, HttpContext http, CreateService create, ServiceList list, CancellationToken ct)
    {
        var settings = new ServiceSettings(body.Name ?? "", body.Slug, body.Description, Of(body.Policies), null, body.AcknowledgedFor, body.GroupFor ?? 5, body.DeclareFrom, body.Components ?? []);
        var id = await create.Execute(settings, http.User.ToActor(), ct);
        return Results.Created($"/api/v1/services/{id}", await Told(http, id, list, Manager(http), ct));
    }

    static async Task<ServiceAnswer> Change(string id, ServicePatch body, HttpContext http, ChangeService change, ChangeHooks hooks, ServiceList list, CancellationToken ct)
    {
        var (known, actor, version) = (Known(id), http.User.ToActor(), RowVersion.Expected(http, body.Version));
        if (body.GroupFor is { IsGiven: true, Value: null }) throw new DomainException("Say 0 where nothing is grouped.", "groupFor");
        var now = (await list.LoadOne(known, Manager(http), ct)).Settings;
        var settings = now with
        {
            Name = body.Name.Or(now.Name) ?? "",
            Slug = body.Slug.Or(now.Slug),
            Description = body.Description.Or(now.Description),
            Policies = body.Policies.IsGiven ? Of(body.Policies.Value) : now.Policies,
            AcknowledgedFor = body.AcknowledgedFor.Or(now.AcknowledgedFor),
            GroupFor = body.GroupFor.Or(now.GroupFor) ?? 0,
            DeclareFrom = body.DeclareFrom.Or(now.DeclareFrom),
            Components = body.Components.Or(now.Components) ?? [],
        };
        await change.Execute(known, settings, version, actor, ct);
        if (body.SentrySecret.IsGiven || body.Mapping.IsGiven) await hooks.Execute(new(known, body.SentrySecret.IsGiven, body.SentrySecret.Value, body.Mapping.IsGiven, Of(body.Mapping.Value)), actor, ct);
        return await Told(http, known, list, Manager(http), ct);
    }

    static async Task<ServiceAnswer> Renew(string id, HttpContext http, RenewRoutingKey renew, ServiceList list, CancellationToken ct)
    {
        await renew.Execute(Known(id), http.User.ToActor(), ct);
        return await Told(http, Known(id), list, Manager(http), ct);
    }

    static async Task<CursorPage<SilenceAnswer>> Silences(Cursor cursor, HttpContext http, SilenceList list, CancellationToken ct)
    {
        var view = await list.Load(http.User.ToActor(), ct);
        return cursor.Page(Behind(cursor, [.. view.Open, .. view.Over], s => s.Id.ToString()), Answer, s => s.Id.ToString());
    }

    static async Task<IResult> Silence(NewSilence body, HttpContext http, MakeSilence make, TimeProvider clock, CancellationToken ct)
    {
        var (actor, from) = (http.User.ToActor(), body.From ?? clock.GetUtcNow());
        var to = body.To ?? throw new DomainException("A silence has an end.", "to");
        List<AlertLabel> labels = [.. (body.Labels ?? new Dictionary<string, string>()).Select(l => new AlertLabel(l.Key, l.Value ?? ""))];
        var id = await make.Execute(new(labels, from, to, body.Reason ?? ""), actor, ct);
        return Results.Created((string?)null, new SilenceAnswer(id, labels.ToDictionary(l => l.Name, l => l.Value), from, to, body.Reason ?? "", actor.Name, clock.GetUtcNow()));
    }

    static async Task<IResult> End(string id, HttpContext http, EndSilence end, CancellationToken ct)
    {
        await end.Execute(Id.Parse<SilenceId>(id, "silence"), http.User.ToActor(), ct);
        return Results.NoContent();
    }

    static IReadOnlyList<T> Behind<T>(Cursor cursor, IReadOnlyList<T> all, Func<T, string> key)
    {
        var start = cursor.After is { } after ? all.Select(key).ToList().IndexOf(after) + 1 : 0;
        if (cursor.After is not null && start == 0) throw new DomainException("The value of after must be the next of an earlier answer, unchanged.", "after");
        return [.. all.Skip(start).Take(cursor.Take)];
    }

    /// <summary>Whoever changed a service sees what stands now, also with a key that reads no alerts.</summary>
    static Actor Manager(HttpContext http) => http.User.ToActor() is var actor && actor.May(Permission.ViewAlerts) ? actor : actor with { Grants = actor.Grants.Append(Permission.ViewAlerts).ToHashSet() };

    static async Task<ServiceAnswer> Told(HttpContext http, ServiceId id, ServiceList list, Actor actor, CancellationToken ct)
    {
        var service = await list.LoadOne(id, actor, ct);
        RowVersion.Tell(http, service.Version);
        return Answer(service, actor.May(Permission.ManageAlerting) ? list.KeyOf(service) : null);
    }

    static ServiceId Known(string id) => Id.Parse<ServiceId>(id, "service");

    static SeverityPolicies Of(PoliciesOf? p) => new(p?.P0, p?.P1, p?.P2, p?.P3);

    static SignalMapping? Of(MappingBody? m) => m is null ? null
        : new(m.Summary ?? throw new DomainException("Say where the summary stands.", "mapping.summary"), m.Key, m.Severity, m.State, new(m.ResolvedWhen ?? SignalMapping.Usual.ResolvedWhen), m.Source, m.Link);

    static ServiceAnswer Answer(Service s, string? key) => new(s.Id, s.Name, s.Slug, s.Description, new(s.PolicyP0, s.PolicyP1, s.PolicyP2, s.PolicyP3), s.AcknowledgedFor, s.GroupFor, s.DeclareFrom, s.Components,
        s.SealedSentrySecret is not null, s.Mapping is { } m ? new(m.Summary, m.Key, m.Severity, m.State, m.ResolvedWhen, m.Source, m.Link) : null, key, s.Version);

    static SilenceAnswer Answer(Silence s) => new(s.Id, s.Labels.DistinctBy(l => l.Name).ToDictionary(l => l.Name, l => l.Value), s.From, s.To, s.Reason, s.MadeBy, s.MadeAt);
}
