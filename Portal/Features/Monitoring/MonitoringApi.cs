using Portal.Api;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.Access;
using Portal.Features.Monitoring.Imports;
using Portal.Features.Monitoring.Places;
using Portal.Hosting;

namespace Portal.Features.Monitoring;

/// <summary>Monitors through the management API: the same use cases as the screens.</summary>
public static class MonitoringApi
{
    /// <summary>Every kind, by its name.</summary>
    static readonly Dictionary<string, MonitorKind> Kinds = Enum.GetValues<MonitorKind>().ToDictionary(MonitorOptions.Word);

    public sealed record CheckAnswer(DateTimeOffset At, CheckOutcome Outcome, double Milliseconds, int? StatusCode, string? Detail, string Node);

    public static void MapMonitoringApi(this IEndpointRouteBuilder api)
    {
        var read = api.MapGroup("/monitors").RequireAuthorization(nameof(Permission.ViewMonitors)).WithTags("Monitors");
        read.MapGet("", List).WithName("ListMonitors").WithSummary("Monitors with their state now: critical ones first, then the oldest. All, or those of a component, state, tag or kind, or with q in name or target");
        read.MapGet("/{id}", async (HttpContext http, string id, MonitorList monitors, CancellationToken ct) => await Answer(http, IdOf(id), monitors, ct))
            .WithName("GetMonitor").WithSummary("One monitor with its state now");
        read.MapGet("/{id}/checks", Checks).WithName("ListChecks").WithSummary("What its checks of the last seven days found, newest first");
        var write = api.MapGroup("/monitors").RequireAuthorization(nameof(Permission.ManageMonitors)).WithTags("Monitors");
        ResponseTimesApi.Map(read);
        ImportsApi.Map(read, write);
        write.MapPost("", Create).WithName("CreateMonitor").WithSummary("Begins to watch; the first check runs within five seconds. A heartbeat is answered with the address that its job calls, once");
        write.MapPatch("/{id}", Change).WithName("ChangeMonitor").WithSummary("Edits, pauses or resumes");
        write.MapDelete("/{id}", async (HttpContext http, string id, DeleteMonitor delete, CancellationToken ct) =>
        {
            await delete.Execute(IdOf(id), http.User.ToActor(), ct);
            return TypedResults.NoContent();
        }).WithName("DeleteMonitor").WithSummary("Removes it; its outages stay in the record");
        write.MapPost("/{id}/pause", async (HttpContext http, string id, ChangeMonitor change, MonitorList monitors, CancellationToken ct) =>
        {
            await change.Execute(new(IdOf(id), Paused: true), http.User.ToActor(), ct);
            return await Answer(http, IdOf(id), monitors, ct);
        }).WithName("PauseMonitor").WithSummary("Stops checking; the time until it is resumed is without data");
        write.MapPost("/{id}/resume", async (HttpContext http, string id, ChangeMonitor change, MonitorList monitors, CancellationToken ct) =>
        {
            await change.Execute(new(IdOf(id), Paused: false), http.User.ToActor(), ct);
            return await Answer(http, IdOf(id), monitors, ct);
        }).WithName("ResumeMonitor").WithSummary("Checks again");
        write.MapPost("/{id}/heartbeat-key", async (HttpContext http, string id, RenewHeartbeatKey renew, PortalAddress portal, MonitorList monitors, CancellationToken ct) =>
        {
            var key = await renew.Execute(IdOf(id), http.User.ToActor(), ct);
            return await Answer(http, IdOf(id), monitors, ct, MonitorWords.HeartbeatUrl(portal, key));
        }).WithName("RenewHeartbeatKey").WithSummary("Gives a heartbeat a new address, answered once; the one before stops working").WithMetadata(new AnswersSecret());
        write.MapPost("/{id}/check", async (HttpContext http, string id, CheckMonitorNow check, CancellationToken ct) =>
        {
            await check.Execute(IdOf(id), http.User.ToActor(), ct);
            return TypedResults.Accepted($"/api/v1/monitors/{IdOf(id)}/checks");
        }).WithName("CheckMonitorNow").WithSummary("Asks for a check at once; its result comes as any other");
    }

