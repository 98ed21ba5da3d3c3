using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Portal.Infrastructure.Notifications.Slack;

/// <summary>Whether a request comes from Slack and now: <c>v0=HMAC-SHA256(secret, "v0:time:body")</c>.</summary>
public static class SlackSignature
{
    public static readonly TimeSpan Latest = TimeSpan.FromMinutes(5);

    public static bool IsValid(string secret, string? timestamp, string? signature, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        if (!long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || seconds > 253_402_300_799 || signature is null) return false;
        // An old one is somebody who listened; one from the future would be good for too long.
        if ((now - DateTimeOffset.FromUnixTimeSeconds(seconds)).Duration() > Latest) return false;
        return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(Sign(secret, timestamp, body)), Encoding.UTF8.GetBytes(signature));
    }

    public static string Sign(string secret, string timestamp, ReadOnlySpan<byte> body) =>
        "v0=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), (byte[])[.. Encoding.UTF8.GetBytes($"v0:{timestamp}:"), .. body]));
}
