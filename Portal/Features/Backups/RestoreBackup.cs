using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Features.Jobs;
using Portal.Infrastructure.Backups;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>Brings a backup back: under a name of its own until it is whole and compared, then under the one that was asked for. Never begun a second time by itself.</summary>
public sealed class RestoreBackup(IDbContextFactory<PortalDbContext> contexts, StoreOpening opening, TargetWays ways, BackupWork work, TimeProvider clock) : JobKind
{
    public const string Kind = "restore";

    /// <param name="Target">Alone with its backups and drills.</param>
    public sealed record Arguments(string Backup, string Target, string Into);

    /// <param name="KeptAs">The name under which what was there before is kept.</param>
    public sealed record Outcome(string Backup, string Into, string? KeptAs, int Compared, int Differences);

    /// <summary>As it is kept beside the run.</summary>
    public sealed record Report(IReadOnlyList<ComparedLine> Lines, IReadOnlyList<string> MissingRoles, IReadOnlyList<string> GrantsLeftOut);

    public override string Name => Kind;

    public override string Title => "Restore";

    /// <summary>Building indexes and counting rows say nothing for long.</summary>
    public override TimeSpan StallLimit => TimeSpan.FromHours(6);

    public override RunRules Rules(string arguments) => new(Alone: $"target:{JsonSerializer.Deserialize<Arguments>(arguments, JsonSerializerOptions.Web)!.Target}");

    public override string? InWords(JsonElement result)
    {
        var done = result.Deserialize<Outcome>(JsonSerializerOptions.Web)!;
        return $"{done.Into} is equal to the backup in all {done.Compared} things that were compared{(done.KeptAs is { } kept ? $"; what was there before is kept as {kept}" : "")}";
    }

    public override async Task<object?> Run(RunContext run, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var restore = await db.Restores.AsNoTracking().SingleOrDefaultAsync(r => r.Id == run.Id, ct) ?? throw new DomainException("Nobody knows this restore any more. Ask for it again on the page of its backup.");
        var backup = await db.Backups.Where(b => b.Id == restore.BackupId).Select(Backup.Listed).SingleAsync(ct);
        var target = await db.BackupTargets.AsNoTracking().SingleAsync(t => t.Id == restore.TargetId, ct);
        using var store = opening.Open(await db.BackupStores.AsNoTracking().SingleAsync(s => s.Id == backup.StoreId, ct));
        try
        {
            run.Phase("Checking", "reading the manifest");
            var manifest = await store.Reader.Manifest(backup.Id, store.Key, ct);
            var (report, keptAs, into) = backup.Kind == ContentKind.Directory ? await Folder(run, restore, store, manifest, ct) : await Database(run, restore, target, store, manifest, ct);
            var differences = report.Lines.Count(l => !l.IsEqual);
            await End(run.Id, report, differences, keptAs, ct);
            if (differences > 0) throw new DomainException($"It was restored as {into}, but {differences} of {report.Lines.Count} things differ from the backup, so nothing was replaced: see the comparison.");
            await work.Note(backup.Id, b => b.Verified(VerificationLevel.Restored, clock.GetUtcNow()), ct);
            run.Say($"Restored into {into}: {report.Lines.Count} things are equal to the backup.{(keptAs is null ? "" : $" What was there before is kept as {keptAs}.")}");
            return new Outcome(backup.Id.ToString(), into, keptAs, report.Lines.Count, 0);
        }
        catch (BackupFailedException e)
        {
            throw new DomainException(e.Message);
        }
    }

    async Task<(Report, string? KeptAs, string Into)> Database(RunContext run, Restore restore, BackupTarget target, OpenStore store, BackupManifest manifest, CancellationToken ct)
    {
        var way = await ways.Connection(target, ct);
        if (target.Kind == BackupTargetKind.Portal && new NpgsqlConnectionStringBuilder(way).Database == restore.Into)
            throw new DomainException("The portal cannot replace the database that it works on. Stop it and use the command portal restore, or restore into another name.", "into");
        await using var place = await RestoredDatabase.Claim(way, restore.Into, clock, ct);
        if (await place.Identity(restore.Into, ct) is { } there && there == await Own(ct)) throw new DomainException("This is the database that the portal works on: stop the portal and use the command portal restore, or restore into another name.", "into");
        var exists = await place.Exists(restore.Into, ct);
        if (exists && !restore.Replaces) throw new DomainException($"A database {restore.Into} exists already: choose another name, or allow that it is put aside.", "into");
        var unfinished = Restore.UnfinishedName(run.Id);
        run.Phase("Restoring", $"{ByteWords.Of(manifest.Plain.Bytes)} from {store.Settings.Name}");
        var report = await new DatabaseRestore(store.Reader, await PostgresTools.Find(ct), ways.Scratch, clock).Into(manifest, store.Key, place.Server, unfinished,
            p => run.Report(p.Content > 0 ? 0.2 + 0.8 * p.Content / Math.Max(1, manifest.Plain.Bytes) : 0.2 * p.Stored / Math.Max(1, manifest.Stored.Bytes), p.Content > 0 ? $"{ByteWords.Of(p.Content)} of {ByteWords.Of(manifest.Plain.Bytes)} restored" : $"{ByteWords.Of(p.Stored)} of {ByteWords.Of(manifest.Stored.Bytes)} checked"), ct);
        run.Phase("Taking its place", restore.Into);
        var stamp = $"{clock.GetUtcNow():yyyyMMddHHmmss}";
        if (!report.Comparison.IsEqual)
        {
            var apart = Shortened(restore.Into, $"_differs_{stamp}");
            await Announce(restore.Id, null, ct);
            await using var other = await RestoredDatabase.Claim(way, apart, clock, ct);
            await other.TakePlace(unfinished, null, ct);
            return (Of(report), null, apart);
        }
        var aside = exists ? Shortened(restore.Into, $"_before_{stamp}") : null;
        await Announce(restore.Id, aside, ct);
        await place.TakePlace(unfinished, aside, ct);
        return (Of(report), aside, restore.Into);
    }