    static async Task<CursorPage<MonitorAnswer>> List(HttpContext http, MonitorList monitors, Cursor cursor, string? component, string? state, string? tag, string? kind, string? q, CancellationToken ct)
    {
        var filter = new MonitorList.Filter(ConditionOf(state), string.IsNullOrWhiteSpace(q) ? null : q.Trim(), component, MonitorList.TagOf(tag), kind is null ? null : KindOf(kind));
        var rows = await monitors.Load(filter, cursor.AfterPlace(MonitorList.Place.Parse), cursor.Take, http.User.ToActor(), ct);
        return cursor.Page(rows, AnswerOf, r => r.Place.ToString());
    }

    static async Task<CursorPage<CheckAnswer>> Checks(HttpContext http, string id, MonitorHistory history, Cursor cursor, CancellationToken ct)
    {
        var rows = await history.LoadChecks(IdOf(id), cursor.AfterTime(), cursor.Take, http.User.ToActor(), ct);
        return cursor.Page(rows, c => new CheckAnswer(c.At, c.Outcome, Math.Round(c.Milliseconds, 1), c.StatusCode, c.Detail, c.Node), c => Cursor.Of(c.At));
    }

    static async Task<IResult> Create(HttpContext http, NewMonitor body, CreateMonitor create, ComponentChoices components, PlaceList places, MonitorList monitors, PortalAddress portal, CancellationToken ct)
    {
        var kind = KindOf(body.Kind);
        // A job says clearly that it failed, and a missing ping is missing: one look confirms it.
        var failures = body.FailuresBeforeDown ?? (kind == MonitorKind.Heartbeat ? 1 : 2);
        var settings = new MonitorSettings(body.Name ?? "", kind, body.Target ?? "",
            Seconds(body.IntervalSeconds, "intervalSeconds") ?? TimeSpan.FromSeconds(60), Seconds(body.TimeoutSeconds, "timeoutSeconds") ?? TimeSpan.FromSeconds(10), await components.Find(body.Component, ct),
            failures, body.Window ?? failures, body.SuccessesBeforeUp ?? 1,
            body.Impact ?? ComponentStatus.MajorOutage, body.ExpectStatus ?? "200-399", Critical: body.Critical ?? false, PublicChart: body.PublicChart, Options: body.Onto(MonitorOptions.None),
            DampFlapping: body.DampFlapping ?? true, DependsOn: body.DependsOn, Tags: MonitorTags.Of(body.Tags ?? []),
            Places: await places.Find(body.Places, ct), FromHere: body.FromHere ?? true, PlacesBeforeDown: body.PlacesBeforeDown ?? 1);
        var key = kind == MonitorKind.Heartbeat ? Secret.New() : null;
        if (key is not null) AnswersSecret.Mark(http);
        var id = await create.Execute(new(settings, body.AllowPrivate, body.Paused ?? false, body.Secrets, key), http.User.ToActor(), ct);
        return TypedResults.Created($"/api/v1/monitors/{id}", await Answer(http, id, monitors, ct, key is null ? null : MonitorWords.HeartbeatUrl(portal, key)));
    }

    static async Task<MonitorAnswer> Change(HttpContext http, string id, MonitorPatch body, ChangeMonitor change,
        ComponentChoices components, PlaceList places, MonitorList monitors, CancellationToken ct)
    {
        var (monitor, actor) = (IdOf(id), http.User.ToActor());
        var stands = (await monitors.LoadOne(monitor, actor, ct)).Monitor;
        var old = stands.Settings;
        var component = body.Component.IsGiven ? await components.Find(body.Component.Value, ct) : old.Component;
        var failures = body.FailuresBeforeDown ?? old.FailuresBeforeDown;
        var settings = new MonitorSettings(body.Name ?? old.Name, old.Kind, body.Target ?? old.Target, Seconds(body.IntervalSeconds, "intervalSeconds") ?? old.Interval, Seconds(body.TimeoutSeconds, "timeoutSeconds") ?? old.Timeout,
            component, failures, body.Window ?? Math.Max(old.Window, failures), body.SuccessesBeforeUp ?? old.SuccessesBeforeUp, body.Impact ?? old.Impact,
            body.ExpectStatus ?? old.ExpectStatus, Critical: body.Critical ?? old.Critical, PublicChart: body.PublicChart.Or(old.PublicChart), Options: body.Onto(stands.Options),
            DampFlapping: body.DampFlapping ?? old.DampFlapping, DependsOn: body.DependsOn ?? old.DependsOn, Tags: body.Tags is { } tags ? MonitorTags.Of(tags) : old.Tags,
            Places: await places.Find(body.Places, ct) ?? old.Places, FromHere: body.FromHere ?? old.FromHere, PlacesBeforeDown: body.PlacesBeforeDown ?? old.PlacesBeforeDown);
        // A patch of the pause alone is no edit. An edit is of what was just read: whoever is faster from here on is not overwritten.
        var edits = body.AllowPrivate is not null || body.Secrets is not null || settings != old with { AllowPrivate = false };
        var version = RowVersion.Expected(http, body.Version) ?? (edits ? stands.Version : null);
        await change.Execute(new(monitor, edits ? settings : null, body.AllowPrivate, body.Paused, version, body.Secrets), actor, ct);
        return await Answer(http, monitor, monitors, ct);
    }

