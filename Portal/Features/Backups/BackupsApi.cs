using Portal.Api;
using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Features.Jobs;

namespace Portal.Features.Backups;

/// <summary><c>/api/v1/backups</c> and what belongs to it.</summary>
public static class BackupsApi
{
    /// <param name="Target">Name or id of a backup target; the portal's own database is "portal".</param>
    /// <param name="Plan">By which plan; left out, the first one of the target.</param>
    public sealed record NewBackup(string? Target, string? Plan = null);

    /// <param name="At">The moment that it shows.</param>
    /// <param name="Rows">Of all tables; files of a directory.</param>
    /// <param name="Level">How far it was verified: stored, checksum, archive, restored or data.</param>
    /// <param name="Damage">Why it must not be used; null for one that is good as far as is known.</param>
    public sealed record BackupAnswer(
        BackupId Id, string Target, string Store, BackupPlanId? Plan, string? Job, string State, DateTimeOffset StartedAt, DateTimeOffset? FinishedAt, DateTimeOffset? At, long PlainBytes, long StoredBytes, int Tables, long Rows,
        string Level, DateTimeOffset? VerifiedAt, string? Damage, bool Pinned, DateTimeOffset? DeletedAt, string? DeletedBecause);

    public sealed record TargetAnswer(BackupTargetId Id, string Name, string Kind, string Place);

    /// <param name="Connection">Of a PostgreSQL database: a connection string or a postgresql:// address, kept encrypted and never shown; or</param>
    /// <param name="Path">a directory of the portal's machine.</param>
    public sealed record NewTarget(string? Name, string? Connection = null, string? Path = null);

    /// <param name="Problem">What was wrong with it when it was tried last; null where it works.</param>
    /// <param name="SheetConfirmedAt">When somebody confirmed its recovery sheet; null while nobody has it.</param>
    public sealed record StoreAnswer(BackupStoreId Id, string Name, string Place, bool Configured, bool Retired, int Backups, long Bytes, long? FreeBytes, long? TotalBytes, DateTimeOffset? TriedAt, string? Problem, DateTimeOffset? SheetConfirmedAt);

    /// <param name="Passphrase">Shown only in this answer: whoever has it and the store can read every backup in it.</param>
    public sealed record SheetAnswer(string Passphrase, BackupKeyId Key, string Place, DateTimeOffset MadeAt);

    /// <param name="Groups">The groups of the passphrase that prove that somebody has it: the second and the fifth.</param>
    public sealed record SheetProof(string? Groups);

    /// <param name="Into">Name of a database on the target's server; a path for a directory.</param>
    /// <param name="Confirm">The word RESTORE.</param>
    /// <param name="Replace">Whether a database of that name may be put aside; it is kept under another name.</param>
    public sealed record NewRestore(string? Backup, string? Into, string? Confirm, bool Replace = false);

    /// <param name="Id">That of its job too.</param>
    /// <param name="Differences">Of what was compared with the backup's manifest; 0 is what it should be.</param>
    /// <param name="KeptAs">The name under which what was there before is kept.</param>
    public sealed record RestoreAnswer(string Id, BackupId Backup, string Target, string Into, bool Replace, string RequestedBy, DateTimeOffset QueuedAt, DateTimeOffset? EndedAt, int Compared, int Differences, string? KeptAs);

