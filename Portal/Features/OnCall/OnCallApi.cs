using Portal.Api;
using Portal.Domain.Access;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Features.Access;

namespace Portal.Features.OnCall;

/// <summary><c>/api/v1/on-call</c>, <c>/schedules</c>, <c>/rotations</c> and <c>/overrides</c>.</summary>
public static class OnCallApi
{
    /// <param name="Because">layer, override or temporary.</param>
    /// <param name="Until">As long as they are on call without a break; null beyond 30 days.</param>
    public sealed record OnDutyAnswer(PersonId Id, string Name, string Because, DateTimeOffset? Until);

    /// <param name="OnCall">Empty: nobody is.</param>
    /// <param name="NextAt">When other people come on call.</param>
    public sealed record OnCallAnswer(OnCallScheduleId Schedule, string Name, string Zone, IReadOnlyList<OnDutyAnswer> OnCall, DateTimeOffset? NextAt, IReadOnlyList<string> Next);

    /// <param name="Only">Times of the week in the schedule's zone; left out, always.</param>
    public sealed record LayerBody(string? Name, RotationId? Rotation = null, PersonId? Person = null, IReadOnlyList<WeekSpan>? Only = null);

    /// <param name="Layers">The highest first: it counts while it has somebody.</param>
    public sealed record ScheduleBody(string? Name = null, string? Zone = null, IReadOnlyList<LayerBody>? Layers = null, uint? Version = null);

    public sealed record ScheduleAnswer(OnCallScheduleId Id, string Name, string Zone, IReadOnlyList<LayerBody> Layers, DateTimeOffset CreatedAt, uint Version);

    public sealed record ShiftAnswer(PersonId Person, string Name, DateTimeOffset From, DateTimeOffset To);

    /// <param name="Start">When the first turn begins, as a clock in the zone shows it: 2026-03-02T09:00.</param>
    /// <param name="Every">How many hours, days, weeks, months or minutes a turn takes.</param>
    /// <param name="Times">For week_times: when it hands over.</param>
    public sealed record RotationBody(string? Name = null, string? Zone = null, DateTime? Start = null, HandOverRhythm? Rhythm = null, int? Every = null, IReadOnlyList<WeekTime>? Times = null, IReadOnlyList<PersonId>? Participants = null, uint? Version = null);

    public sealed record RotationAnswer(RotationId Id, string Name, string Zone, DateTime Start, HandOverRhythm Rhythm, int Every, IReadOnlyList<WeekTime> Times, IReadOnlyList<PersonId> Participants, string Words, uint Version);

    /// <param name="Remove">Who is not on call; left out, only adds.</param>
    /// <param name="Add">Who is; left out, only removes.</param>
    public sealed record NewOverride(OnCallScheduleId? Schedule, DateTimeOffset? From, DateTimeOffset? To, PersonId? Remove = null, PersonId? Add = null);

    public sealed record OverrideAnswer(OnCallOverrideId Id, OnCallScheduleId Schedule, DateTimeOffset From, DateTimeOffset To, PersonId? Remove, PersonId? Add, string MadeBy, DateTimeOffset MadeAt);

