using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;

namespace Portal.Features.Access;

/// <summary>Secrets that are shown once: 256 random bits as 43 characters, of which only the SHA-256 is kept.</summary>
public static class Secret
{
    public const string ApiKeyPrefix = "portal_";

    public static string New() => WebEncoders.Base64UrlEncode(RandomNumberGenerator.GetBytes(32));

    public static string NewApiKey() => ApiKeyPrefix + New();

    public static byte[] HashOf(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    /// <summary>By which people recognise a key: too little to be of use to anybody else.</summary>
    public static string StartOf(string apiKey) =>
        apiKey[..(apiKey.StartsWith(ApiKeyPrefix, StringComparison.Ordinal) ? ApiKeyPrefix.Length + 4 : 4)] + "…";
}
