using System.Security.Cryptography;
using Portal.Domain.Backups;
using Portal.Infrastructure.Backups;

namespace Portal.Tests.Backups;

public sealed class S3StoreTests(S3Server server) : IClassFixture<S3Server>, IDisposable
{
    readonly S3Store store = new(server.Settings, TimeProvider.System);
    readonly BackupRig rig = new();

    public void Dispose()
    {
        store.Dispose();
        rig.Dispose();
    }

    [Fact]
    public async Task What_is_put_is_read_listed_by_prefix_in_order_and_deleted()
    {
        foreach (var name in new[] { "listing/b.json", "listing/a.json", "listing2/c" }) await store.Put(name, new byte[] { 1, 2, 3 }, default);
        Assert.Equal([1, 2, 3], await store.Read("listing/a.json", 3, default));
        Assert.Equal(["listing/a.json", "listing/b.json"], await Names("listing/"));
        await store.Delete("listing/a.json", default);
        await store.Delete("listing/a.json", default);
        Assert.Equal(["listing/b.json"], await Names("listing/"));
        Assert.Equal(BackupFailure.Missing, (await Assert.ThrowsAsync<BackupFailedException>(() => store.Open("listing/a.json", default))).Kind);
        Assert.Null(await store.Space(default));
    }

    [Fact]
    public async Task A_large_object_goes_in_parts_and_comes_back_byte_by_byte_and_is_not_seen_before_its_end()
    {
        var content = RandomNumberGenerator.GetBytes(21_000_000);
        await store.Put("large/a", async (to, ct) =>
        {
            foreach (var piece in content.Chunk(1_000_003)) await to.WriteAsync(piece, ct);
            Assert.Empty(await Names("large/"));
        }, default);
        Assert.Equal(SHA256.HashData(content), SHA256.HashData(await store.Read("large/a", content.Length, default)));
    }

    [Fact]
    public async Task What_fails_in_the_middle_of_its_parts_is_never_seen()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => store.Put("aborted/a", async (to, ct) =>
        {
            await to.WriteAsync(new byte[17 << 20], ct);
            throw new InvalidOperationException("planted");
        }, default));
        Assert.Empty(await Names("aborted/"));
        await store.Put("aborted/a", new byte[9], default);
        Assert.Equal(["aborted/a"], await Names("aborted/"));
    }

    [Fact]
    public async Task A_whole_backup_goes_there_and_back()
    {
        var content = RandomNumberGenerator.GetBytes(9_500_000);
        var manifest = await rig.Write(new GivenBytes(content), store: store);
        using var back = new MemoryStream();
        var reader = new ArtifactReader(store);
        await reader.Read(await reader.Manifest(manifest.Id, rig.Key, default), rig.Key, (from, ct) => from.CopyToAsync(back, ct), BackupRig.Ignored, default);
        Assert.Equal(SHA256.HashData(content), SHA256.HashData(back.ToArray()));
        await ArtifactWriter.Delete(store, manifest.Id, manifest.Kind, default);
        Assert.Empty(await Names("backups/"));
    }

    [Fact]
    public async Task A_probe_finds_a_good_bucket_good_and_says_that_another_one_does_not_exist()
    {
        var good = await StoreProbe.Of(store, default);
        Assert.True(good.IsGood, good.ToString());
        Assert.Empty(await Names("probe/"));
        using var elsewhere = new S3Store(server.Settings with { Bucket = "nobodys-bucket" }, TimeProvider.System);
        Assert.Contains("there is no such bucket", (await StoreProbe.Of(elsewhere, default)).Write.Words, StringComparison.Ordinal);
    }

    async Task<List<string>> Names(string prefix)
    {
        var names = new List<string>();
        await foreach (var found in store.List(prefix, default)) names.Add(found.Name);
        return names;
    }
}
