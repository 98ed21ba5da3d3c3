using System.Text.Json;
using Portal.Api;
using Portal.Domain.Backups;
using Portal.Domain.Drills;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Features.Backups;
using Portal.Features.Jobs;

namespace Portal.Features.Drills;

/// <summary><c>/api/v1/drills</c> and what they check.</summary>
public static class DrillsApi
{
    /// <param name="Scenario">database-lost; accidental-deletion, node-lost, store-lost, ransomware and backup-service-lost are not built yet.</param>
    /// <param name="Target">Name or id of a backup target; left out, the portal's own database.</param>
    public sealed record NewDrill(string? Scenario, string? Target = null);

    /// <param name="Id">That of its job too.</param>
    /// <param name="State">running, passed, failed or brokenOff.</param>
    /// <param name="Reason">Why it did not pass.</param>
    /// <param name="RecoverySeconds">From the failure to data that is verified (RTO); null where it did not come back.</param>
    /// <param name="LossSeconds">What would have been lost (RPO).</param>
    /// <param name="LossBy">canary, or snapshot where none came back.</param>
    public sealed record DrillAnswer(
        string Id, string Scenario, string Target, string State, string? Reason, string RequestedBy, DateTimeOffset StartedAt, DateTimeOffset? EndedAt, BackupId? Backup,
        double? RecoverySeconds, double RecoveryObjectiveSeconds, bool? MetRecovery, double? LossSeconds, double LossObjectiveSeconds, bool? MetLoss, string? LossBy, DateTimeOffset? SignedOffAt, string? SignedOffBy);

    /// <param name="Seal">Of its record in the chain of evidence; null while it runs.</param>
    /// <param name="Whole">Its record and its signature are as they were sealed.</param>
    public sealed record ReportAnswer(DrillAnswer Drill, IReadOnlyList<DrillPhase> Phases, int Compared, IReadOnlyList<ComparedLine> Differences, IReadOnlyList<CheckedAnswer> Checks, string Lessons, IReadOnlyList<ActionAnswer> Actions, string? Seal, bool Whole);

    /// <param name="TestedBy">The drill that passed after it was done; null while it is open.</param>
    public sealed record ActionAnswer(DrillActionId Id, string Text, string Owner, DateTimeOffset CreatedAt, DateTimeOffset? DoneAt, string? TestedBy);

    /// <param name="Rule">isTrue, atLeast, atMost or equals.</param>
    public sealed record CheckAnswer(DrillCheckId Id, string Name, string Sql, string Rule, string? Value);

    /// <param name="Target">Name or id of a backup target.</param>
    /// <param name="Sql">One query, asked as a user who may read everything and change nothing; the first value of its first row counts.</param>
    /// <param name="Rule">isTrue, atLeast, atMost or equals.</param>
    /// <param name="Value">What it is held against; left out for isTrue.</param>
    public sealed record NewCheck(string? Target, string? Name, string? Sql, string? Rule = null, string? Value = null);

    public static void MapDrillsApi(this IEndpointRouteBuilder api)
    {
        var (view, run) = (nameof(Permission.ViewDrills), nameof(Permission.RunDrills));
        var drills = api.MapGroup("/drills").WithTags("Drills");
        drills.MapGet("/", List).RequireAuthorization(view).WithSummary("Drills, the one begun last first; ?target= for those of one target").Produces<CursorPage<DrillAnswer>>();
        drills.MapGet("/{id}", Get).RequireAuthorization(view).WithSummary("One drill with what it found").Produces<ReportAnswer>();
        drills.MapPost("/", Queue).RequireAuthorization(run).WithSummary("Drill a scenario now").Produces<JobsApi.JobAnswer>(StatusCodes.Status202Accepted);
        var checks = api.MapGroup("/drill-checks").WithTags("Drills");
        checks.MapGet("/", Checks).RequireAuthorization(view).WithSummary("What drills ask of a restored database; ?target= names it").Produces<CursorPage<CheckAnswer>>();
        checks.MapPost("/", Add).RequireAuthorization(run).WithSummary("Add a question to the drills of a target").Produces<CheckAnswer>(StatusCodes.Status201Created);
        checks.MapDelete("/{id}", Remove).RequireAuthorization(run).WithSummary("Ask it no longer").Produces(StatusCodes.Status204NoContent);
    }

