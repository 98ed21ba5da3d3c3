using Microsoft.EntityFrameworkCore;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Features.Backups;
using Portal.Features.Jobs;
using Portal.Infrastructure.Backups;
using Portal.Infrastructure.Jobs;
using Portal.Tests.Jobs;
using Portal.Tests.Support;

namespace Portal.Tests.Backups;

/// <summary>What happens at once, comes too late, or meets an artifact that is not what was written.</summary>
public sealed class RestoreRaceTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    readonly BackupNode node = new(database);
    string shop = "";

    public async Task InitializeAsync()
    {
        await node.Clear();
        await node.Start();
        shop = await node.Shop(1_000);
    }

    public async Task DisposeAsync() => await node.DisposeAsync();

    async Task<Backup> Backed(string target = "shop")
    {
        await node.AddTarget.Execute(new(target, node.Way(shop), null), Cast.Alice, default);
        return await Again(target);
    }

    async Task<Backup> Again(string target)
    {
        var run = await node.Back(target);
        Assert.Equal((RunState.Succeeded, null), (run.State, run.Error));
        return (await node.All()).Single(b => b.RunId == run.Id);
    }

    Task<JobRunId> Queue(Backup backup, string into) => node.QueueRestore.Execute(new(backup.Id, into, "RESTORE"), Cast.Alice, default);

    string Name(string ending)
    {
        node.Forget($"{shop}_{ending}");
        return $"{shop}_{ending}";
    }

    async Task<bool> Exists(string name) => await OddDatabase.Execute(database.ConnectionString, $"select true from pg_database where datname = '{name}'") is true;

    [Fact]
    public async Task Of_restores_into_one_name_at_once_one_wins_and_the_others_wait_or_are_refused_in_words()
    {
        await using var held = await HeldRestore.Plant(node.Way(shop));
        // The same database by two targets, as two teams have entered it.
        var (mine, theirs) = (await Backed(), await Backed("shop-of-the-others"));
        var into = Name("twice");
        await using var second = new JobRig(database, "node-b", TimeSpan.FromSeconds(10), node.BackUp, node.Restores);
        var (first, next, other) = (await Queue(mine, into), await Queue(mine, into), await Queue(theirs, into));
        await held.Begin();
        var working = node.Rig.Work(first);
        await Soon.Comes(async () => await held.Waiting() is not null, "the first one is in the midst of it");

        await second.Work(next);
        var waits = await JobRig.Find(database, next);
        Assert.Equal((RunState.Queued, 0), (waits.State, waits.Attempt));
        await second.Work(other);
        var refused = await JobRig.Find(database, other);
        Assert.Equal((RunState.Failed, $"Another restore into {into} works on that server just now: wait for its end."), (refused.State, refused.Error));
        Assert.False(await Exists(into));
        await held.DisposeAsync();
        await working;
        Assert.Equal(RunState.Succeeded, (await JobRig.Find(database, first)).State);
        await second.Work(next);
        var late = await JobRig.Find(database, next);
        Assert.Equal((RunState.Failed, 1), (late.State, late.Attempt));
        Assert.Contains($"A database {into} exists already", late.Error, StringComparison.Ordinal);
        Assert.Equal(1_000L, await OddDatabase.Execute(node.Way(into), "select count(*) from orders"));
        Assert.Equal(0L, await OddDatabase.Execute(database.ConnectionString, "select count(*) from pg_database where datname like 'portal_restoring_%'"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_restore_whose_run_was_taken_away_meanwhile_takes_nobodys_place(bool isDatabase)
    {
        Directory.CreateDirectory(node["files"]);
        await File.WriteAllTextAsync(node["files/a"], "a");
        if (!isDatabase) await node.AddTarget.Execute(new("files", null, node["files"]), Cast.Alice, default);
        var backup = isDatabase ? await Backed() : await Again("files");
        var into = isDatabase ? Name("late") : node["late"];
        var id = await Queue(backup, into);
        // As the others leave it when its node is frozen.
        await using (var db = database.Open()) await db.JobRuns.Where(r => r.Id == id).ExecuteUpdateAsync(r => r.SetProperty(x => x.State, RunState.Interrupted).SetProperty(x => x.EndedAt, TimeProvider.System.GetUtcNow()));
        var late = new RunContext(new ClaimedRun(id, 1, RestoreBackup.Kind, "", "{}", 1, 1, false), TimeProvider.System);
        Assert.Contains("taken from this node", (await Assert.ThrowsAsync<DomainException>(() => node.Restores.Run(late, default))).Message, StringComparison.Ordinal);
        Assert.False(isDatabase ? await Exists(into) : Directory.Exists(into));
        await node.Restores.ClearAway(id, default);
        Assert.False(await Exists(Restore.UnfinishedName(id)));
        Assert.Empty(Directory.GetDirectories(node["."], ".portal_restoring*"));
    }

    [Fact]
    public async Task The_upkeep_and_the_next_attempt_that_find_the_same_remains_at_once_are_both_content()
    {
        await using var bucket = new HeldBucket(PortalProcess.FreePort());
        var store = await node.AddBucket(bucket);
        await node.AddTarget.Execute(new("shop", node.Way(shop), null), Cast.Alice, default);
        var left = new Backup(Id.New<BackupId>(TimeProvider.System.GetUtcNow()), null, await node.Target("shop"), store, new JobRunId(Guid.NewGuid()), TimeProvider.System.GetUtcNow());
        await using (var db = database.Open())
        {
            db.Backups.Add(left);
            await db.SaveChangesAsync();
        }
        Task upkeep, attempt;
        using (var looking = bucket.Hold("GET", ArtifactNames.Manifest(left.Id)))
        {
            (upkeep, attempt) = (node.Work.Settle(left.Id, default), node.Work.RemoveLeftOvers(left.RunId!.Value, default));
            await Soon.Comes(() => looking.Waiting == 2, "both look for its manifest");
        }
        await Task.WhenAll(upkeep, attempt);
        Assert.Empty(await node.All());
    }

    [Fact]
    public async Task The_report_of_a_restore_says_which_roles_are_missing_and_what_was_not_granted_again()
    {
        var role = $"clerk_{Guid.CreateVersion7():N}";
        await OddDatabase.Execute(node.Way(shop), $"create role {role}; grant select on orders to {role}");
        var backup = await Backed();
        await OddDatabase.Execute(node.Way(shop), $"drop owned by {role}; drop role {role}");
        var id = await Queue(backup, Name("granted"));
        Assert.Equal(RunState.Succeeded, (await node.Done(id)).State);
        var report = Assert.Single(await new RestoreList(database.Database).Load(backup.Id, null, 10, Cast.Alice, default)).Report!;
        Assert.Equal([role], report.MissingRoles);
        Assert.Equal([$"grant select on table public.orders to {role}: the role is missing"], report.GrantsLeftOut);
    }

    /// <summary>Each does it to the files of the second backup, of which the first is another one.</summary>
    [Fact]
    public async Task A_restore_of_what_is_not_what_was_written_is_refused_in_words_and_makes_no_database()
    {
        var (other, backup) = (await Backed(), await Again("shop"));
        string PathOf(Backup of, bool isManifest = false) => Path.Combine(node.Folder, isManifest ? ArtifactNames.Manifest(of.Id) : ArtifactNames.Content(of.Id, ContentKind.Database));
        var (content, manifest) = (await File.ReadAllBytesAsync(PathOf(backup)), await File.ReadAllBytesAsync(PathOf(backup, true)));
        foreach (var (what, act, words) in new (string, Func<Task>, string)[]
        {
            ("one flipped bit", () => File.WriteAllBytesAsync(PathOf(backup), [.. content[..^100], (byte)(content[^100] ^ 1), .. content[^99..]]), "its bytes are not those that were written"),
            ("cut in half", () => File.WriteAllBytesAsync(PathOf(backup), content[..(content.Length / 2)]), "bytes are missing: it was cut"),
            ("another's content", async () => await File.WriteAllBytesAsync(PathOf(backup), await File.ReadAllBytesAsync(PathOf(other))), "must not be used"),
            ("another's manifest", async () => await File.WriteAllBytesAsync(PathOf(backup, true), await File.ReadAllBytesAsync(PathOf(other, true))), "they were swapped"),
            ("no manifest", () => { File.Delete(PathOf(backup, true)); return Task.CompletedTask; }, "is not in the folder"),
            ("no content", () => { File.Delete(PathOf(backup)); return Task.CompletedTask; }, "its content"),
        })
        {
            await act();
            var into = Name("damaged");
            var run = await node.Done(await Queue(backup, into));
            Assert.True(run.State == RunState.Failed && run.Error!.Contains(words, StringComparison.Ordinal), $"{what}: {run.State}, {run.Error}");
            Assert.False(await Exists(into) || await Exists(Restore.UnfinishedName(run.Id)), what);
            await File.WriteAllBytesAsync(PathOf(backup), content);
            await File.WriteAllBytesAsync(PathOf(backup, true), manifest);
        }
        Assert.Equal(RunState.Succeeded, (await node.Done(await Queue(backup, Name("damaged")))).State);
    }
}
