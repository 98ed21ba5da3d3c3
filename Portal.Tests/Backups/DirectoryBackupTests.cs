using System.Text;
using Portal.Domain.Backups;
using Portal.Infrastructure.Backups;

namespace Portal.Tests.Backups;

public sealed class DirectoryBackupTests : IDisposable
{
    readonly BackupRig rig = new();

    public DirectoryBackupTests()
    {
        Directory.CreateDirectory(rig["from/inner/empty"]);
        File.WriteAllText(rig["from/a \"name\" with\nlines"], "first");
        File.WriteAllBytes(rig["from/inner/large"], new byte[3_000_000]);
        File.SetUnixFileMode(rig["from/inner/large"], UnixFileMode.UserRead);
        File.CreateSymbolicLink(rig["from/link"], "/nowhere/at/all");
    }

    public void Dispose() => rig.Dispose();

    [Fact]
    public async Task A_directory_comes_back_with_links_modes_and_odd_names_and_its_pipes_are_left_out()
    {
        await Shell.Works("mkfifo from/pipe", rig["."]);
        var manifest = await rig.Write(new DirectorySource(rig["from"]));
        Assert.Equal((ContentKind.Directory, new DirectoryContents(2, 3_000_005)), (manifest.Kind, manifest.Directory));
        await ArchiveCheck.Run(rig.Reader, manifest, rig.Key, await PostgresTools.Find(default), BackupRig.Ignored, default);
        var comparison = await new DirectoryRestore(rig.Reader).Into(manifest, rig.Key, rig["to"], BackupRig.Ignored, default);
        Assert.True(comparison.IsEqual, string.Join('\n', comparison.Differences));
        Assert.Equal("first", await File.ReadAllTextAsync(rig["to/a \"name\" with\nlines"]));
        Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(rig["to/inner/large"]));
        Assert.Equal("/nowhere/at/all", new FileInfo(rig["to/link"]).LinkTarget);
        Assert.True(Directory.Exists(rig["to/inner/empty"]));
        Assert.False(File.Exists(rig["to/pipe"]));
    }

    [Fact]
    public async Task A_directory_that_is_not_there_or_changes_while_it_is_read_is_no_backup()
    {
        Assert.Contains("does not exist", (await Assert.ThrowsAsync<BackupFailedException>(() => rig.Write(new DirectorySource(rig["nothing"])))).Message, StringComparison.Ordinal);
        var first = 0;
        var changed = await Assert.ThrowsAsync<BackupFailedException>(() => new ArtifactWriter(rig.Clock).Write(rig.Order(), new DirectorySource(rig["from"]), rig.Store, p =>
        {
            if (p.Content < 1_000_000 || Interlocked.Exchange(ref first, 1) == 1) return;
            File.SetUnixFileMode(rig["from/inner/large"], UnixFileMode.UserRead | UnixFileMode.UserWrite);
            File.AppendAllText(rig["from/inner/large"], "more");
        }, default));
        Assert.Equal(BackupFailure.Passing, changed.Kind);
        Assert.Contains("was changed while it was read", changed.Message, StringComparison.Ordinal);
        Assert.Empty(rig.Files);
    }

    [Fact]
    public async Task A_restore_never_writes_over_what_exists_and_leaves_nothing_when_it_fails()
    {
        var manifest = await rig.Write(new DirectorySource(rig["from"]));
        var restore = new DirectoryRestore(rig.Reader);
        var exists = await Assert.ThrowsAsync<BackupFailedException>(() => restore.Into(manifest, rig.Key, rig["from"], BackupRig.Ignored, default));
        Assert.Contains("holds something already", exists.Message, StringComparison.Ordinal);
        var other = await rig.Write(new GivenBytes(Encoding.UTF8.GetString(new byte[512]).Replace('\0', 'x')));
        await Assert.ThrowsAsync<BackupFailedException>(() => restore.Into(other, rig.Key, rig["to"], BackupRig.Ignored, default));
        Assert.False(Directory.Exists(rig["to"]));
        Assert.True(Directory.Exists(rig["from/inner"]));
    }
}
