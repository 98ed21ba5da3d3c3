using System.Text.Json.Serialization;
using Portal.Api;
using Portal.Domain.Incidents;
using Portal.Domain.Maintenance;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.Access;
using Portal.Features.StatusPages;

namespace Portal.Features.Maintenance;

/// <summary><c>/api/v1/maintenances</c>.</summary>
public static class MaintenanceApi
{
    /// <summary>An object, or the slug alone as a text.</summary>
    /// <param name="Slug">Slug or id of a component.</param>
    /// <param name="Status">Left out: under_maintenance, the only one that it can have.</param>
    [JsonConverter(typeof(SlugOrObject))]
    public sealed record MaintainedSlug(string? Slug, ComponentStatus? Status = null);

    /// <param name="StartsAt">Not in the past.</param>
    /// <param name="EndsAt">At most 30 days after its start.</param>
    /// <param name="Zone">The IANA time zone in which it was planned; left out: UTC.</param>
    /// <param name="VerifyMinutes">So many minutes before the end the work is done and being verified; left out: none.</param>
    /// <param name="Notify">Whether subscribers are told; taken and not used until there are subscribers.</param>
    public sealed record NewMaintenance(
        string? Title, string? Message, DateTimeOffset? StartsAt, DateTimeOffset? EndsAt, IReadOnlyList<MaintainedSlug?>? Components = null, string? Zone = null, int? VerifyMinutes = null, bool? Notify = null);

    /// <summary>What is left out stays as it is. Once it has begun, its start cannot change.</summary>
    /// <param name="Status">in_progress starts it now, verifying verifies it now, completed ends it now, cancelled cancels it, scheduled takes a cancellation back; not together with other fields.</param>
    public sealed record MaintenancePatch(
        Given<string> Title, Given<string> Message, Given<DateTimeOffset?> StartsAt, Given<DateTimeOffset?> EndsAt, Given<string> Zone, Given<int?> VerifyMinutes,
        Given<MaintenanceStatus?> Status, IReadOnlyList<MaintainedSlug?>? Components = null, uint? Version = null);

    /// <param name="Visibility">Left out: public.</param>
    public sealed record NewMaintenanceUpdate(string? Message, UpdateVisibility? Visibility = null, bool? Notify = null);

    /// <param name="Message">Null for what came by itself: its status says it.</param>
    /// <param name="Author">Null for what came by itself.</param>
    public sealed record MaintenanceUpdateAnswer(MaintenanceUpdateId Id, MaintenanceStatus Status, string? Message, UpdateVisibility Visibility, string? Author, DateTimeOffset CreatedAt);

    public sealed record MaintainedComponentAnswer(ComponentId Id, string Slug, string Name);

    /// <param name="CompletedAt">When somebody ended it before its time; null where it ends by itself.</param>
    public sealed record MaintenanceAnswer(
        MaintenanceId Id, string Title, string Message, MaintenanceStatus Status, DateTimeOffset StartsAt, DateTimeOffset EndsAt, string Zone, int VerifyMinutes, DateTimeOffset? CompletedAt, DateTimeOffset? CancelledAt,
        DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, IReadOnlyList<MaintenanceUpdateAnswer> Updates, IReadOnlyList<MaintainedComponentAnswer> Components, uint Version);

    public sealed record MaintenanceRow(
        MaintenanceId Id, string Title, MaintenanceStatus Status, DateTimeOffset StartsAt, DateTimeOffset EndsAt, string Zone, DateTimeOffset? CompletedAt, DateTimeOffset? CancelledAt,
        DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, IReadOnlyList<string> Components);