    public static void MapOnCallApi(this IEndpointRouteBuilder api)
    {
        var (view, handle, manage) = (nameof(Permission.ViewAlerts), nameof(Permission.HandleAlerts), nameof(Permission.ManageAlerting));
        api.MapGet("/on-call", Now).WithTags("On-call").RequireAuthorization(view).WithSummary("Who is on call in each schedule, now or at=").Produces<CursorPage<OnCallAnswer>>();
        var schedules = api.MapGroup("/schedules").WithTags("On-call");
        schedules.MapGet("/", Schedules).RequireAuthorization(view).WithSummary("On-call schedules").Produces<CursorPage<ScheduleAnswer>>();
        schedules.MapGet("/{id}", Schedule).RequireAuthorization(view).WithSummary("One schedule").Produces<ScheduleAnswer>();
        schedules.MapGet("/{id}/shifts", Shifts).RequireAuthorization(view).WithSummary("Who is on call from= to=, shift by shift; the next 14 days if left out").Produces<CursorPage<ShiftAnswer>>();
        schedules.MapPost("/", AddSchedule).RequireAuthorization(manage).WithSummary("Make a schedule").Produces<ScheduleAnswer>(StatusCodes.Status201Created);
        schedules.MapPatch("/{id}", PatchSchedule).RequireAuthorization(manage).WithSummary("Change a schedule; what is left out stays").Produces<ScheduleAnswer>();
        schedules.MapDelete("/{id}", async (string id, HttpContext http, EditOnCallSchedules edit, CancellationToken ct) => { await edit.Delete(ScheduleOf(id), http.User.ToActor(), ct); return Results.NoContent(); })
            .RequireAuthorization(manage).WithSummary("Delete a schedule that no policy names").Produces(StatusCodes.Status204NoContent);
        var rotations = api.MapGroup("/rotations").WithTags("On-call");
        rotations.MapGet("/", Rotations).RequireAuthorization(view).WithSummary("Rotations").Produces<CursorPage<RotationAnswer>>();
        rotations.MapGet("/{id}", RotationById).RequireAuthorization(view).WithSummary("One rotation").Produces<RotationAnswer>();
        rotations.MapPost("/", AddRotation).RequireAuthorization(manage).WithSummary("Make a rotation").Produces<RotationAnswer>(StatusCodes.Status201Created);
        rotations.MapPatch("/{id}", ChangeRotation).RequireAuthorization(manage).WithSummary("Change a rotation; whoever is on duty stays so until the next hand-over").Produces<RotationAnswer>();
        rotations.MapDelete("/{id}", async (string id, HttpContext http, EditRotations edit, CancellationToken ct) => { await edit.Delete(Id.Parse<RotationId>(id, "rotation"), http.User.ToActor(), ct); return Results.NoContent(); })
            .RequireAuthorization(manage).WithSummary("Delete a rotation that no schedule uses").Produces(StatusCodes.Status204NoContent);
        var overrides = api.MapGroup("/overrides").WithTags("On-call");
        overrides.MapGet("/", Overrides).RequireAuthorization(view).WithSummary("Overrides of a schedule= that are not over").Produces<CursorPage<OverrideAnswer>>();
        overrides.MapPost("/", AddOverride).RequireAuthorization(handle).WithSummary("Let somebody be on call for a time, instead of somebody else or as well").Produces<OverrideAnswer>(StatusCodes.Status201Created);
        overrides.MapDelete("/{id}", Withdraw).RequireAuthorization(handle).WithSummary("Take an override back; one that has begun ends now").Produces(StatusCodes.Status204NoContent);
    }

    static async Task<OnCallDesk.View> Look(OnCallDesk desk, HttpContext http, DateTimeOffset from, DateTimeOffset to, CancellationToken ct) => await desk.Load(ZoneClock.Range(from, to), http.User.ToActor(), ct);

    static async Task<CursorPage<OnCallAnswer>> Now(HttpContext http, OnCallDesk desk, TimeProvider clock, CancellationToken ct, DateTimeOffset? at = null)
    {
        var then = ZoneClock.Checked(at ?? clock.GetUtcNow());
        var view = await Look(desk, http, then, then.AddDays(30), ct);
        return new([.. OnCallNow.Of(view, then).Select(r => new OnCallAnswer(r.Schedule.Id, r.Schedule.Name, r.Schedule.Zone,
            [.. r.People.Select(p => new OnDutyAnswer(p.Person.Person, p.Name, p.Person.Override is not null ? "override" : p.Person.Temporary is not null ? "temporary" : "layer", p.Until))], r.Next?.At, [.. r.NextNames]))], null);
    }

    static async Task<CursorPage<ScheduleAnswer>> Schedules(Cursor cursor, HttpContext http, OnCallDesk desk, TimeProvider clock, CancellationToken ct)
    {
        var rows = (await Look(desk, http, clock.GetUtcNow(), clock.GetUtcNow(), ct)).Rosters.Schedules.OrderBy(s => s.Id.Value);
        return Part(cursor, rows, s => s.Id.Value, Answer);
    }