    async Task End(JobRunId id, Report report, int differences, string? keptAs, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var restore = await db.Restores.SingleAsync(r => r.Id == id, ct);
        restore.End(report.Lines.Count, differences, JsonSerializer.Serialize(report, JsonSerializerOptions.Web), keptAs, clock.GetUtcNow());
        await db.SaveChangesAsync(ct);
    }

    /// <summary>Said before it is done: whoever finds a restore that was killed in this moment knows where the database went. A node that was taken for dead takes nobody's place.</summary>
    async Task Announce(JobRunId id, string? aside, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        if (await db.Restores.Where(r => r.Id == id && db.JobRuns.Any(j => j.Id == id && j.State == RunState.Running)).ExecuteUpdateAsync(r => r.SetProperty(x => x.KeptAs, aside), ct) == 0)
            throw new BackupFailedException(BackupFailure.Refused, "The run was taken from this node meanwhile: nothing got another name.");
    }

    async Task<string?> Own(CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        return await db.Settings.Where(s => s.Key == RecoveryEpoch.IdentitySetting).Select(s => s.Value).SingleOrDefaultAsync(ct);
    }

    async Task<(Report, string?, string)> Folder(RunContext run, Restore restore, OpenStore store, BackupManifest manifest, CancellationToken ct)
    {
        run.Phase("Restoring", $"{ByteWords.Of(manifest.Plain.Bytes)} from {store.Settings.Name}");
        if (File.Exists(restore.Into) || (Directory.Exists(restore.Into) && Directory.EnumerateFileSystemEntries(restore.Into).Any()))
            throw new DomainException($"{restore.Into} holds something already, and a restore never writes over what exists: choose another directory.", "into");
        var unfinished = Unfinished(restore);
        var comparison = await new DirectoryRestore(store.Reader).Into(manifest, store.Key, unfinished, p => run.Report(p.Content > 0 ? (double)p.Content / Math.Max(1, manifest.Plain.Bytes) : 0, $"{ByteWords.Of(p.Content)} restored"), ct);
        try
        {
            await Announce(restore.Id, null, ct);
        }
        catch
        {
            Directory.Delete(unfinished, recursive: true);
            throw;
        }
        if (Directory.Exists(restore.Into)) Directory.Delete(restore.Into);
        Directory.Move(unfinished, restore.Into);
        return (new(comparison.Lines, [], []), null, restore.Into);
    }

    static string Unfinished(Restore restore) => Path.Combine(Path.GetDirectoryName(restore.Into)!, $".{Restore.UnfinishedName(restore.Id)}");

    /// <summary>Takes away what a restore whose node was killed left behind.</summary>
    public async Task ClearAway(JobRunId id, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        if (await db.Restores.SingleOrDefaultAsync(r => r.Id == id && !r.IsSettled, ct) is not { } restore) return;
        var target = await db.BackupTargets.AsNoTracking().SingleAsync(t => t.Id == restore.TargetId, ct);
        if (!target.IsDatabase)
        {
            if (Directory.Exists(Unfinished(restore))) Directory.Delete(Unfinished(restore), recursive: true);
        }
        else
        {
            await using var place = await RestoredDatabase.Claim(await ways.Connection(target, ct), restore.Into, clock, ct);
            await place.Drop(Restore.UnfinishedName(id), ct);
            if (restore.KeptAs is { } aside && !await place.Exists(aside, ct)) restore.NothingPutAside();
        }
        restore.Settle(clock.GetUtcNow());
        await db.SaveChangesAsync(ct);
    }

    static Report Of(RestoreReport report) => new(report.Comparison.Lines, report.MissingRoles, report.GrantsLeftOut);

    /// <summary>Names have 63 bytes: the end that tells them apart stays whole.</summary>
    static string Shortened(string name, string ending)
    {
        var text = name;
        while (System.Text.Encoding.UTF8.GetByteCount(text) > 63 - ending.Length) text = text[..^(text.Length > 1 && char.IsLowSurrogate(text[^1]) ? 2 : 1)];
        return text + ending;
    }
}