    public static void MapMaintenanceApi(this IEndpointRouteBuilder api)
    {
        var maintenances = api.MapGroup("/maintenances").WithTags("Maintenances");
        var (view, run) = (nameof(Permission.ViewOps), nameof(Permission.RunMaintenance));
        maintenances.MapGet("/", List).RequireAuthorization(view).WithSummary("Maintenances, latest start first; ?over=false for coming ones and those under way, next one first").Produces<CursorPage<MaintenanceRow>>();
        maintenances.MapGet("/{id}", Get).RequireAuthorization(view).WithSummary("One maintenance with its whole timeline").Produces<MaintenanceAnswer>();
        maintenances.MapPost("/", Schedule).RequireAuthorization(run).WithSummary("Schedule a maintenance").Produces<MaintenanceAnswer>(StatusCodes.Status201Created);
        maintenances.MapPatch("/{id}", Change).RequireAuthorization(run).WithSummary("Change a maintenance; or start, verify, end or cancel it now by its status").Produces<MaintenanceAnswer>();
        maintenances.MapDelete("/{id}", Cancel).RequireAuthorization(run).WithSummary("Cancel a maintenance that has not begun; it stays readable as cancelled").Produces(StatusCodes.Status204NoContent);
        maintenances.MapPost("/{id}/updates", Post).RequireAuthorization(run).WithSummary("Post an update, or a note for the team").Produces<MaintenanceUpdateAnswer>(StatusCodes.Status201Created);
    }

    static async Task<CursorPage<MaintenanceRow>> List(Cursor cursor, MaintenanceList list, CancellationToken ct, bool? over = null)
    {
        var rows = await list.Load(new MaintenanceList.Filter(over), cursor.AfterId<MaintenanceId>(), cursor.Take, ct);
        return cursor.Page(rows, r => new MaintenanceRow(r.Id, r.Title, r.Status, r.Times.StartsAt, r.Times.EndsAt, r.Zone, r.Times.CompletedAt, r.Times.CancelledAt, r.CreatedAt, r.UpdatedAt, r.Components), r => r.Id.ToString());
    }

    static async Task<MaintenanceAnswer> Get(string id, HttpContext http, MaintenanceFile file, CancellationToken ct) => Told(http, await file.Load(Known(id), ct));

    static async Task<IResult> Schedule(NewMaintenance body, HttpContext http, ScheduleMaintenance schedule, MaintenanceFile file, ComponentStatuses statuses, CancellationToken ct)
    {
        var plan = new MaintenancePlan(body.Title ?? "", body.Message ?? "", At(body.StartsAt, "startsAt"), At(body.EndsAt, "endsAt"), body.Zone ?? "UTC", Minutes(body.VerifyMinutes ?? 0),
            await Named(body.Components ?? [], statuses, ct));
        var id = await schedule.Execute(new ScheduleMaintenance.Request(plan), http.User.ToActor(), ct);
        return Results.Created($"/api/v1/maintenances/{id}", Told(http, await file.Load(id, ct)));
    }

    static async Task<MaintenanceAnswer> Change(
        string id, MaintenancePatch body, HttpContext http, ChangeMaintenance change, MoveMaintenance move, MaintenanceFile file, ComponentStatuses statuses, CancellationToken ct)
    {
        var (window, version) = (Known(id), RowVersion.Expected(http, body.Version));
        var changes = body.Title.IsGiven || body.Message.IsGiven || body.StartsAt.IsGiven || body.EndsAt.IsGiven || body.Zone.IsGiven || body.VerifyMinutes.IsGiven || body.Components is not null;
        if (body.Status.IsGiven)
        {
            if (changes) throw new DomainException("The status stands alone: send the other changes before or after it.", "status");
            await move.Execute(new MoveMaintenance.Request(window, Step(body.Status.Value), version), http.User.ToActor(), ct);
        }
        else if (changes)
        {
            var components = body.Components is { } named ? await Named(named, statuses, ct) : null;
            await change.Execute(new ChangeMaintenance.Request(window, stands => stands with
            {
                Title = body.Title.IsGiven ? body.Title.Value ?? "" : stands.Title,
                Message = body.Message.IsGiven ? body.Message.Value ?? "" : stands.Message,
                StartsAt = body.StartsAt.IsGiven ? At(body.StartsAt.Value, "startsAt") : stands.StartsAt,
                EndsAt = body.EndsAt.IsGiven ? At(body.EndsAt.Value, "endsAt") : stands.EndsAt,
                Zone = body.Zone.IsGiven ? body.Zone.Value ?? "UTC" : stands.Zone,
                VerifyFor = body.VerifyMinutes.IsGiven ? Minutes(body.VerifyMinutes.Value ?? 0) : stands.VerifyFor,
                Components = components ?? stands.Components,
            }, version), http.User.ToActor(), ct);
        }
        return Told(http, await file.Load(window, ct));
    }

