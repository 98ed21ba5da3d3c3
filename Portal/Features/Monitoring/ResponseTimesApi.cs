using Portal.Domain.Metrics;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Features.Access;

namespace Portal.Features.Monitoring;

/// <summary>A monitor's response times over a range, as the chart of its page shows them.</summary>
static class ResponseTimesApi
{
    /// <param name="Failed">Checks that found it down; they have no response time.</param>
    public sealed record Step(DateTimeOffset At, long Count, long Failed, double? Avg, double? P50, double? P95, double? P99, double? Max);

    public sealed record Answer(string Unit, DateTimeOffset From, DateTimeOffset To, double StepSeconds, IReadOnlyList<Step> Items);

    public static void Map(RouteGroupBuilder monitors) => monitors.MapGet("/{id}/response-times", Load).WithName("ListResponseTimes")
        .WithSummary($"How long its good answers took. range is one of {string.Join(", ", ChartRange.All.Select(r => r.Name))}; steps without a check are left out");

    static async Task<Answer> Load(HttpContext http, string id, string? range, ResponseTimeHistory history, MonitorList monitors, TimeProvider clock, CancellationToken ct)
    {
        var chosen = ChartRange.All.FirstOrDefault(r => r.Name == (range ?? ChartRange.Day.Name))
            ?? throw new DomainException($"There is no such range. Ranges are: {string.Join(", ", ChartRange.All.Select(r => r.Name))}.", "range");
        var (monitor, actor, span) = (Id.Parse<MonitorId>(id, "monitor"), http.User.ToActor(), chosen.Until(clock.GetUtcNow()));
        var buckets = await history.Load(monitor, span, chosen.Step, actor, ct);
        // One that never was is told from one without answers.
        if (buckets.Count == 0) await monitors.LoadOne(monitor, actor, ct);
        return new Answer("ms", span.From, span.To, chosen.Step.TotalSeconds, [.. buckets.Select(StepOf)]);
    }

    static Step StepOf(Bucket b) => new(b.At, b.Count, b.Failed, Rounded(b.Average), Rounded(b.Percentile(0.5)), Rounded(b.Percentile(0.95)), Rounded(b.Percentile(0.99)), b.Count == 0 ? null : Rounded(b.Max));

    static double? Rounded(double? ms) => ms is { } value ? Math.Round(value, 1) : null;
}
