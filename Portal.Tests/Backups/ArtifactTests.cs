using System.Security.Cryptography;
using System.Text;
using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Infrastructure.Backups;

namespace Portal.Tests.Backups;

public sealed class ArtifactTests : IDisposable
{
    readonly BackupRig rig = new();

    public void Dispose() => rig.Dispose();

    [Fact]
    public async Task What_was_written_is_read_back_and_the_manifest_tells_sizes_and_both_checksums()
    {
        var content = Enumerable.Range(0, 400_000).Select(i => (byte)(i / 7 % 50)).ToArray();
        var last = default(ArtifactProgress);
        var manifest = await new ArtifactWriter(rig.Clock).Write(rig.Order(), new GivenBytes(content), rig.Store, p => last = p, default);
        var stored = await File.ReadAllBytesAsync(rig.FileOf(manifest.File));
        Assert.Equal(new ContentMeasure(content.Length, Convert.ToHexStringLower(SHA256.HashData(content))), manifest.Plain);
        Assert.Equal(new ContentMeasure(stored.Length, Convert.ToHexStringLower(SHA256.HashData(stored))), manifest.Stored);
        Assert.Equal(new ArtifactProgress(content.Length, stored.Length), last);
        Assert.InRange(stored.Length, 1, content.Length / 4);
        Assert.Equal(content, await Content(manifest));
        Assert.Equal([ArtifactNames.Manifest(manifest.Id), manifest.File], rig.Files);
    }