    public static void MapBackupsApi(this IEndpointRouteBuilder api)
    {
        var (view, manage) = (nameof(Permission.ViewBackups), nameof(Permission.ManageBackups));
        var backups = api.MapGroup("/backups").WithTags("Backups");
        backups.MapGet("/", List).RequireAuthorization(view).WithSummary("Backups, the one begun last first; ?deleted=true with those that are gone").Produces<CursorPage<BackupAnswer>>();
        backups.MapGet("/{id}", Get).RequireAuthorization(view).WithSummary("One backup").Produces<BackupAnswer>();
        backups.MapPost("/", Queue).RequireAuthorization(manage).WithSummary("Back up a target now").Produces<JobsApi.JobAnswer>(StatusCodes.Status202Accepted);
        backups.MapPost("/{id}/verify", Verify).RequireAuthorization(manage).WithSummary("Read a backup to its end and check it").Produces<JobsApi.JobAnswer>(StatusCodes.Status202Accepted);
        backups.MapDelete("/{id}", Delete).RequireAuthorization(manage).WithSummary("Delete a backup; it cannot be brought back").Produces(StatusCodes.Status204NoContent);
        var restores = api.MapGroup("/restores").WithTags("Backups");
        restores.MapGet("/", Restores).RequireAuthorization(view).WithSummary("Restores, the one asked for last first").Produces<CursorPage<RestoreAnswer>>();
        restores.MapPost("/", Restore).RequireAuthorization(nameof(Permission.RestoreBackups)).WithSummary("Restore a backup under a name; confirm with the word RESTORE").Produces<JobsApi.JobAnswer>(StatusCodes.Status202Accepted);
        var targets = api.MapGroup("/backup-targets").WithTags("Backups");
        targets.MapGet("/", Targets).RequireAuthorization(view).WithSummary("What can be backed up").Produces<CursorPage<TargetAnswer>>();
        targets.MapPost("/", Add).RequireAuthorization(manage).WithSummary("Add a database or a directory that can be backed up").Produces<TargetAnswer>(StatusCodes.Status201Created);
        var stores = api.MapGroup("/backup-stores").WithTags("Backups");
        stores.MapGet("/", Stores).RequireAuthorization(view).WithSummary("Where backups are kept").Produces<CursorPage<StoreAnswer>>();
        stores.MapPost("/{id}/recovery-sheet", MakeSheet).RequireAuthorization(nameof(Permission.RestoreBackups)).WithSummary("Make the passphrase that opens a store without the portal; it holds once it is confirmed").Produces<SheetAnswer>(StatusCodes.Status201Created).WithMetadata(new AnswersSecret());
        stores.MapPost("/{id}/recovery-sheet/confirm", ConfirmSheet).RequireAuthorization(nameof(Permission.RestoreBackups)).WithSummary("Confirm that the recovery sheet is kept").Produces(StatusCodes.Status204NoContent);
        targets.MapDelete("/{target}", Remove).RequireAuthorization(manage).WithSummary("Remove a target; its backups stay").Produces(StatusCodes.Status204NoContent);
    }

    static async Task<CursorPage<BackupAnswer>> List(Cursor cursor, HttpContext http, BackupList list, BackupPlaces places, CancellationToken ct, string? target = null, bool deleted = false)
    {
        var actor = http.User.ToActor();
        var of = target is null ? (BackupTargetId?)null : Find(await places.Load(actor, ct), target, "target").Id;
        var rows = await list.Load(new(of, Kept: !deleted), cursor.AfterId<BackupId>(), cursor.Take, actor, ct);
        return cursor.Page(rows, Answer, r => r.Backup.Id.ToString());
    }

    static async Task<BackupAnswer> Get(string id, HttpContext http, BackupList list, CancellationToken ct) => Answer(await list.LoadOne(Known(id), http.User.ToActor(), ct));

    static async Task<IResult> Queue(NewBackup body, HttpContext http, QueueBackup queue, JobList jobs, CancellationToken ct)
    {
        BackupPlanId? plan = body.Plan is null ? null : Id.TryParse<BackupPlanId>(body.Plan, out var known) ? known : throw new DomainException($"\"{body.Plan}\" is no id of a plan.", "plan");
        var run = await queue.Execute(new(body.Target, plan), http.User.ToActor(), ct);
        return Results.Accepted($"/api/v1/jobs/{run}", JobsApi.JobAnswer.Of(await jobs.Find(run, ct)));
    }

    static async Task<IResult> Verify(string id, HttpContext http, VerifyBackup verify, JobList jobs, CancellationToken ct)
    {
        var run = await verify.Execute(Known(id), http.User.ToActor(), ct);
        return Results.Accepted($"/api/v1/jobs/{run}", JobsApi.JobAnswer.Of(await jobs.Find(run, ct)));
    }

    static async Task<IResult> Delete(string id, HttpContext http, DeleteBackup delete, CancellationToken ct)
    {
        await delete.Execute(Known(id), http.User.ToActor(), ct);
        return Results.NoContent();
    }

    static async Task<CursorPage<RestoreAnswer>> Restores(Cursor cursor, HttpContext http, RestoreList list, CancellationToken ct)
    {
        var rows = await list.Load(null, cursor.AfterId<Domain.Jobs.JobRunId>(), cursor.Take, http.User.ToActor(), ct);
        return cursor.Page(rows, r => new RestoreAnswer(r.Restore.Id.ToString(), r.Restore.BackupId, r.Target, r.Restore.Into, r.Restore.Replaces, r.Restore.RequestedBy, r.Restore.QueuedAt, r.Restore.EndedAt, r.Restore.Compared, r.Restore.Differences, r.Restore.KeptAs), r => r.Restore.Id.ToString());
    }

    static async Task<IResult> Restore(NewRestore body, HttpContext http, QueueRestore queue, JobList jobs, CancellationToken ct)
    {
        var backup = Id.TryParse<BackupId>(body.Backup, out var known) ? known : throw new DomainException("The backup must be the id of one that is listed at /api/v1/backups.", "backup");
        try
        {
            var run = await queue.Execute(new(backup, body.Into, body.Confirm, body.Replace), http.User.ToActor(), ct);
            return Results.Accepted($"/api/v1/jobs/{run}", JobsApi.JobAnswer.Of(await jobs.Find(run, ct)));
        }
        catch (NotFoundException)
        {
            throw new DomainException($"There is no backup {backup}.", "backup");
        }
    }

