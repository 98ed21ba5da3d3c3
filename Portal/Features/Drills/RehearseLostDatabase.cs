using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Backups;
using Portal.Domain.Drills;
using Portal.Features.Backups;
using Portal.Infrastructure.Backups;
using Portal.Infrastructure.Backups.Drills;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Postgres;

namespace Portal.Features.Drills;

/// <summary>The scenario "database lost or corrupted": its newest backup is restored on a scratch server of this machine, compared and asked, while the original goes on untouched.</summary>
public sealed class RehearseLostDatabase(IDbContextFactory<PortalDbContext> contexts, StoreOpening opening, TargetWays ways, ScratchPlace scratch, TimeProvider clock)
{
    /// <summary>Returns when the database is back and was looked at; what was found is in the notes.</summary>
    /// <param name="name">Of the scratch server.</param>
    /// <exception cref="BackupFailedException">It does not come back, and why.</exception>
    public async Task Run(string name, BackupTarget target, Backup backup, DrillNotes notes, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        using var store = opening.Open(await db.BackupStores.AsNoTracking().SingleAsync(s => s.Id == backup.StoreId, ct));
        notes.Backup = (backup, store.Settings.Name);
        notes.Phase("Preparing", $"a server for the backup of {Words(backup.At)} in {store.Settings.Name}");
        var manifest = await store.Reader.Manifest(backup.Id, store.Key, ct);
        var (tools, clusters) = (await PostgresTools.Find(ct), await scratch.Open(ct));
        notes.Versions = notes.Versions with { Original = manifest.Versions.Server, Tools = tools.Version };
        var binaries = await DrillPreflight.Check(manifest, tools, PostgresBinaries.Installed(), clusters.Root, ct);
        notes.Ran($"{binaries["initdb"]} and {binaries["postgres"]} -D {clusters.Root}/{name}/cluster by {clusters.AccountName}");
        await using var cluster = await clusters.Make(name, ProcessMark.Own, binaries, ct);
        notes.Say(cluster.HasNoNetwork ? "The server has no network." : "The server listens to no network; the machine does not let it be cut off from it.");
        var restored = new DrilledDatabase(cluster);
        notes.Versions = notes.Versions with { Server = await restored.Prepare(manifest.Database!, ct) };
        notes.Took("Prepare a server", clock.GetElapsedTime(notes.Began));
        await Restore(manifest, store, cluster, tools, notes, ct);
        await Look(target, backup, manifest, restored, notes, ct);
        notes.Phase("Clearing away", "the scratch server");
    }

    /// <summary>When the database is taken to be lost: now, by its own clock, so that no other one is in the figure.</summary>
    public async Task<DateTimeOffset> FailureTime(BackupTarget target, DrillNotes notes, CancellationToken ct)
    {
        try
        {
            return await new Canary(await ways.Connection(target, ct)).Now(ct);
        }
        catch (BackupFailedException e)
        {
            notes.Say($"{e.Message} Its loss is dated by this portal's clock.");
            return clock.GetUtcNow();
        }
    }

    async Task Restore(BackupManifest manifest, OpenStore store, ScratchCluster cluster, PostgresTools tools, DrillNotes notes, CancellationToken ct)
    {
        notes.Phase("Restoring", $"{ByteWords.Of(manifest.Plain.Bytes)} from {store.Settings.Name}");
        var began = clock.GetTimestamp();
        notes.Ran($"{tools.Restore} --no-owner --no-acl --exit-on-error --dbname={DrilledDatabase.Name}");
        var report = await new DatabaseRestore(store.Reader, tools, ways.Scratch, clock).Into(manifest, store.Key, cluster.Server, DrilledDatabase.Name,
            p => notes.Report(p.Content > 0 ? 0.2 + 0.8 * p.Content / Math.Max(1, manifest.Plain.Bytes) : 0.2 * p.Stored / Math.Max(1, manifest.Stored.Bytes), p.Content > 0 ? $"{ByteWords.Of(p.Content)} of {ByteWords.Of(manifest.Plain.Bytes)} restored" : $"{ByteWords.Of(p.Stored)} of {ByteWords.Of(manifest.Stored.Bytes)} fetched and checked"), ct);
        notes.Took("Fetch and check", report.Times.Fetch);
        notes.Took("Decrypt and unpack", report.Times.Decrypt);
        // Also making the database, and giving back owners and settings.
        notes.Took("Restore", clock.GetElapsedTime(began) - report.Times.Fetch - report.Times.Decrypt - report.Times.Compare);
        notes.Took("Compare", report.Times.Compare);
        notes.Compared = report.Comparison.Lines;
        foreach (var left in report.GrantsLeftOut.Take(20)) notes.Say($"Not granted again: {left}");
        notes.Say($"Restored: {report.Comparison.Lines.Count} things compared with the manifest, {report.Comparison.Differences.Count()} differ.");
    }

    async Task Look(BackupTarget target, Backup backup, BackupManifest manifest, DrilledDatabase restored, DrillNotes notes, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var checks = await db.DrillChecks.AsNoTracking().Where(c => c.TargetId == target.Id).OrderBy(c => c.Name).ToListAsync(ct);
        notes.Phase("Checking the data", checks.Count == 0 ? "the canary" : $"the canary, and {checks.Count} questions");
        // Before anything else looks at it.
        Lost(target, backup, manifest.Snapshot!, await restored.Canary(ct), notes);
        var answers = new List<CheckedAnswer>();
        foreach (var check in checks)
        {
            answers.Add(await restored.Ask(check, ct));
            notes.Report((double)answers.Count / checks.Count, check.Name);
            // What was answered stands in the record: more people read the log.
            if (!answers[^1].Passed) notes.Say($"{check.Name}: did not pass.");
        }
        notes.Checks = answers;
        notes.Recovered();
    }

    /// <summary>What would be lost, by the newest canary that can be believed, otherwise by the snapshot's time.</summary>
    void Lost(BackupTarget target, Backup backup, SnapshotPosition snapshot, CanaryBeat? newest, DrillNotes notes)
    {
        if (target.HasCanary && newest is { } beat && Canary.IsBelievable(beat, snapshot, notes.FailedAt))
        {
            (notes.Canary, notes.Loss) = (beat.At, notes.FailedAt - beat.At);
            notes.Say($"The newest canary that came back is of {Words(beat.At)}, at {beat.Wal}.");
            return;
        }
        notes.Say(newest is null ? "No canary came back." : $"A canary of {Words(newest.At)} came back, which tells nothing of a snapshot of {Words(snapshot.TakenAt)}: it was not written all the time, or a clock was set.");
        var loss = notes.FailedAt - snapshot.TakenAt;
        // A clock that went back in between tells nothing; our own has seen both moments.
        notes.Loss = loss >= TimeSpan.Zero ? loss : clock.GetUtcNow() - backup.StartedAt;
        notes.Say($"What is lost is reckoned from {(loss >= TimeSpan.Zero ? $"the snapshot of {Words(snapshot.TakenAt)}" : $"the begin of the backup, {Words(backup.StartedAt)} by this portal's clock: that of the database went back")}.");
    }

    static string Words(DateTimeOffset at) => at.UtcDateTime.ToString("d MMM, HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
}
