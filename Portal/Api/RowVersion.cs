using System.Globalization;
using Portal.Domain.Shared;

namespace Portal.Api;

/// <summary>Optimistic concurrency of <c>/api/v1</c>: the version that the caller saw, from the body's <c>version</c> or from <c>If-Match</c>.</summary>
public static class RowVersion
{
    /// <returns>Null when the caller named none and so takes what stands.</returns>
    /// <exception cref="DomainException">The header is not one that the API gave, or it differs from the body.</exception>
    public static uint? Expected(HttpContext http, uint? fromBody)
    {
        var header = http.Request.Headers.IfMatch.ToString().Trim();
        if (header.Length == 0 || header == "*") return fromBody;
        if (!uint.TryParse(header.Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var version))
            throw new DomainException("If-Match must be the ETag of an earlier answer, unchanged.", "version");
        if (fromBody is { } other && other != version) throw new DomainException("If-Match and the version in the body differ: send one of them.", "version");
        return version;
    }

    /// <summary>Tells the caller which version this answer shows.</summary>
    public static void Tell(HttpContext http, uint version) => http.Response.Headers.ETag = $"\"{version.ToString(CultureInfo.InvariantCulture)}\"";
}
