using System.Diagnostics.Metrics;

namespace Portal.Features.Health;

/// <summary>The portal's own numbers, shown at <c>/metrics</c>. A context adds its own with <c>figures.Meter.CreateCounter&lt;long&gt;("portal.checks", …)</c>.</summary>
public sealed class Figures(IMeterFactory meters)
{
    public const string MeterName = "Portal";

    public Meter Meter { get; } = meters.Create(MeterName);

    Counter<long>? publishedRequests, publishedBytes;

    /// <summary>One published answer left. Called for every one of them, so it must stay cheap.</summary>
    public void Published(int status, long bytes)
    {
        publishedRequests ??= Meter.CreateCounter<long>("portal.published.requests", description: "Published pages and documents that were answered.");
        publishedBytes ??= Meter.CreateCounter<long>("portal.published.bytes", "By", "Bytes of published pages and documents that were sent.");
        publishedRequests.Add(1, new KeyValuePair<string, object?>("status", StatusOf(status)));
        publishedBytes.Add(bytes);
    }

    static string StatusOf(int status) => status switch { 200 => "200", 304 => "304", 404 => "404", _ => "other" };
}