    static async Task<IResult> Cancel(string id, HttpContext http, MoveMaintenance move, CancellationToken ct)
    {
        await move.Execute(new MoveMaintenance.Request(Known(id), MaintenanceStep.Cancel, RowVersion.Expected(http, null)), http.User.ToActor(), ct);
        return Results.NoContent();
    }

    static async Task<IResult> Post(string id, NewMaintenanceUpdate body, HttpContext http, PostMaintenanceUpdate post, MaintenanceFile file, CancellationToken ct)
    {
        var window = Known(id);
        var update = await post.Execute(new PostMaintenanceUpdate.Request(window, body.Message ?? "", body.Visibility ?? UpdateVisibility.Public), http.User.ToActor(), ct);
        return Results.Created($"/api/v1/maintenances/{window}", Answer((await file.Load(window, ct)).Entries.Single(e => e.Id == update)));
    }

    static MaintenanceId Known(string id) => Id.Parse<MaintenanceId>(id, "maintenance");

    static DateTimeOffset At(DateTimeOffset? at, string field) => at ?? throw new DomainException("A time is required, for example 2026-11-21T14:20:00Z.", field);

    static TimeSpan Minutes(int minutes) => minutes is >= 0 and <= 60 * 24 * 30 ? TimeSpan.FromMinutes(minutes) : throw new DomainException("The minutes to verify must be from 0 to less than the whole.", "verifyMinutes");

    static MaintenanceStep Step(MaintenanceStatus? status) => status switch
    {
        MaintenanceStatus.InProgress => MaintenanceStep.Start,
        MaintenanceStatus.Verifying => MaintenanceStep.Verify,
        MaintenanceStatus.Completed => MaintenanceStep.Complete,
        MaintenanceStatus.Cancelled => MaintenanceStep.Cancel,
        MaintenanceStatus.Scheduled => MaintenanceStep.Reinstate,
        _ => throw new DomainException($"The status must be one of: {string.Join(", ", ApiJson.Words(typeof(MaintenanceStatus)))}.", "status"),
    };

    /// <summary>From slugs to ids; an unknown one is named by its place in the request.</summary>
    static async Task<IReadOnlyList<ComponentId>> Named(IReadOnlyList<MaintainedSlug?> named, ComponentStatuses statuses, CancellationToken ct)
    {
        if (named.Count == 0) return [];
        var known = (await statuses.Load(ct)).Components;
        return [.. named.Select((n, i) =>
        {
            if (n is null) throw new DomainException("A component is an object with slug, not null.", $"components[{i}]");
            if (n.Status is not (null or ComponentStatus.UnderMaintenance)) throw new DomainException("A component in maintenance can only be under_maintenance.", $"components[{i}].status");
            var isId = Id.TryParse<ComponentId>(n.Slug, out var id);
            return known.FirstOrDefault(c => isId && c.Id == id || c.Slug == n.Slug)?.Id
                ?? throw new DomainException($"There is no component \"{(n.Slug is { Length: > 60 } ? n.Slug[..60] : n.Slug)}\".", $"components[{i}].slug");
        })];
    }

    static MaintenanceAnswer Told(HttpContext http, MaintenanceFile.View view)
    {
        RowVersion.Tell(http, view.Version);
        return new MaintenanceAnswer(view.Id, view.Plan.Title, view.Plan.Message, view.Status, view.Plan.StartsAt, view.Plan.EndsAt, view.Plan.Zone, (int)view.Plan.VerifyFor.TotalMinutes,
            view.Times.CompletedAt, view.Times.CancelledAt, view.CreatedAt, view.UpdatedAt, [.. view.Entries.Select(Answer)], [.. view.Components.Select(c => new MaintainedComponentAnswer(c.Component, c.Slug, c.Name))], view.Version);
    }

    static MaintenanceUpdateAnswer Answer(MaintenanceFile.Entry entry) => new(entry.Id, entry.Status, entry.Body, entry.Visibility, entry.Author, entry.At);
}
