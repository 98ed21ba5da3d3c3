using Portal.Domain.Backups;
using Portal.Infrastructure.Backups;
using Portal.Infrastructure.Postgres;
using Portal.Tests.Support;

namespace Portal.Tests.Backups;

public sealed class LocalStoreTests : IDisposable
{
    readonly BackupRig rig = new();

    public void Dispose() => rig.Dispose();

    [Fact]
    public async Task What_is_put_is_read_listed_by_prefix_in_order_and_deleted_and_only_we_can_read_it()
    {
        foreach (var name in new[] { "backups/b.json", "backups/a.json", "keys/a.key" }) await rig.Store.Put(name, new byte[] { 1, 2, 3 }, default);
        Assert.Equal([1, 2, 3], await rig.Store.Read("backups/a.json", 3, default));
        Assert.Equal(["backups/a.json", "backups/b.json"], await Names("backups/"));
        Assert.Equal(["backups/b.json"], await Names("backups/b"));
        Assert.Equal(["backups/a.json", "backups/b.json", "keys/a.key"], await Names(""));
        Assert.Empty(await Names("nothing/"));
        Assert.Equal(PrivateFile.Mode, File.GetUnixFileMode(rig.FileOf("keys/a.key")));
        Assert.Equal(PrivateFile.FolderMode, File.GetUnixFileMode(rig.FileOf("keys")));
        await rig.Store.Put("keys/a.key", new byte[] { 4 }, default);
        Assert.Equal([4], await rig.Store.Read("keys/a.key", 9, default));
        await rig.Store.Delete("backups/a.json", default);
        await rig.Store.Delete("backups/a.json", default);
        await rig.Store.Delete("never/was", default);
        Assert.Equal(["backups/b.json"], await Names("backups/"));
        Assert.Equal(BackupFailure.Missing, (await Assert.ThrowsAsync<BackupFailedException>(() => rig.Store.Open("backups/a.json", default))).Kind);
        Assert.InRange((await rig.Store.Space(default))!.Free, 1, long.MaxValue);
    }

    [Fact]
    public async Task An_object_is_not_seen_before_it_is_whole_and_never_when_it_fails_or_is_cancelled()
    {
        using var cancelled = new CancellationTokenSource();
        await rig.Store.Put("backups/a", async (to, ct) =>
        {
            await to.WriteAsync(new byte[400_000], ct);
            Assert.Equal(["backups/.a.part"], rig.Files);
            Assert.Empty(await Names("backups/"));
        }, default);
        Assert.Equal(["backups/a"], await Names("backups/"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => rig.Store.Put("backups/b", async (to, ct) =>
        {
            await to.WriteAsync(new byte[400_000], ct);
            throw new InvalidOperationException("planted");
        }, default));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => rig.Store.Put("backups/c", async (to, ct) =>
        {
            await to.WriteAsync(new byte[400_000], ct);
            await cancelled.CancelAsync();
        }, cancelled.Token));
        Assert.Equal(["backups/a"], rig.Files);
    }

    [Fact]
    public async Task What_a_killed_put_left_is_taken_away_by_the_next_one_or_by_request()
    {
        Directory.CreateDirectory(rig.FileOf("backups"));
        await File.WriteAllTextAsync(rig.FileOf("backups/.a.part"), "half");
        await rig.Store.Put("backups/a", new byte[] { 1 }, default);
        Assert.Equal([1], await rig.Store.Read("backups/a", 9, default));
        await File.WriteAllTextAsync(rig.FileOf("backups/.a.part"), "half");
        await rig.Store.RemoveUnfinished("backups/a", default);
        Assert.Equal(["backups/a"], rig.Files);
    }

    [Theory]
    [InlineData("../outside")]
    [InlineData("/etc/passwd")]
    [InlineData("backups/../../outside")]
    [InlineData("backups/.hidden")]
    [InlineData("Backups/A")]
    [InlineData("a//b")]
    [InlineData("")]
    public async Task A_name_that_could_leave_the_folder_is_no_name(string name) =>
        await Assert.ThrowsAsync<ArgumentException>(() => rig.Store.Put(name, new byte[1], default));

    [FactAsRoot]
    public async Task A_full_disk_is_refused_in_words_and_leaves_nothing_behind()
    {
        Directory.CreateDirectory(rig.Folder);
        await Shell.Works($"mount -t tmpfs -o size=1m tmpfs '{rig.Folder}'", "/");
        try
        {
            var full = await Assert.ThrowsAsync<BackupFailedException>(() => rig.Write(new GivenBytes(System.Security.Cryptography.RandomNumberGenerator.GetBytes(3 << 20))));
            Assert.Equal(BackupFailure.Refused, full.Kind);
            Assert.Contains("its disk is full", full.Message, StringComparison.Ordinal);
            Assert.Empty(rig.Files);
            await rig.Write(new GivenBytes("there is room for this one"));
            Assert.Equal(2, rig.Files.Count);
        }
        finally
        {
            await Shell.Works($"umount '{rig.Folder}'", "/");
        }
    }

    [Fact]
    public async Task A_probe_says_of_writing_reading_and_deleting_each_for_itself_and_leaves_nothing()
    {
        var good = await StoreProbe.Of(rig.Store, default);
        Assert.True(good.IsGood, good.ToString());
        Assert.Empty(rig.Files);
        await File.WriteAllTextAsync(rig["file"], "not a folder");
        var none = await StoreProbe.Of(new LocalStore(rig["file"]), default);
        Assert.Equal((false, false, false), (none.Write.IsGood, none.ReadBack.IsGood, none.Delete.IsGood));
        Assert.Contains(rig["file"], none.Write.Words, StringComparison.Ordinal);
        Assert.Contains("Not tried", none.Delete.Words, StringComparison.Ordinal);
    }

    async Task<List<string>> Names(string prefix)
    {
        var names = new List<string>();
        await foreach (var found in rig.Store.List(prefix, default)) names.Add(found.Name);
        return names;
    }
}
