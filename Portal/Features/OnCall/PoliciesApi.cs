using Portal.Api;
using Portal.Domain.Access;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Features.Access;

namespace Portal.Features.OnCall;

/// <summary><c>/api/v1/policies</c>.</summary>
public static class PoliciesApi
{
    /// <param name="Id">Of a person, a schedule, a channel or a contact group.</param>
    public sealed record TargetBody(EscalationTargetKind? Kind, string? Id);

    /// <param name="DelayMinutes">How long the next step waits for somebody to acknowledge.</param>
    public sealed record StepBody(IReadOnlyList<TargetBody>? Targets, int DelayMinutes);

    /// <param name="Repeat">How often all steps are gone through again while nobody acknowledges; 0 to 9.</param>
    /// <param name="Version">Of the row as the caller has seen it.</param>
    public sealed record PolicyBody(string? Name = null, IReadOnlyList<StepBody>? Steps = null, int? Repeat = null, uint? Version = null);

    /// <param name="Number">Of the version that new alerts begin with.</param>
    /// <param name="Warnings">What is wrong with the way to people, seen without sending anything.</param>
    public sealed record PolicyAnswer(EscalationPolicyId Id, string Name, int Number, IReadOnlyList<StepBody> Steps, int Repeat, IReadOnlyList<string> Warnings, DateTimeOffset ChangedAt, string ChangedBy, uint Version);

    /// <param name="By">push, SMS, a call, mail; null where nobody is reached.</param>
    public sealed record PlannedAnswer(DateTimeOffset At, int Step, int Round, string Target, PersonId? Person, string? Name, string? By);

    public static void MapPoliciesApi(this IEndpointRouteBuilder api)
    {
        var (view, manage) = (nameof(Permission.ViewAlerts), nameof(Permission.ManageAlerting));
        var policies = api.MapGroup("/policies").WithTags("On-call");
        policies.MapGet("/", List).RequireAuthorization(view).WithSummary("Escalation policies with what is wrong with them").Produces<CursorPage<PolicyAnswer>>();
        policies.MapGet("/{id}", Get).RequireAuthorization(view).WithSummary("One policy").Produces<PolicyAnswer>();
        policies.MapGet("/{id}/plan", Plan).RequireAuthorization(view).WithSummary("Who would be paged, when and how, if something happened now or at= and nobody acknowledged").Produces<CursorPage<PlannedAnswer>>();
        policies.MapPost("/", Add).RequireAuthorization(manage).WithSummary("Make a policy").Produces<PolicyAnswer>(StatusCodes.Status201Created);
        policies.MapPatch("/{id}", Change).RequireAuthorization(manage).WithSummary("Change a policy; alerts that are under way go on by the version that they began with").Produces<PolicyAnswer>();
        policies.MapDelete("/{id}", async (string id, HttpContext http, EditPolicies edit, CancellationToken ct) => { await edit.Delete(Known(id), http.User.ToActor(), ct); return Results.NoContent(); })
            .RequireAuthorization(manage).WithSummary("Delete a policy that no service and no open alert goes by").Produces(StatusCodes.Status204NoContent);
    }

    static async Task<CursorPage<PolicyAnswer>> List(Cursor cursor, HttpContext http, OnCallDesk desk, TimeProvider clock, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var view = await Look(desk, http, now, ct);
        return OnCallApi.Part(cursor, view.Policies.OrderBy(p => p.Id.Value), p => p.Id.Value, p => Answer(view, p, now));
    }

    static async Task<PolicyAnswer> Get(string id, HttpContext http, OnCallDesk desk, TimeProvider clock, CancellationToken ct) => await Told(http, desk, clock, Known(id), ct);

    static async Task<CursorPage<PlannedAnswer>> Plan(string id, HttpContext http, OnCallDesk desk, TimeProvider clock, CancellationToken ct, DateTimeOffset? at = null)
    {
        var then = ZoneClock.Checked(at ?? clock.GetUtcNow());
        var view = await Look(desk, http, then, ct);
        var policy = view.Policies.FirstOrDefault(p => p.Id == Known(id)) ?? throw new NotFoundException("policy");
        return new([.. view.Plan(policy.Current, then).Select(p => new PlannedAnswer(p.At, p.Step + 1, p.Round + 1, view.NameOf(p.Target), p.Person, p.Person is { } person ? view.NameOf(person) : null, p.By?.Way))], null);
    }

    static async Task<IResult> Add(PolicyBody body, HttpContext http, EditPolicies edit, OnCallDesk desk, TimeProvider clock, CancellationToken ct)
    {
        var id = await edit.Make(new(body.Name, Steps(body.Steps ?? []), body.Repeat ?? 0), http.User.ToActor(), ct);
        return Results.Created($"/api/v1/policies/{id}", await Told(http, desk, clock, id, ct));
    }

    static async Task<PolicyAnswer> Change(string id, PolicyBody body, HttpContext http, EditPolicies edit, OnCallDesk desk, TimeProvider clock, CancellationToken ct)
    {
        await edit.Change(Known(id), stands => new(body.Name ?? stands.Name, body.Steps is { } steps ? Steps(steps) : stands.Steps, body.Repeat ?? stands.Repeat), RowVersion.Expected(http, body.Version), http.User.ToActor(), ct);
        return await Told(http, desk, clock, Known(id), ct);
    }

    static async Task<OnCallDesk.View> Look(OnCallDesk desk, HttpContext http, DateTimeOffset at, CancellationToken ct) => await desk.Load(ZoneClock.Range(at, at.AddDays(31)), http.User.ToActor(), ct);

    static EscalationPolicyId Known(string id) => Id.Parse<EscalationPolicyId>(id, "policy");

    static IReadOnlyList<EscalationStep> Steps(IReadOnlyList<StepBody> steps) => [.. steps.Select(s => new EscalationStep(new((s.Targets ?? []).Select(Target)), s.DelayMinutes))];

    static EscalationTarget Target(TargetBody body) => body.Kind is { } kind && Id.TryParse<PersonId>(body.Id, out var id) ? new(kind, id.Value)
        : throw new DomainException("A target has a kind (person, schedule, channel or contact_group) and the id of one.", "steps");

    static async Task<PolicyAnswer> Told(HttpContext http, OnCallDesk desk, TimeProvider clock, EscalationPolicyId id, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var view = await Look(desk, http, now, ct);
        var found = view.Policies.FirstOrDefault(p => p.Id == id) ?? throw new NotFoundException("policy");
        RowVersion.Tell(http, found.Version);
        return Answer(view, found, now);
    }

    static PolicyAnswer Answer(OnCallDesk.View view, EscalationPolicy p, DateTimeOffset now) => new(p.Id, p.Name, p.Current.Number,
        [.. p.Current.Steps.Select(s => new StepBody([.. s.Targets.Select(t => new TargetBody(t.Kind, t.Id.ToString("N")))], s.DelayMinutes))], p.Current.Repeat,
        [.. view.Check(p.Current, now).Select(f => f.Words)], p.Current.MadeAt, p.Current.MadeBy, p.Version);
}
