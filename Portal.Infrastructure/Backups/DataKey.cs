using System.Security.Cryptography;
using System.Text;
using Portal.Domain.Backups;
using Portal.Domain.Shared;

namespace Portal.Infrastructure.Backups;

/// <summary>The key of a store: 32 random bytes, whose 64 hex digits are the passphrase of its artifacts. It lies in the store itself, wrapped by the passphrase that the administrator keeps.</summary>
public sealed class DataKey
{
    public const int Length = 32, ShortestPassphrase = 16;
    const int LineLength = 64;
    readonly byte[] bytes;

    DataKey(BackupKeyId id, byte[] bytes) => (Id, this.bytes) = (id, bytes);

    public BackupKeyId Id { get; }

    /// <summary>As openssl is given it. A secret.</summary>
    public string Hex => Convert.ToHexStringLower(bytes);

    public static DataKey Make(BackupKeyId id) => new(id, RandomNumberGenerator.GetBytes(Length));

    /// <summary>From where the portal keeps it, sealed.</summary>
    /// <exception cref="BackupFailedException">It is not 64 hex digits.</exception>
    public static DataKey From(BackupKeyId id, string hex) =>
        Bytes(hex) is { } key ? new(id, key) : throw new BackupFailedException(BackupFailure.Refused, $"The key {id} is not {Length * 2} hex digits.");

    /// <summary>The text of <c>keys/ID.key</c>.</summary>
    public Task<string> Wrap(string passphrase, CancellationToken ct) => Wrap(Encoding.ASCII.GetBytes(Hex), passphrase, ct);

    /// <exception cref="BackupFailedException">Another passphrase, or the text is damaged.</exception>
    public static async Task<DataKey> Unwrap(BackupKeyId id, string wrapped, string passphrase, CancellationToken ct)
    {
        var secret = await Unwrap(wrapped, passphrase, ct);
        return Bytes(Encoding.ASCII.GetString(secret)) is { } key ? new DataKey(id, key) : throw DoesNotOpen();
    }

    /// <summary>Any small secret under the escrow passphrase: base64 in lines of 64, as <c>openssl enc -a</c> writes it with 600,000 rounds.</summary>
    /// <exception cref="DomainException">The passphrase is too short to rely on, or openssl could not be given it.</exception>
    public static async Task<string> Wrap(ReadOnlyMemory<byte> secret, string passphrase, CancellationToken ct)
    {
        CheckPassphrase(passphrase);
        using var sealedBytes = new MemoryStream();
        await using (var writing = await OpenSslLayout.Write(sealedBytes, passphrase, OpenSslLayout.ForPassphrases, ct))
        {
            await writing.WriteAsync(secret, ct);
            await writing.FlushFinalBlockAsync(ct);
        }
        return string.Concat(Convert.ToBase64String(sealedBytes.ToArray()).Chunk(LineLength).Select(line => $"{new string(line)}\n"));
    }

    /// <exception cref="BackupFailedException">Another passphrase, or the text is damaged.</exception>
    public static async Task<byte[]> Unwrap(string wrapped, string passphrase, CancellationToken ct)
    {
        try
        {
            using var from = new MemoryStream(Convert.FromBase64String(wrapped));
            await using var reading = await OpenSslLayout.Read(from, passphrase, OpenSslLayout.ForPassphrases, ct);
            using var secret = new MemoryStream();
            await reading.CopyToAsync(secret, ct);
            return secret.ToArray();
        }
        catch (Exception e) when (e is FormatException or BackupFailedException)
        {
            throw DoesNotOpen(e);
        }
    }

    /// <exception cref="DomainException">Too short to rely on, or of more than one line.</exception>
    public static void CheckPassphrase(string passphrase)
    {
        if (passphrase.Any(char.IsControl)) throw new DomainException("The passphrase must be one line without control characters.", "passphrase");
        if (passphrase.Length < ShortestPassphrase)
            throw new DomainException($"The passphrase has {passphrase.Length} characters; it needs at least {ShortestPassphrase}, because whoever copies the store can try passphrases at leisure.", "passphrase");
    }

    /// <summary>Over an artifact or a manifest: HMAC-SHA256 under HMAC-SHA256(data key, "portal-mac").</summary>
    public IncrementalHash BeginMac() => IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, HMACSHA256.HashData(bytes, "portal-mac"u8));

    /// <summary>Over the backup's id and what lies under it, so that one artifact cannot stand in for another.</summary>
    public IncrementalHash BeginMac(BackupId of)
    {
        var mac = BeginMac();
        mac.AppendData(Encoding.ASCII.GetBytes(of.ToString()));
        return mac;
    }

    /// <summary>64 lower-case hex digits.</summary>
    public string Mac(ReadOnlySpan<byte> data)
    {
        using var mac = BeginMac();
        mac.AppendData(data);
        return Convert.ToHexStringLower(mac.GetHashAndReset());
    }

    static byte[]? Bytes(string hex)
    {
        var text = hex.Trim();
        return text.Length == Length * 2 && text.All(char.IsAsciiHexDigit) ? Convert.FromHexString(text) : null;
    }

    static BackupFailedException DoesNotOpen(Exception? inner = null) =>
        new(BackupFailure.Refused, "The passphrase does not open this key: it is another one, or the key file was changed or cut. Compare it with the recovery sheet.", inner);
}
