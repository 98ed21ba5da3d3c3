using Microsoft.EntityFrameworkCore;
using Portal.Domain.Metrics;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Infrastructure.Metrics;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Monitoring;

/// <summary>A span of time that ends now, and the steps that a chart of it is drawn in.</summary>
public sealed record ChartRange(string Name, string Words, TimeSpan Length, TimeSpan Step)
{
    public static readonly ChartRange Day = new("24h", "24 hours", TimeSpan.FromDays(1), TimeSpan.FromMinutes(5));
    public static readonly IReadOnlyList<ChartRange> All =
    [
        new("3h", "3 hours", TimeSpan.FromHours(3), TimeSpan.FromMinutes(1)),
        Day,
        new("7d", "7 days", TimeSpan.FromDays(7), TimeSpan.FromHours(1)),
        new("30d", "30 days", TimeSpan.FromDays(30), TimeSpan.FromHours(2)),
        new("90d", "90 days", TimeSpan.FromDays(90), TimeSpan.FromHours(6)),
        new("395d", "13 months", TimeSpan.FromDays(395), TimeSpan.FromDays(1)),
    ];

    public static ChartRange Named(string? name) => All.FirstOrDefault(r => r.Name == name) ?? Day;

    /// <summary>From a full step on, to the end of the one that runs.</summary>
    public Interval Until(DateTimeOffset now)
    {
        var to = new DateTimeOffset(now.UtcTicks - now.UtcTicks % Step.Ticks, TimeSpan.Zero) + Step;
        return new Interval(to - Length, to);
    }
}

/// <summary>How long a monitor's good answers took.</summary>
public sealed class ResponseTimeHistory(IDbContextFactory<PortalDbContext> contexts)
{
    /// <summary>One bucket a step, oldest first; a step without a check has none.</summary>
    public async Task<IReadOnlyList<Bucket>> Load(MonitorId id, Interval span, TimeSpan step, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewMonitors);
        await using var db = await contexts.CreateDbContextAsync(ct);
        return [.. (await SeriesHistory.Load(db, [id.Value], span.From, span.To, step, ct))[id.Value]];
    }
}
