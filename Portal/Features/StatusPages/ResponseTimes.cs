using Portal.Domain.Metrics;
using Portal.Infrastructure.Metrics;
using Portal.Infrastructure.Persistence;
using Portal.Public;

namespace Portal.Features.StatusPages;

/// <summary>How long good answers took in the last 24 hours: the median of each ten minutes, so that one slow answer does not bend the curve.</summary>
static class ResponseTimes
{
    public static readonly TimeSpan Step = TimeSpan.FromMinutes(10);
    public const int Steps = 144;

    /// <param name="to">A full minute, so that all nodes look at the same checks.</param>
    public static async Task<IReadOnlyList<ResponseTimeSeries>> Load(PortalDbContext db, IReadOnlyList<Watch> monitors, DateTimeOffset to, CancellationToken ct)
    {
        if (monitors.Count == 0) return [];
        var last = to.AddTicks(-(to.UtcTicks % Step.Ticks));
        var from = last - Step * (Steps - 1);
        var ids = monitors.Select(m => m.Id.Value);
        var found = await SeriesHistory.Load(db, ids, from, to, Step, ct);
        return [.. monitors.Select(m => Series(m, found[m.Id.Value], from))];
    }

    static ResponseTimeSeries Series(Watch watch, IEnumerable<Bucket> buckets, DateTimeOffset from)
    {
        var steps = new double?[Steps];
        foreach (var bucket in buckets)
            if (bucket.Percentile(0.5) is { } median) steps[(int)((bucket.At - from) / Step)] = Math.Round(median, median < 10 ? 1 : 0);
        return new ResponseTimeSeries(watch.Id, watch.PublicChart!, watch.Component, from, Step, steps);
    }
}