    static async Task<ScheduleAnswer> Schedule(string id, HttpContext http, OnCallDesk desk, TimeProvider clock, CancellationToken ct) => await Told(http, desk, clock, ScheduleOf(id), ct);

    static async Task<CursorPage<ShiftAnswer>> Shifts(string id, HttpContext http, OnCallDesk desk, TimeProvider clock, CancellationToken ct, DateTimeOffset? from = null, DateTimeOffset? to = null)
    {
        var begin = from ?? clock.GetUtcNow();
        var view = await Look(desk, http, begin, to ?? begin.AddDays(14), ct);
        return new([.. (view.Rosters[ScheduleOf(id)] ?? throw new NotFoundException("schedule")).Shifts(view.Range.From, view.Range.To).Select(s => new ShiftAnswer(s.Person, view.NameOf(s.Person), s.Time.From, s.Time.To))], null);
    }

    static async Task<IResult> AddSchedule(ScheduleBody body, HttpContext http, EditOnCallSchedules edit, OnCallDesk desk, TimeProvider clock, CancellationToken ct)
    {
        var id = await edit.Make(new(body.Name, body.Zone ?? "UTC", Layers(body.Layers ?? [])), http.User.ToActor(), ct);
        return Results.Created($"/api/v1/schedules/{id}", await Told(http, desk, clock, id, ct));
    }

    static async Task<ScheduleAnswer> PatchSchedule(string id, ScheduleBody body, HttpContext http, EditOnCallSchedules edit, OnCallDesk desk, TimeProvider clock, CancellationToken ct)
    {
        await edit.Change(ScheduleOf(id), stands => new(body.Name ?? stands.Name, body.Zone ?? stands.Zone, body.Layers is { } layers ? Layers(layers) : stands.Layers), RowVersion.Expected(http, body.Version), http.User.ToActor(), ct);
        return await Told(http, desk, clock, ScheduleOf(id), ct);
    }

    static async Task<CursorPage<RotationAnswer>> Rotations(Cursor cursor, HttpContext http, OnCallDesk desk, TimeProvider clock, CancellationToken ct)
    {
        var rows = (await Look(desk, http, clock.GetUtcNow(), clock.GetUtcNow(), ct)).Rotations.OrderBy(r => r.Id.Value);
        return Part(cursor, rows, r => r.Id.Value, Answer);
    }

    static async Task<RotationAnswer> RotationById(string id, HttpContext http, OnCallDesk desk, TimeProvider clock, CancellationToken ct) => await Told(http, desk, clock, Id.Parse<RotationId>(id, "rotation"), ct);

    static async Task<IResult> AddRotation(RotationBody body, HttpContext http, EditRotations edit, OnCallDesk desk, TimeProvider clock, CancellationToken ct)
    {
        var id = await edit.Make(new(body.Name, body.Zone ?? "UTC", body.Start, body.Rhythm ?? HandOverRhythm.Weekly, body.Every ?? 1, body.Times, body.Participants ?? []), http.User.ToActor(), ct);
        return Results.Created($"/api/v1/rotations/{id}", await Told(http, desk, clock, id, ct));
    }

    static async Task<RotationAnswer> ChangeRotation(string id, RotationBody body, HttpContext http, EditRotations edit, OnCallDesk desk, TimeProvider clock, CancellationToken ct)
    {
        var known = Id.Parse<RotationId>(id, "rotation");
        await edit.Change(known, stands => new(body.Name ?? stands.Name, body.Zone ?? stands.Zone, body.Start ?? stands.Start, body.Rhythm ?? stands.Rhythm, body.Every ?? stands.Every, body.Times ?? stands.Times, body.Participants ?? stands.Participants),
            RowVersion.Expected(http, body.Version), http.User.ToActor(), ct);
        return await Told(http, desk, clock, known, ct);
    }