    [Fact]
    public async Task A_manifest_has_one_form_only_and_reading_it_gives_the_same_bytes_again()
    {
        var carried = new Dictionary<string, string> { ["smtp.key"] = "bbb\n", ["master.key"] = "aaa\n" };
        var written = await rig.Write(new GivenBytes("words"), rig.Order("Überblick \"quoted\"") with { Audit = new AuditHead(7, "abc"), Carried = carried });
        var read = await rig.Reader.Manifest(written.Id, rig.Key, default);
        Assert.Equal(written.CanonicalBytes(), read.CanonicalBytes());
        var text = Encoding.UTF8.GetString(read.CanonicalBytes());
        Assert.StartsWith($$"""{"format":1,"id":"{{written.Id}}","target":"Überblick \"quoted\"","kind":"directory","file":"backups/{{written.Id}}.tar.gz.enc","key":"{{rig.Key.Id}}",""", text, StringComparison.Ordinal);
        Assert.Contains("""{"master.key":"aaa\n","smtp.key":"bbb\n"}""", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    [InlineData(5_000)]
    [InlineData(-1)]
    public async Task One_flipped_bit_anywhere_is_found_before_anything_is_decrypted(int at)
    {
        var manifest = await rig.Write(new GivenBytes(RandomNumberGenerator.GetBytes(9_000)));
        var file = rig.FileOf(manifest.File);
        var bytes = await File.ReadAllBytesAsync(file);
        bytes[at < 0 ? bytes.Length + at : at] ^= 4;
        await File.WriteAllBytesAsync(file, bytes);
        Assert.Contains("its bytes are not those that were written", await Refusal(manifest), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Half_of_an_artifact_is_told_as_such_and_so_is_one_that_grew_or_is_gone()
    {
        var manifest = await rig.Write(new GivenBytes(RandomNumberGenerator.GetBytes(9_000)));
        var file = rig.FileOf(manifest.File);
        var whole = await File.ReadAllBytesAsync(file);
        await File.WriteAllBytesAsync(file, whole[..(whole.Length / 2)]);
        Assert.Contains("bytes are missing: it was cut", await Refusal(manifest), StringComparison.Ordinal);
        await File.WriteAllBytesAsync(file, [.. whole, 0]);
        Assert.Contains($"{whole.Length + 1:N0} bytes instead of {whole.Length:N0}", await Refusal(manifest), StringComparison.Ordinal);
        File.Delete(file);
        Assert.Contains("its content", await Refusal(manifest), StringComparison.Ordinal);
        await File.WriteAllBytesAsync(file, whole);
        await rig.Reader.CheckStored(manifest, rig.Key, BackupRig.Ignored, default);
    }

    [Fact]
    public async Task An_artifact_cannot_stand_in_for_another_be_it_content_manifest_or_both()
    {
        var (mine, other) = (await rig.Write(new GivenBytes("mine")), await rig.Write(new GivenBytes("other")));
        File.Copy(rig.FileOf(other.File), rig.FileOf(mine.File), overwrite: true);
        Assert.Contains("is the content of another backup", await Refusal(mine), StringComparison.Ordinal);
        File.Copy(rig.FileOf(ArtifactNames.Manifest(other.Id)), rig.FileOf(ArtifactNames.Manifest(mine.Id)), overwrite: true);
        var swapped = await Assert.ThrowsAsync<BackupFailedException>(() => rig.Reader.Manifest(mine.Id, rig.Key, default));
        Assert.Contains("they were swapped", swapped.Message, StringComparison.Ordinal);
        // Even whoever has the key, and signs the swap, is found out: the id is part of what the content's HMAC covers.
        var resigned = other with { Id = mine.Id, File = mine.File };
        await File.WriteAllBytesAsync(rig.FileOf(ArtifactNames.Manifest(mine.Id)), ManifestFile.Write(resigned, rig.Key));
        Assert.Contains("is the content of another backup", await Refusal(await rig.Reader.Manifest(mine.Id, rig.Key, default)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_manifest_that_was_changed_cut_or_signed_under_another_key_is_refused()
    {
        var manifest = await rig.Write(new GivenBytes("words"));
        var file = rig.FileOf(ArtifactNames.Manifest(manifest.Id));
        var whole = await File.ReadAllTextAsync(file);
        await File.WriteAllTextAsync(file, whole.Replace("\"shop\"", "\"ship\"", StringComparison.Ordinal));
        Assert.Contains("its HMAC does not fit", await ManifestRefusal(manifest.Id), StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, whole[..^10]);
        Assert.Contains("The manifest is not whole", await ManifestRefusal(manifest.Id), StringComparison.Ordinal);
        await File.WriteAllBytesAsync(file, ManifestFile.Write(manifest, DataKey.Make(rig.Key.Id)));
        Assert.Contains("its HMAC does not fit", await ManifestRefusal(manifest.Id), StringComparison.Ordinal);
        await File.WriteAllBytesAsync(file, ManifestFile.Write(manifest with { Format = 2 }, rig.Key));
        Assert.Contains("has the format 2", await ManifestRefusal(manifest.Id), StringComparison.Ordinal);
        File.Delete(file);
        Assert.Contains("is not in the folder", await ManifestRefusal(manifest.Id), StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, whole);
        Assert.Equal(manifest.CanonicalBytes(), (await rig.Reader.Manifest(manifest.Id, rig.Key, default)).CanonicalBytes());
    }

    [Fact]
    public async Task The_catalogue_is_read_from_the_store_alone_and_says_of_each_backup_why_it_cannot_be_used()
    {
        var (good, changed, foreign, gone) = (await rig.Write(new GivenBytes("a")), await rig.Write(new GivenBytes("b")), rig.Order() with { Key = DataKey.Make(Id.New<BackupKeyId>(rig.Clock.GetUtcNow())) }, await rig.Write(new GivenBytes("d")));
        await rig.Write(new GivenBytes("c"), foreign);
        await File.AppendAllTextAsync(rig.FileOf(ArtifactNames.Manifest(changed.Id)), "x");
        File.Delete(rig.FileOf(ArtifactNames.Manifest(gone.Id)));
        var found = new List<FoundBackup>();
        await foreach (var one in rig.Reader.All(id => id == rig.Key.Id ? rig.Key : null, default)) found.Add(one);
        Assert.Equal([good.Id, changed.Id, foreign.Id], found.Select(f => f.Id));
        Assert.Equal([true, false, false], found.Select(f => f.Manifest is not null));
        Assert.Contains("is not whole", found[1].Problem, StringComparison.Ordinal);
        Assert.Equal(foreign.Key.Id, found[2].Key);
        Assert.Contains("which is not at hand", found[2].Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_source_that_fails_publishes_nothing_and_leaves_nothing_behind()
    {
        var reason = new BackupFailedException(BackupFailure.Passing, "The source went away.");
        var failed = await Assert.ThrowsAsync<BackupFailedException>(() => rig.Write(new GivenBytes(new byte[500_000], reason)));
        Assert.Same(reason, failed);
        Assert.Empty(rig.Files);
        await rig.Write(new GivenBytes(new byte[500_000]));
        Assert.Equal(2, rig.Files.Count);
    }

    [Fact]
    public async Task What_a_killed_run_left_is_taken_away_and_a_finished_backup_is_not()
    {
        var (killed, whole) = (rig.Order(), await rig.Write(new GivenBytes("whole")));
        Directory.CreateDirectory(rig.FileOf("backups"));
        await File.WriteAllTextAsync(rig.FileOf($"backups/.{killed.Id}.tar.gz.enc.part"), "half");
        await File.WriteAllTextAsync(rig.FileOf(ArtifactNames.Content(killed.Id, ContentKind.Directory)), "no manifest yet");
        Assert.Equal(4, rig.Files.Count);
        await ArtifactWriter.RemovePartial(rig.Store, killed.Id, ContentKind.Directory, default);
        await ArtifactWriter.RemovePartial(rig.Store, whole.Id, ContentKind.Directory, default);
        Assert.Equal([ArtifactNames.Manifest(whole.Id), whole.File], rig.Files);
        await ArtifactWriter.Delete(rig.Store, whole.Id, whole.Kind, default);
        Assert.Empty(rig.Files);
    }

    async Task<byte[]> Content(BackupManifest manifest)
    {
        using var content = new MemoryStream();
        await rig.Reader.Read(manifest, rig.Key, (from, ct) => from.CopyToAsync(content, ct), BackupRig.Ignored, default);
        return content.ToArray();
    }

    /// <summary>Both ways of reading refuse it, and nobody gets to see a byte.</summary>
    async Task<string> Refusal(BackupManifest manifest)
    {
        var seen = false;
        var read = await Assert.ThrowsAsync<BackupFailedException>(() => rig.Reader.Read(manifest, rig.Key, (_, _) => { seen = true; return Task.CompletedTask; }, BackupRig.Ignored, default));
        var check = await Assert.ThrowsAsync<BackupFailedException>(() => rig.Reader.CheckStored(manifest, rig.Key, BackupRig.Ignored, default));
        Assert.False(seen);
        Assert.Equal((BackupFailure.Damaged, check.Message), (read.Kind, read.Message));
        return read.Message;
    }

    async Task<string> ManifestRefusal(BackupId id) => (await Assert.ThrowsAsync<BackupFailedException>(() => rig.Reader.Manifest(id, rig.Key, default))).Message;
}
