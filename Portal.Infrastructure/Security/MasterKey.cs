using System.Security.Cryptography;
using Portal.Infrastructure.Postgres;

namespace Portal.Infrastructure.Security;

/// <summary>The key that wraps every other secret; all nodes share it. 32 random bytes in a file that only the portal can read.</summary>
public sealed class MasterKey(string file)
{
    public const int Length = 32;
    byte[]? bytes;

    public string File { get; } = Path.GetFullPath(file);

    public bool IsLoaded => bytes is not null;

    /// <exception cref="MasterKeyAwayException">The supervised start has not read it yet.</exception>
    public ReadOnlySpan<byte> Bytes => bytes ?? throw new MasterKeyAwayException();

    public bool FileExists => System.IO.File.Exists(File);

    /// <exception cref="CannotStartException">The file cannot be read or does not hold a key.</exception>
    public void Load()
    {
        try
        {
            var read = System.IO.File.ReadAllBytes(File);
            bytes = read.Length == Length ? read
                : throw new CannotStartException($"The master key file {File} has {read.Length} bytes instead of {Length}: restore it from a backup (Security:MasterKeyFile).");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CannotStartException($"The master key file {File} cannot be read: {e.Message} (Security:MasterKeyFile)");
        }
    }

    public void Create()
    {
        try
        {
            if (Path.GetDirectoryName(File) is { Length: > 0 } folder && !Directory.Exists(folder)) Directory.CreateDirectory(folder, PrivateFile.FolderMode);
            PrivateFile.Write(File, RandomNumberGenerator.GetBytes(Length));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CannotStartException($"The master key file {File} cannot be made: {e.Message} (Security:MasterKeyFile)");
        }
        Load();
    }
}

/// <summary>Something secret was asked for before the supervised start had read the master key.</summary>
public sealed class MasterKeyAwayException() : Exception("The master key has not been read yet.");