    static async Task<CursorPage<OverrideAnswer>> Overrides(Cursor cursor, HttpContext http, OverrideList list, CancellationToken ct, string? schedule = null) =>
        cursor.Page(await list.Load(ScheduleOf(schedule ?? throw new DomainException("Name the schedule.", "schedule")), cursor.AfterId<OnCallOverrideId>(), cursor.Take, http.User.ToActor(), ct), Answer, o => o.Id.ToString());

    static async Task<IResult> AddOverride(NewOverride body, HttpContext http, StandIns standIns, OverrideList list, CancellationToken ct)
    {
        var (schedule, from, to) = (body.Schedule ?? throw new DomainException("Name the schedule.", "schedule"), body.From ?? throw new DomainException("Say from when.", "from"), body.To ?? throw new DomainException("Say until when.", "to"));
        var id = await standIns.Override(new(schedule, new(from, to), body.Remove, body.Add), http.User.ToActor(), ct);
        return Results.Created((string?)null, Answer(await list.Find(id, http.User.ToActor(), ct)));
    }

    static async Task<IResult> Withdraw(string id, HttpContext http, StandIns standIns, OverrideList list, CancellationToken ct)
    {
        var found = await list.Find(Id.Parse<OnCallOverrideId>(id, "override"), http.User.ToActor(), ct);
        await standIns.Withdraw(found.ScheduleId, found.Id, http.User.ToActor(), ct);
        return Results.NoContent();
    }

    static OnCallScheduleId ScheduleOf(string id) => Id.Parse<OnCallScheduleId>(id, "schedule");

    static IReadOnlyList<OnCallLayer> Layers(IReadOnlyList<LayerBody> layers) => [.. layers.Select(l => new OnCallLayer(l.Name ?? "", l.Rotation, l.Person, l.Only is { Count: > 0 } only ? new WeeklyTimes(only) : null))];

    static async Task<ScheduleAnswer> Told(HttpContext http, OnCallDesk desk, TimeProvider clock, OnCallScheduleId id, CancellationToken ct)
    {
        var found = (await Look(desk, http, clock.GetUtcNow(), clock.GetUtcNow(), ct)).Rosters.Schedules.FirstOrDefault(s => s.Id == id) ?? throw new NotFoundException("schedule");
        RowVersion.Tell(http, found.Version);
        return Answer(found);
    }

    static async Task<RotationAnswer> Told(HttpContext http, OnCallDesk desk, TimeProvider clock, RotationId id, CancellationToken ct)
    {
        var found = (await Look(desk, http, clock.GetUtcNow(), clock.GetUtcNow(), ct)).Rotations.FirstOrDefault(r => r.Id == id) ?? throw new NotFoundException("rotation");
        RowVersion.Tell(http, found.Version);
        return Answer(found);
    }

    /// <summary>Of a list that is small and read whole: the cursor is an id.</summary>
    internal static CursorPage<TAnswer> Part<TRow, TAnswer>(Cursor cursor, IEnumerable<TRow> rows, Func<TRow, Guid> id, Func<TRow, TAnswer> answer)
    {
        var after = cursor.AfterId<OnCallScheduleId>()?.Value;
        return cursor.Page([.. rows.Where(r => after is not { } last || string.CompareOrdinal(id(r).ToString("N"), last.ToString("N")) > 0).Take(cursor.Take)], answer, r => id(r).ToString("N"));
    }

    static ScheduleAnswer Answer(OnCallSchedule s) => new(s.Id, s.Name, s.Zone, [.. s.Layers.Select(l => new LayerBody(l.Name, l.Rotation, l.Person, l.Only?.Spans))], s.CreatedAt, s.Version);

    static RotationAnswer Answer(Rotation r) => new(r.Id, r.Name, r.Zone, r.Start, r.HandOvers.Rhythm, r.HandOvers.Every, r.HandOvers.Times, r.Participants, OnCallWords.Of(r), r.Version);

    static OverrideAnswer Answer(OnCallOverride o) => new(o.Id, o.ScheduleId, o.From, o.To, o.Remove, o.Add, o.MadeBy, o.MadeAt);
}
