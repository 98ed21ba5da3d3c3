using System.Globalization;
using System.Net.Http.Headers;

namespace Portal.Infrastructure.Sentry;

/// <summary>For how long a server wants no errors.</summary>
static class RequestedPause
{
    static readonly TimeSpan Unsaid = TimeSpan.FromSeconds(60), Longest = TimeSpan.FromHours(1);

    /// <summary>Zero where it takes more.</summary>
    /// <remarks><c>X-Sentry-Rate-Limits: seconds:category;category:scope, …</c>, where no category means all; it counts on every answer. Without it a 429 has <c>Retry-After</c>.</remarks>
    public static TimeSpan In(HttpResponseHeaders headers, bool tooMany, DateTimeOffset now)
    {
        if (headers.TryGetValues("X-Sentry-Rate-Limits", out var limits))
            return limits.SelectMany(l => l.Split(',')).Select(Of).DefaultIfEmpty(TimeSpan.Zero).Max();
        if (!tooMany) return TimeSpan.Zero;
        var wait = headers.RetryAfter?.Delta ?? headers.RetryAfter?.Date - now ?? Unsaid;
        return wait < TimeSpan.Zero ? Unsaid : wait < Longest ? wait : Longest;
    }

    static TimeSpan Of(string limit)
    {
        var parts = limit.Trim().Split(':');
        if (!double.TryParse(parts[0], NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) || seconds <= 0) return TimeSpan.Zero;
        var categories = parts.Length > 1 ? parts[1].Split(';', StringSplitOptions.RemoveEmptyEntries) : [];
        if (categories.Length > 0 && !categories.Contains("error") && !categories.Contains("default")) return TimeSpan.Zero;
        return TimeSpan.FromSeconds(Math.Min(seconds, Longest.TotalSeconds));
    }
}
