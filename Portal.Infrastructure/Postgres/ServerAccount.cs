namespace Portal.Infrastructure.Postgres;

/// <summary>Whom PostgreSQL runs as: it refuses to run as root, so root runs it as the user that its package made.</summary>
/// <param name="Name">Null: as ourselves.</param>
/// <param name="Group">Null: of the same name.</param>
public sealed record ServerAccount(string? Name, string? Group = null)
{
    string? GroupName => Group ?? Name;

    /// <exception cref="CannotStartException">We are root and the package's user does not exist.</exception>
    public static ServerAccount Find()
    {
        if (!Environment.IsPrivilegedProcess) return new ServerAccount((string?)null);
        var exists = File.ReadLines("/etc/passwd").Any(l => l.StartsWith("postgres:", StringComparison.Ordinal));
        return exists ? new ServerAccount("postgres") : throw new CannotStartException("The user postgres does not exist: install the package postgresql.");
    }

    /// <summary>For a server that runs what others wrote: as root, by a user to whom nothing belongs, least of all the portal's own cluster.</summary>
    public static ServerAccount OfStrangers() => Environment.IsPrivilegedProcess ? new ServerAccount("nobody", "nogroup") : Find();

    /// <summary>Programs by their absolute paths, so that it may be run from any folder.</summary>
    public IReadOnlyList<string> Command(string program, params IEnumerable<string> arguments) =>
        Name is null ? [Programs.Find(program), .. arguments] : [Programs.Find("setpriv"), $"--reuid={Name}", $"--regid={GroupName}", "--clear-groups", Programs.Find(program), .. arguments];

    /// <summary>A folder that only this account can enter.</summary>
    public async Task MakeFolder(string path, CancellationToken ct)
    {
        string[] owner = Name is null ? [] : ["-o", Name, "-g", GroupName!];
        var made = await Programs.Run(["install", "-d", "-m", "0700", .. owner, path], ct);
        if (!made.Ok) throw new CannotStartException($"The folder {path} cannot be made: {made.Words}");
    }

    /// <summary>A file that only this account can read.</summary>
    public async Task WriteFile(string path, string text, CancellationToken ct)
    {
        PrivateFile.Write(path, text);
        if (Name is not null) await Programs.Run(["chown", $"{Name}:{GroupName}", path], ct);
    }

    public async Task<bool> CanEnter(string folder, CancellationToken ct) =>
        (await Programs.Run(Command("test", "-x", folder), ct)).Ok;
}

/// <summary>Files that hold something secret: 0600 from the first byte on.</summary>
public static class PrivateFile
{
    public const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    public const UnixFileMode FolderMode = Mode | UnixFileMode.UserExecute;

    public static void Write(string path, string text) => Write(path, System.Text.Encoding.UTF8.GetBytes(text));

    /// <summary>Whole or not at all.</summary>
    public static void Write(string path, byte[] content)
    {
        var fresh = path + ".new";
        File.Delete(fresh);
        using (var file = new FileStream(fresh, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Mode }))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }
        File.Move(fresh, path, overwrite: true);
    }
}