    static async Task<CursorPage<TargetAnswer>> Targets(Cursor cursor, HttpContext http, BackupPlaces places, CancellationToken ct)
    {
        // There are tens of them: they are read whole, and the cursor is a place in their order.
        var all = (await places.Load(http.User.ToActor(), ct)).Targets.ToList();
        var start = cursor.AfterId<BackupTargetId>() is { } after ? all.FindIndex(t => t.Id == after) + 1 : 0;
        if (cursor.After is not null && start == 0) throw new DomainException("The value of after must be the next of an earlier answer, unchanged.", "after");
        return cursor.Page([.. all.Skip(start).Take(cursor.Take)], Answer, t => t.Id.ToString());
    }

    static async Task<IResult> Add(NewTarget body, HttpContext http, AddTarget add, BackupPlaces places, CancellationToken ct)
    {
        var actor = http.User.ToActor();
        var id = await add.Execute(new(body.Name, body.Connection, body.Path), actor, ct);
        return Results.Created($"/api/v1/backup-targets/{id}", Answer((await places.Load(actor, ct)).Targets.Single(t => t.Id == id)));
    }

    static async Task<IResult> Remove(string target, HttpContext http, RemoveTarget remove, BackupPlaces places, CancellationToken ct)
    {
        var actor = http.User.ToActor();
        await remove.Execute(Find(await places.Load(actor, ct), target, null).Id, actor, ct);
        return Results.NoContent();
    }

    static async Task<CursorPage<StoreAnswer>> Stores(Cursor cursor, HttpContext http, BackupPlaces places, CancellationToken ct)
    {
        var all = (await places.Load(http.User.ToActor(), ct)).Stores.ToList();
        var start = cursor.AfterId<BackupStoreId>() is { } after ? all.FindIndex(s => s.Store.Id == after) + 1 : 0;
        if (cursor.After is not null && start == 0) throw new DomainException("The value of after must be the next of an earlier answer, unchanged.", "after");
        return cursor.Page([.. all.Skip(start).Take(cursor.Take)], r => new StoreAnswer(
            r.Store.Id, r.Store.Name, r.Store.Place.Words, r.Store.IsConfigured, r.Store.RetiredAt is not null, r.Backups, r.Bytes, r.Store.FreeBytes, r.Store.TotalBytes, r.Store.ProbedAt, r.Store.Problem, r.Store.SheetConfirmedAt), r => r.Store.Id.ToString());
    }

    static async Task<IResult> MakeSheet(string id, HttpContext http, MakeRecoverySheet make, CancellationToken ct)
    {
        var sheet = await make.Execute(KnownStore(id), http.User.ToActor(), ct);
        return Results.Created($"/api/v1/backup-stores/{id}/recovery-sheet", new SheetAnswer(sheet.Passphrase, sheet.Key, sheet.Place, sheet.MadeAt));
    }

    static async Task<IResult> ConfirmSheet(string id, SheetProof body, HttpContext http, ConfirmRecoverySheet confirm, CancellationToken ct)
    {
        await confirm.Execute(KnownStore(id), body.Groups, http.User.ToActor(), ct);
        return Results.NoContent();
    }

    static BackupStoreId KnownStore(string id) => Id.TryParse<BackupStoreId>(id, out var known) ? known : throw new NotFoundException("store");

    static BackupTarget Find(BackupPlaces.View places, string nameOrId, string? field)
    {
        var isId = Id.TryParse<BackupTargetId>(nameOrId, out var id);
        return places.Targets.FirstOrDefault(t => t.Name == nameOrId || isId && t.Id == id)
            ?? throw (field is null ? new NotFoundException("backup target") : new DomainException($"There is no backup target \"{nameOrId}\".", field));
    }

    static BackupAnswer Answer(BackupList.Row row) => new(
        row.Backup.Id, row.Target, row.Store, row.Backup.PlanId, row.Backup.RunId?.ToString(), Words(row.Backup.State), row.Backup.StartedAt, row.Backup.FinishedAt, row.Backup.State == BackupState.Writing ? null : row.Backup.At,
        row.Backup.PlainBytes, row.Backup.StoredBytes, row.Backup.Tables, row.Backup.Rows, Words(row.Backup.Level), row.Backup.VerifiedAt, row.Backup.Damage, row.Backup.IsPinned, row.Backup.DeletedAt, row.Backup.DeletedBecause);

    static TargetAnswer Answer(BackupTarget target) => new(target.Id, target.Name, Words(target.Kind), target.Place);

    static string Words<T>(T value) where T : struct, Enum => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    static BackupId Known(string id) => Id.TryParse<BackupId>(id, out var known) ? known : throw new NotFoundException("backup");
}
