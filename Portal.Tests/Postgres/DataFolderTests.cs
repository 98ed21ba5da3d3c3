using Microsoft.Extensions.Logging.Abstractions;
using Portal.Infrastructure;
using Portal.Infrastructure.Postgres;
using Portal.Tests.Support;

namespace Portal.Tests.Postgres;

public sealed class DataFolderTests : IDisposable
{
    const UnixFileMode Closed = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    readonly ScratchFolder scratch = new();

    public void Dispose() => scratch.Dispose();

    [Fact]
    public void Only_one_portal_works_on_a_folder_and_the_second_names_the_first()
    {
        using var first = new DataFolder(scratch.Path);
        first.Claim();
        using var second = new DataFolder(scratch.Path);
        var refused = Assert.Throws<FolderInUseException>(second.Claim);
        Assert.Contains($"in use by another portal (process {Environment.ProcessId})", refused.Message, StringComparison.Ordinal);
        first.Dispose();
        second.Claim();
    }

    [Fact]
    public void A_folder_that_held_other_things_keeps_the_rights_that_it_had()
    {
        Directory.CreateDirectory(scratch.Path, Closed);
        File.WriteAllText(scratch["letter.txt"], "mine");
        using var folder = new DataFolder(scratch.Path);
        folder.Claim();
        Assert.Equal(Closed, File.GetUnixFileMode(scratch.Path));
    }

    [Fact]
    public void A_file_in_the_place_of_the_folder_is_said()
    {
        File.WriteAllText(scratch.Path, "");
        try
        {
            using var folder = new DataFolder(scratch.Path);
            var refused = Assert.Throws<CannotStartException>(folder.Claim);
            Assert.Contains("Data:Path", refused.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(scratch.Path);
        }
    }

    [FactAsRoot]
    public async Task Below_a_closed_folder_the_cluster_is_kept_elsewhere_and_linked()
    {
        var account = ServerAccount.Find();
        Directory.CreateDirectory(scratch.Path, Closed);
        using var folder = new DataFolder(scratch["data"]);
        folder.Claim();
        var elsewhere = scratch["elsewhere"];
        var place = await ClusterPlace.Choose(folder, account, NullLogger.Instance, TimeProvider.System, default, elsewhere);
        Assert.StartsWith(elsewhere, place.Folder, StringComparison.Ordinal);
        Directory.CreateDirectory(place.Folder);
        place.MakeLink();
        Assert.Equal(place.Folder, new DirectoryInfo(Path.Combine(folder.Root, "postgres")).LinkTarget);

        var again = await ClusterPlace.Choose(folder, account, NullLogger.Instance, TimeProvider.System, default, elsewhere);
        Assert.Equal(new ClusterPlace(place.Folder, null), again);
        Directory.Delete(place.Folder);
        var gone = await Assert.ThrowsAsync<CannotStartException>(() => ClusterPlace.Choose(folder, account, NullLogger.Instance, TimeProvider.System, default, elsewhere));
        Assert.Contains("which is gone", gone.Message, StringComparison.Ordinal);
    }

    [FactAsRoot]
    public async Task What_a_removed_data_folder_left_elsewhere_is_set_aside_and_not_used()
    {
        var account = ServerAccount.Find();
        Directory.CreateDirectory(scratch.Path, Closed);
        using var folder = new DataFolder(scratch["data"]);
        folder.Claim();
        var elsewhere = scratch["elsewhere"];
        Directory.CreateDirectory(Path.Combine(elsewhere, folder.Hash, "base"));
        var place = await ClusterPlace.Choose(folder, account, NullLogger.Instance, TimeProvider.System, default, elsewhere);
        Assert.False(Directory.Exists(place.Folder));
        Assert.Single(Directory.GetDirectories(elsewhere, $"{folder.Hash}.left-*"));
    }
}
