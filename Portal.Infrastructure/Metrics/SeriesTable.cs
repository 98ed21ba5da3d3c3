namespace Portal.Infrastructure.Metrics;

/// <summary>A table of what was measured, cut into partitions by time. Whatever has no partition of its own lies in the rest.</summary>
/// <param name="Name">Of the table; its rest is <c>name_rest</c>, its partitions are <c>name_20261122</c> (UTC).</param>
/// <param name="Width">What one row spans; zero for single results.</param>
/// <param name="Months">Partitions span months, otherwise days.</param>
/// <param name="Keep">How long rows are kept at least; null for ever.</param>
sealed record SeriesTable(string Name, TimeSpan Width, bool Months, TimeSpan? Keep)
{
    public static readonly SeriesTable Checks = new("check_results", TimeSpan.Zero, false, TimeSpan.FromDays(7));
    public static readonly SeriesTable Points = new("metric_points", TimeSpan.FromSeconds(10), false, TimeSpan.FromDays(7));
    public static readonly SeriesTable Minutes = new("metric_minutes", TimeSpan.FromMinutes(1), false, TimeSpan.FromDays(30));
    public static readonly SeriesTable Hours = new("metric_hours", TimeSpan.FromHours(1), true, TimeSpan.FromDays(396));
    public static readonly SeriesTable Days = new("metric_days", TimeSpan.FromDays(1), false, null);

    public static readonly IReadOnlyList<SeriesTable> Partitioned = [Checks, Points, Minutes, Hours];
    /// <summary>From fine to coarse; each is made of the one before it, the first of single results or points.</summary>
    public static readonly IReadOnlyList<SeriesTable> RolledUp = [Minutes, Hours, Days];

    public string Rest => $"{Name}_rest";

    /// <summary>Whether steps of this length from there on consist of whole rows.</summary>
    public bool Fits(DateTimeOffset from, TimeSpan step) => step.Ticks % Width.Ticks == 0 && from.UtcTicks % Width.Ticks == 0;

    /// <summary>The partitions that a time ahead needs, the present one first.</summary>
    public IEnumerable<(string Name, DateTime From, DateTime To)> Ahead(DateTimeOffset now)
    {
        var from = Months ? new DateTime(now.UtcDateTime.Year, now.UtcDateTime.Month, 1, 0, 0, 0, DateTimeKind.Utc) : now.UtcDateTime.Date;
        for (var i = 0; i < (Months ? 2 : 4); i++)
        {
            var to = Months ? from.AddMonths(1) : from.AddDays(1);
            yield return ($"{Name}_{from:yyyyMMdd}", from, to);
            from = to;
        }
    }
}
