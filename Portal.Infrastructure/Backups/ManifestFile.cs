using System.Security.Cryptography;
using System.Text;
using Portal.Domain.Backups;

namespace Portal.Infrastructure.Backups;

/// <summary>A manifest as it lies in a store: its canonical bytes, whose last member is their own HMAC.</summary>
/// <remarks>The HMAC is cut off and checked as text, before anything is read from the rest; so does the runbook with sed and openssl.</remarks>
public static class ManifestFile
{
    /// <summary>Far above what any database's manifest has: ten thousand tables take some 2 MB.</summary>
    public const int LargestBytes = 64 << 20;

    const int MacLength = 64;
    static readonly byte[] Before = ",\"mac\":\""u8.ToArray(), After = "\"}\n"u8.ToArray();

    public static byte[] Write(BackupManifest manifest, DataKey key)
    {
        var canonical = manifest.CanonicalBytes();
        return [.. canonical[..^1], .. Before, .. Encoding.ASCII.GetBytes(key.Mac(canonical)), .. After];
    }

    /// <summary>What it says, checked.</summary>
    /// <exception cref="BackupFailedException">It is not whole, was changed, or was written under another key.</exception>
    public static BackupManifest Read(ReadOnlySpan<byte> file, DataKey key)
    {
        var (canonical, mac) = Parts(file);
        if (!CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(key.Mac(canonical)), mac))
            throw new BackupFailedException(BackupFailure.Damaged, $"The manifest was changed, or was written under another key than {key.Id}: its HMAC does not fit.");
        return BackupManifest.Read(canonical);
    }

    /// <summary>What it claims, before its key is known: enough to find that key, nothing to rely on.</summary>
    /// <exception cref="BackupFailedException">It is not whole.</exception>
    public static BackupManifest ReadUnchecked(ReadOnlySpan<byte> file) => BackupManifest.Read(Parts(file).Canonical);

    static (byte[] Canonical, byte[] Mac) Parts(ReadOnlySpan<byte> file)
    {
        var tail = Before.Length + MacLength + After.Length;
        if (file.Length <= tail || !file.EndsWith(After) || !file[^tail..].StartsWith(Before))
            throw new BackupFailedException(BackupFailure.Damaged, "The manifest is not whole: it does not end with its HMAC.");
        return ([.. file[..^tail], (byte)'}'], file[^(MacLength + After.Length)..^After.Length].ToArray());
    }
}
