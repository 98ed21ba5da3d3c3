using Microsoft.Extensions.Logging.Abstractions;
using Portal.Infrastructure;
using Portal.Infrastructure.Postgres;
using Portal.Tests.Support;

namespace Portal.Tests.Postgres;

public sealed class SocketFolderTests : IDisposable
{
    readonly ScratchFolder scratch = new();

    public SocketFolderTests() => Directory.CreateDirectory(scratch.Path, PrivateFile.FolderMode);

    public void Dispose() => scratch.Dispose();

    static Task Secure(string root) => SocketFolder.Secure(root, PrivateFile.FolderMode, default);

    static async Task Refused(string root)
    {
        var refused = await Assert.ThrowsAsync<CannotStartException>(() => Secure(root));
        Assert.StartsWith($"The folder {root} for PostgreSQL's sockets is a link, belongs to another user or can be written to by others", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_place_that_is_ours_is_made_or_closed_to_others()
    {
        await Secure(scratch["made"]);
        Assert.Equal(PrivateFile.FolderMode, File.GetUnixFileMode(scratch["made"]));
        await Secure(scratch["made"]);
        File.SetUnixFileMode(scratch["made"], PrivateFile.FolderMode | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        await Secure(scratch["made"]);
        Assert.Equal(PrivateFile.FolderMode, File.GetUnixFileMode(scratch["made"]));
    }

    [Fact]
    public async Task A_place_that_others_can_write_to_or_that_is_a_link_or_a_file_is_not_used()
    {
        Directory.CreateDirectory(scratch["real"], PrivateFile.FolderMode);
        Directory.CreateSymbolicLink(scratch["link"], scratch["real"]);
        await Refused(scratch["link"]);
        await File.WriteAllTextAsync(scratch["file"], "");
        await Refused(scratch["file"]);
        await Secure(scratch["real"]);
        File.SetUnixFileMode(scratch["real"], PrivateFile.FolderMode | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute);
        await Refused(scratch["real"]);
        Directory.CreateSymbolicLink(scratch["nowhere"], scratch["gone"]);
        await Assert.ThrowsAsync<CannotStartException>(() => Secure(scratch["nowhere"]));
        Assert.False(Directory.Exists(scratch["gone"]));
    }

    [FactAsRoot]
    public async Task A_place_of_another_user_is_not_used()
    {
        await Secure(scratch["theirs"]);
        Assert.True((await Programs.Run(["chown", "nobody", scratch["theirs"]], default)).Ok);
        await Refused(scratch["theirs"]);
    }

    [Fact]
    public async Task What_killed_servers_left_is_swept_and_nothing_else()
    {
        const string Left = "00000000000000a1", Young = "00000000000000a2", Holding = "00000000000000a3", Linked = "00000000000000a4";
        foreach (var name in (string[])[Left, Young, Holding, "somebody-elses", "0000000000000000a5"])
        {
            Directory.CreateDirectory(scratch[name]);
            await File.WriteAllTextAsync(scratch[name, ".s.PGSQL.5432.lock"], "4194305\n");
        }
        await File.WriteAllTextAsync(scratch[Holding, "letter.txt"], "mine");
        Directory.CreateSymbolicLink(scratch[Linked], scratch["somebody-elses"]);
        foreach (var name in Directory.GetDirectories(scratch.Path).Where(d => Path.GetFileName(d) != Young))
            Directory.SetLastWriteTimeUtc(name, TimeProvider.System.GetUtcNow().AddMinutes(-11).UtcDateTime);

        SocketFolder.Sweep(scratch.Path, TimeProvider.System, NullLogger.Instance);
        Assert.False(Directory.Exists(scratch[Left]));
        Assert.True(File.Exists(scratch[Holding, "letter.txt"]));
        Assert.All((string[])[Young, "somebody-elses", "0000000000000000a5", Linked], name => Assert.True(File.Exists(scratch[name, ".s.PGSQL.5432.lock"])));
    }

    [Fact]
    public void A_program_is_found_in_the_absolute_folders_of_PATH_only()
    {
        foreach (var folder in (string[])["closed", "open"]) File.WriteAllText(Path.Combine(Directory.CreateDirectory(scratch[folder]).FullName, "tool"), "");
        File.SetUnixFileMode(scratch["open", "tool"], PrivateFile.FolderMode);
        Assert.Equal(scratch["open", "tool"], Programs.Find("tool", $".::{scratch["closed"]}:{scratch["open"]}"));
        Assert.Equal("/nowhere/tool", Programs.Find("/nowhere/tool", ""));
        var relative = Path.GetRelativePath(Environment.CurrentDirectory, scratch["open"]);
        Assert.Contains("The program tool is in none", Assert.Throws<CannotStartException>(() => Programs.Find("tool", relative)).Message, StringComparison.Ordinal);
    }
}
