using Microsoft.EntityFrameworkCore;
using Portal.Domain.Monitoring;
using Portal.Infrastructure.Persistence;
using Portal.Public;

namespace Portal.Features.StatusPages;

/// <summary>How long good answers took in the last 24 hours: the median of each ten minutes, so that one slow answer does not bend the curve.</summary>
static class ResponseTimes
{
    public static readonly TimeSpan Step = TimeSpan.FromMinutes(10);
    public const int Steps = 144;

    sealed record Row(Guid MonitorId, DateTime At, double Milliseconds);

    /// <param name="to">A full minute, so that all nodes look at the same checks.</param>
    public static async Task<IReadOnlyList<ResponseTimeSeries>> Load(PortalDbContext db, IReadOnlyList<Watch> monitors, DateTimeOffset to, CancellationToken ct)
    {
        if (monitors.Count == 0) return [];
        var last = to.AddTicks(-(to.UtcTicks % Step.Ticks));
        var from = last - Step * (Steps - 1);
        var ids = monitors.Select(m => m.Monitor.Id.Value).ToArray();
        var good = (short)CheckOutcome.Up;
        var rows = await db.Database.SqlQuery<Row>($"""
            select monitor_id as "MonitorId", date_bin('10 minutes', at, timestamptz '2000-01-01 00:00:00+00') at time zone 'UTC' as "At", percentile_cont(0.5) within group (order by milliseconds) as "Milliseconds"
            from check_results where monitor_id = any({ids}) and at >= {from.UtcDateTime} and at < {to.UtcDateTime} and outcome = {good} group by 1, 2
            """).ToListAsync(ct);
        var byMonitor = rows.ToLookup(r => r.MonitorId);
        return [.. monitors.Select(m => Series(m, byMonitor[m.Monitor.Id.Value], from))];
    }

    static ResponseTimeSeries Series(Watch watch, IEnumerable<Row> rows, DateTimeOffset from)
    {
        var steps = new double?[Steps];
        foreach (var row in rows)
            steps[(int)((new DateTimeOffset(row.At, TimeSpan.Zero) - from) / Step)] = Math.Round(row.Milliseconds, 1);
        return new ResponseTimeSeries(watch.Monitor.Id, watch.Monitor.PublicChart!, watch.Monitor.ComponentId, from, Step, steps);
    }
}
