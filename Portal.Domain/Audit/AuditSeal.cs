using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Portal.Domain.Audit;

/// <summary>What binds a row of the audit log to all rows before it: SHA-256 of the seal before and of the row's own bytes.</summary>
/// <remarks>
/// The bytes of a row are its fields one after the other, each as its length in bytes of UTF-8, a colon, the text and a comma; a field that is not there is a hyphen and a comma.
/// So no two rows have the same bytes, and stock tools can make them. The first field is the row's place in the chain.
/// </remarks>
public static class AuditSeal
{
    /// <summary>What stands before the first row: 32 bytes of zero.</summary>
    public static byte[] Beginning => new byte[SHA256.HashSizeInBytes];

    /// <param name="previous">The seal of the row before, or <see cref="Beginning"/>.</param>
    /// <param name="position">The row's place in the chain, from 1.</param>
    /// <param name="fields">As the database holds them, in their fixed order.</param>
    public static byte[] Of(ReadOnlySpan<byte> previous, long position, IEnumerable<string?> fields)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(previous);
        Append(hash, position.ToString(CultureInfo.InvariantCulture));
        foreach (var field in fields) Append(hash, field);
        return hash.GetHashAndReset();
    }

    static void Append(IncrementalHash hash, string? field)
    {
        if (field is null)
        {
            hash.AppendData("-,"u8);
            return;
        }
        var bytes = Encoding.UTF8.GetBytes(field);
        hash.AppendData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{bytes.Length}:")));
        hash.AppendData(bytes);
        hash.AppendData(","u8);
    }
}
