using System.Security.Cryptography;
using System.Text;

namespace Portal.Infrastructure.Security;

/// <summary>Secrets as they are stored: AES-256-GCM under the master key, bound to the row that holds them.</summary>
/// <remarks>Layout: version (1 byte, 1) ‖ nonce (12) ‖ tag (16) ‖ ciphertext. The row's id is associated data: a value that was copied to another row does not open.</remarks>
public sealed class SecretBox(MasterKey key)
{
    const byte Version = 1;
    const int NonceLength = 12, TagLength = 16, Head = 1 + NonceLength + TagLength;

    public byte[] Seal(string secret, Guid row) => Seal(Encoding.UTF8.GetBytes(secret), row.ToString("N"));

    public string Open(byte[] stored, Guid row) => Encoding.UTF8.GetString(Open(stored, row.ToString("N")));

    public byte[] Seal(ReadOnlySpan<byte> secret, string row)
    {
        var stored = new byte[Head + secret.Length];
        stored[0] = Version;
        var nonce = stored.AsSpan(1, NonceLength);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key.Bytes, TagLength);
        aes.Encrypt(nonce, secret, stored.AsSpan(Head), stored.AsSpan(1 + NonceLength, TagLength), Encoding.UTF8.GetBytes(row));
        return stored;
    }

    /// <exception cref="CryptographicException">Another key, another row, or changed bytes.</exception>
    public byte[] Open(ReadOnlySpan<byte> stored, string row)
    {
        if (stored.Length < Head || stored[0] != Version) throw new CryptographicException("This is not a sealed secret of a known version.");
        var secret = new byte[stored.Length - Head];
        using var aes = new AesGcm(key.Bytes, TagLength);
        aes.Decrypt(stored.Slice(1, NonceLength), stored[Head..], stored.Slice(1 + NonceLength, TagLength), secret, Encoding.UTF8.GetBytes(row));
        return secret;
    }
}
