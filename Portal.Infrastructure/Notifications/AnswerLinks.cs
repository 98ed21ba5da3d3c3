using System.Buffers.Text;
using System.Security.Cryptography;
using Portal.Domain.Notifications;
using Portal.Infrastructure.Security;

namespace Portal.Infrastructure.Notifications;

/// <summary>The link in a page by which whoever got it answers without signing in: for this alert and this person, since each delivery has its own.</summary>
/// <remarks>
/// The token is the delivery's id and 128 bits of a MAC over it under the master key: nothing is stored, and a message that is sent again bears the same link. How long it holds is
/// the business of whoever reads it: the delivery says when it was made.
/// </remarks>
public sealed class AnswerLinks(MasterKey key)
{
    const int IdLength = 16, MacLength = 16;
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    /// <summary>As a path of this portal.</summary>
    public string PathFor(DeliveryId delivery)
    {
        Span<byte> token = stackalloc byte[IdLength + MacLength];
        delivery.Value.TryWriteBytes(token);
        Mac(token[..IdLength]).CopyTo(token[IdLength..]);
        return $"/answer/{Base64Url.EncodeToString(token)}";
    }

    /// <returns>Null for what was not made by this portal.</returns>
    public DeliveryId? Read(string? token)
    {
        Span<byte> bytes = stackalloc byte[IdLength + MacLength];
        if (token is not { Length: 43 } || !Base64Url.IsValid(token) || !Base64Url.TryDecodeFromChars(token, bytes, out var length) || length != bytes.Length) return null;
        return CryptographicOperations.FixedTimeEquals(bytes[IdLength..], Mac(bytes[..IdLength])) ? new DeliveryId(new Guid(bytes[..IdLength])) : null;
    }

    ReadOnlySpan<byte> Mac(ReadOnlySpan<byte> id)
    {
        Span<byte> own = stackalloc byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, key.Bytes, own, [], "portal-answer-link"u8);
        return HMACSHA256.HashData(own, id).AsSpan(0, MacLength);
    }
}