    static async Task<CursorPage<DrillAnswer>> List(Cursor cursor, HttpContext http, DrillList list, DrillTargets targets, CancellationToken ct, string? target = null)
    {
        var actor = http.User.ToActor();
        var of = target is null ? (BackupTargetId?)null : (await Find(targets, target, actor, ct)).Target.Id;
        var rows = await list.Load(of, cursor.AfterId<JobRunId>(), cursor.Take, actor, ct);
        return cursor.Page(rows, Answer, d => d.Id.ToString());
    }

    static async Task<ReportAnswer> Get(string id, HttpContext http, DrillList list, CancellationToken ct)
    {
        var found = await list.LoadOne(Id.Parse<JobRunId>(id, "drill"), http.User.ToActor(), ct);
        return new(Answer(found.Drill), found.Record?.Phases ?? [], found.Record?.Compared ?? 0, found.Record?.Differences ?? [], found.Record?.Checks ?? [], found.Drill.Lessons,
            [.. found.Actions.Select(a => new ActionAnswer(a.Id, a.Text, a.Owner, a.CreatedAt, a.DoneAt, a.TestedBy?.ToString()))], found.RecordSeal, found.IsWhole);
    }

    static async Task<IResult> Queue(NewDrill body, HttpContext http, QueueDrill queue, JobList jobs, CancellationToken ct)
    {
        var run = await queue.Execute(new(body.Scenario, body.Target), http.User.ToActor(), ct);
        return Results.Accepted($"/api/v1/jobs/{run}", JobsApi.JobAnswer.Of(await jobs.Find(run, ct)));
    }

    static async Task<CursorPage<CheckAnswer>> Checks(Cursor cursor, HttpContext http, DrillTargets targets, CancellationToken ct, string target = BackupTarget.Own)
    {
        // Fifty at most: they are read whole, and the cursor is a place in their order.
        var all = (await Find(targets, target, http.User.ToActor(), ct)).Checks.ToList();
        var start = cursor.AfterId<DrillCheckId>() is { } after ? all.FindIndex(c => c.Id == after) + 1 : 0;
        if (cursor.After is not null && start == 0) throw new DomainException("The value of after must be the next of an earlier answer, unchanged.", "after");
        return cursor.Page([.. all.Skip(start).Take(cursor.Take)], Answer, c => c.Id.ToString());
    }

    static async Task<IResult> Add(NewCheck body, HttpContext http, AddDrillCheck add, DrillTargets targets, CancellationToken ct)
    {
        var actor = http.User.ToActor();
        var id = await add.Execute(new(body.Target, body.Name, body.Sql, Rule(body.Rule), body.Value), actor, ct);
        return Results.Created((string?)null, Answer((await Find(targets, body.Target!, actor, ct)).Checks.Single(c => c.Id == id)));
    }

    static async Task<IResult> Remove(string id, HttpContext http, RemoveDrillCheck remove, CancellationToken ct)
    {
        await remove.Execute(Id.Parse<DrillCheckId>(id, "check"), http.User.ToActor(), ct);
        return Results.NoContent();
    }

    static DrillCheckRule Rule(string? name)
    {
        var all = Enum.GetValues<DrillCheckRule>();
        var found = name is null ? 0 : Array.FindIndex(all, r => Words(r) == name);
        return found >= 0 ? all[found] : throw new DomainException($"The rule is one of {string.Join(", ", all.Select(Words))}.", "rule");
    }

    static async Task<DrillTargets.Row> Find(DrillTargets targets, string nameOrId, Actor actor, CancellationToken ct)
    {
        var isId = Id.TryParse<BackupTargetId>(nameOrId, out var id);
        return (await targets.Load(actor, ct)).FirstOrDefault(r => r.Target.Name == nameOrId || isId && r.Target.Id == id) ?? throw new DomainException($"There is no database \"{nameOrId}\" among the backup targets.", "target");
    }

    static DrillAnswer Answer(Drill d) => new(
        d.Id.ToString(), DrillScenarios.NameOf(d.Scenario), d.TargetName, Words(d.Outcome), d.Reason, d.RequestedBy, d.StartedAt, d.EndedAt, d.BackupId,
        d.Recovery?.TotalSeconds, d.RecoveryObjective.TotalSeconds, d.MetRecovery, d.Loss?.TotalSeconds, d.LossObjective.TotalSeconds, d.MetLoss, d.Loss is null ? null : d.IsLossByCanary ? "canary" : "snapshot", d.SignedOffAt, d.SignedOffBy);

    static CheckAnswer Answer(DrillCheck check) => new(check.Id, check.Name, check.Sql, Words(check.Rule), check.Value);

    static string Words<T>(T value) where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());
}
