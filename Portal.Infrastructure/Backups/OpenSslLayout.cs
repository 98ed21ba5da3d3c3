using System.Security.Cryptography;
using System.Text;
using Portal.Domain.Backups;

namespace Portal.Infrastructure.Backups;

/// <summary>Encryption that <c>openssl enc -aes-256-cbc -pbkdf2 -md sha256 -salt</c> writes and reads: "Salted__", eight bytes of salt, AES-256-CBC with PKCS#7 padding; key and first block by PBKDF2.</summary>
/// <remarks>CBC says nothing of changes: whoever reads must have checked an HMAC of the whole before.</remarks>
public static class OpenSslLayout
{
    /// <summary>Rounds for a data key, which is random already, and for a passphrase that a person chose.</summary>
    public const int ForKeys = 10_000, ForPassphrases = 600_000;

    const int SaltLength = 8, KeyLength = 32, BlockLength = 16;
    static readonly byte[] Magic = "Salted__"u8.ToArray();

    /// <summary>Everything that is written to the answer arrives encrypted in <paramref name="to"/>, which stays open. <see cref="CryptoStream.FlushFinalBlockAsync"/> ends it.</summary>
    public static async Task<CryptoStream> Write(Stream to, string passphrase, int rounds, CancellationToken ct)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltLength);
        await to.WriteAsync(Magic, ct);
        await to.WriteAsync(salt, ct);
        using var aes = Cipher(passphrase, salt, rounds);
        return new CryptoStream(to, aes.CreateEncryptor(), CryptoStreamMode.Write, leaveOpen: true);
    }

    /// <summary>The decrypted bytes of <paramref name="from"/>, which stays open.</summary>
    /// <exception cref="BackupFailedException">It does not begin as such a file does.</exception>
    public static async Task<Stream> Read(Stream from, string passphrase, int rounds, CancellationToken ct)
    {
        var head = new byte[Magic.Length + SaltLength];
        if (await from.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, ct) < head.Length || !head.AsSpan().StartsWith(Magic))
            throw new BackupFailedException(BackupFailure.Damaged, "This is not an encrypted file of openssl's layout: it does not begin with \"Salted__\" and a salt.");
        using var aes = Cipher(passphrase, head[Magic.Length..], rounds);
        return new Decrypting(new CryptoStream(from, aes.CreateDecryptor(), CryptoStreamMode.Read, leaveOpen: true));
    }

    static Aes Cipher(string passphrase, byte[] salt, int rounds)
    {
        var derived = Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(passphrase), salt, rounds, HashAlgorithmName.SHA256, KeyLength + BlockLength);
        var aes = Aes.Create();
        aes.Mode = CipherMode.CBC;
        aes.Padding = PaddingMode.PKCS7;
        aes.Key = derived[..KeyLength];
        aes.IV = derived[KeyLength..];
        CryptographicOperations.ZeroMemory(derived);
        return aes;
    }

    /// <summary>Says in words what a wrong key, a cut end or changed bytes look like from here.</summary>
    sealed class Decrypting(CryptoStream inner) : ReadingStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                return await inner.ReadAsync(buffer, cancellationToken);
            }
            catch (CryptographicException e)
            {
                throw new BackupFailedException(BackupFailure.Damaged, "It cannot be decrypted: the key or passphrase is another one, or bytes are missing or changed.", e);
            }
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing) inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