    static async Task<MonitorAnswer> Answer(HttpContext http, MonitorId id, MonitorList monitors, CancellationToken ct, string? heartbeatUrl = null)
    {
        var view = await monitors.LoadOne(id, http.User.ToActor(), ct);
        RowVersion.Tell(http, view.Monitor.Version);
        return AnswerOf(view) with { HeartbeatUrl = heartbeatUrl };
    }

    static MonitorAnswer AnswerOf(MonitorView view)
    {
        var (m, s) = (view.Monitor, view.State);
        return new MonitorAnswer(m.Id, m.Name, m.Kind, m.Target, m.Interval.TotalSeconds, m.Timeout.TotalSeconds, view.ComponentSlug, m.ComponentId, m.ExpectStatus, m.FailuresBeforeDown, m.Window,
            m.SuccessesBeforeUp, m.Impact, m.AllowPrivate, m.PausedAt is not null, m.Critical, m.PublicChart, m.DampFlapping, m.DependsOn, m.Tags, m.Places, m.FromHere, m.PlacesBeforeDown, m.BuiltIn, m.SecretNames, null, m.DetectsWithin.TotalSeconds, view.Condition, view.Since, view.IsFlapping, s?.UnjudgedSince, FoundBy(s), s?.LastCheckAt,
            s?.LastDuration is { } duration ? Math.Round(duration.TotalMilliseconds, 1) : null, s?.LastStatusCode, s?.LastDetail, m.CreatedAt, m.UpdatedAt, m.Version).With(m.Options);
    }

    static List<PlaceAnswer>? FoundBy(MonitorState? state) => state is { Places.Count: > 0 }
        ? [.. state.Places.Select(p => new PlaceAnswer(p.Place, p.Judged.Health, p.Judged.Since, p.LastCheckAt, Math.Round(p.LastDuration.TotalMilliseconds, 1), p.LastStatusCode, p.LastDetail))] : null;

    /// <summary>As answers write it.</summary>
    static MonitorCondition? ConditionOf(string? state) => state is null ? null : Enum.TryParse<MonitorCondition>(state, ignoreCase: true, out var known) && Enum.IsDefined(known) ? known
        : throw new DomainException($"There is no such state. There are: {string.Join(", ", Enum.GetNames<MonitorCondition>()).ToLowerInvariant()}.", "state");

    static MonitorKind KindOf(string? kind) => kind is not null && Kinds.TryGetValue(kind, out var known) ? known
        : throw new DomainException($"{(kind is null ? "The kind is required" : "There is no such kind. There are")}: {string.Join(", ", Kinds.Keys)}.", "kind");

    /// <summary>A number as JSON may write it, 1e3 too; what no rule would take is only kept within what can be compared.</summary>
    static TimeSpan? Seconds(double? seconds, string field) => seconds is not { } value ? null
        : value == Math.Floor(value) ? TimeSpan.FromSeconds(Math.Clamp(value, -1, int.MaxValue)) : throw new DomainException("It must be a whole number of seconds.", field);

    static MonitorId IdOf(string id) => Id.Parse<MonitorId>(id, "monitor");
}
