using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;
using Portal.Features.Access;

namespace Portal.Api;

/// <summary>How often <c>/api/v1</c> may be called: per address, and per key. Published pages and <c>/api/v2</c> are never limited.</summary>
/// <param name="PerKey">Requests a minute that a key may sustain; a quarter of it at once.</param>
/// <param name="PerAddress">Requests a minute that a network address may sustain, whatever keys it shows.</param>
public sealed record RateLimits(int PerKey, int PerAddress)
{
    public PartitionedRateLimiter<HttpContext> Limiter() => PartitionedRateLimiter.CreateChained(
        PartitionedRateLimiter.Create<HttpContext, string>(http =>
            IsLimited(http) ? Bucket(Visitor.Of(http).Network, PerAddress) : RateLimitPartition.GetNoLimiter("")),
        PartitionedRateLimiter.Create<HttpContext, string>(http =>
            IsLimited(http) && http.Request.Headers.Authorization.ToString() is { Length: > 0 } key
                ? Bucket(Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(key))), PerKey) : RateLimitPartition.GetNoLimiter("")));

    public static async ValueTask Refuse(HttpContext http, RateLimitLease lease, CancellationToken ct)
    {
        TellWait(http, lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? after : TimeSpan.FromSeconds(1));
        await Problem.Of(429).Write(http);
    }

    public static void TellWait(HttpContext http, TimeSpan wait) =>
        http.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);

    /// <summary>Hooks come from few addresses, all at once when something breaks: there the bound is the service's.</summary>
    static bool IsLimited(HttpContext http) => http.Request.Path.StartsWithSegments("/api/v1") && !http.Request.Path.StartsWithSegments("/api/v1/hooks");

    static RateLimitPartition<string> Bucket(string name, int perMinute) => RateLimitPartition.GetTokenBucketLimiter(name, _ => new TokenBucketRateLimiterOptions
    {
        TokenLimit = Math.Max(1, perMinute / 4),
        TokensPerPeriod = Math.Max(1, perMinute / 60),
        ReplenishmentPeriod = TimeSpan.FromSeconds(perMinute >= 60 ? 1 : 60.0 / Math.Max(1, perMinute)),
        QueueLimit = 0,
    });
}
