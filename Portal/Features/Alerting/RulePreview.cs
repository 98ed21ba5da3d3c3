using Npgsql;
using Portal.Domain.Alerting;
using Portal.Domain.Shared;
using Portal.Features.Metrics;

namespace Portal.Features.Alerting;

/// <summary>When a rule would have fired in the last seven days, by what is stored of them.</summary>
/// <remarks>Looked at in steps of a fifth of the window, at least a minute: as exact as the rule itself for what lasts, while a peak of seconds may be told differently.</remarks>
public sealed class RulePreview(Measurements measurements, TimeProvider clock)
{
    static readonly TimeSpan Back = TimeSpan.FromDays(7), Patience = TimeSpan.FromSeconds(8);
    const int Parts = 5, Looks = 12;
    static readonly double[] Factors = [1.1, 1.25, 1.5, 2, 3];

    /// <param name="Fired">Each time with its length, the first one first.</param>
    /// <param name="Known">Of which part of the time anything was measured.</param>
    public sealed record View(IReadOnlyList<Interval> Fired, double Known)
    {
        public string InWords => Known == 0 ? "Nothing was measured of it in the last 7 days."
            : Fired.Count switch { 0 => "It would not have fired.", 1 => "It would have fired once.", var n => $"It would have fired {n:N0} times." } + (Known < 0.95 ? $" Of {1 - Known:P0} of the time nothing is known." : "");
    }

    /// <summary>How often a rule fires at another limit.</summary>
    public sealed record Proposal(double Limit, int Fires);

    /// <exception cref="DomainException">It is about monitors, or takes too long.</exception>
    public async Task<View> Load(RuleCondition condition, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageAlerting);
        return Replay(condition, await Read(condition, ct));
    }

    /// <summary>The nearest limit at which a rule that fires for nothing would have fired no more often than this in the last seven days.</summary>
    /// <returns>Null where no limit up to three times as far does it, or the rule has none.</returns>
    public async Task<Proposal?> LoadProposal(RuleCondition condition, int atMost, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        if (condition is not { Kind: AlertRuleKind.Threshold, Limit: not 0 }) return null;
        var read = await Read(condition, ct);
        foreach (var factor in Factors)
        {
            var limit = Math.Round(condition.Comparison == RuleComparison.Above ? condition.Limit * factor : condition.Limit / factor, 3);
            if (Replay(condition with { Limit = limit }, read).Fired.Count is var fires && fires <= atMost) return new(limit, fires);
        }
        return null;
    }

    /// <summary>What the rule would have read, looked at again and again through the seven days.</summary>
    async Task<IReadOnlyList<(DateTimeOffset At, RuleReading Reading, bool IsKnown)>> Read(RuleCondition condition, CancellationToken ct)
    {
        if (condition.Kind == AlertRuleKind.Outage) throw new DomainException("What monitors found is their history: look there.", "kind");
        var figure = RuleFigures.Find(condition.Figure!);
        var shortest = Math.Min(condition.WindowMinutes, condition.ShortMinutes ?? condition.WindowMinutes);
        var step = TimeSpan.FromMinutes(Math.Max(1, shortest / Parts));
        var now = clock.GetUtcNow();
        var to = new DateTimeOffset(now.UtcTicks - now.UtcTicks % TimeSpan.TicksPerMinute, TimeSpan.Zero);
        using var limit = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
        try
        {
            var measured = await measurements.Load(figure.Series, new Interval(to - Back, to), step, either.Token);
            return [.. Looked(condition, measured, new Interval(to - Back, to), step)];
        }
        catch (Exception e) when (limit.IsCancellationRequested && !ct.IsCancellationRequested && e is OperationCanceledException or NpgsqlException)
        {
            throw new DomainException("So much is stored of this figure that looking through 7 days takes too long. Save the rule without it.", "figure");
        }
    }

    static IEnumerable<(DateTimeOffset At, RuleReading Reading, bool IsKnown)> Looked(RuleCondition condition, Measured measured, Interval span, TimeSpan step)
    {
        var all = measured.Series.Select(s => (s.Series, Buckets: s.Buckets.ToDictionary(b => b.At))).ToList();
        // A long window moves slowly: looked at at every step it would be the same work many times over.
        var stride = step * Math.Max(1, Steps(condition.WindowMinutes) / Looks);
        for (var end = span.From + step * Steps(condition.WindowMinutes); end <= span.To; end += stride)
        {
            var (window, shorter) = (Window(condition.WindowMinutes, end), Window(condition.ShortMinutes ?? condition.WindowMinutes, end));
            yield return (end, RuleFigures.Reading(condition, window, shorter), window.Series.Any(s => s.Buckets.Count > 0));
        }

        int Steps(int minutes) => (int)Math.Ceiling(TimeSpan.FromMinutes(minutes) / step);

        Measured Window(int minutes, DateTimeOffset end) => new(step, [.. all.Select(s => new MeasuredSeries(s.Series,
            [.. Enumerable.Range(1, Steps(minutes)).Select(i => s.Buckets.GetValueOrDefault(end - step * i)).OfType<Domain.Metrics.Bucket>()]))]);
    }

    static View Replay(RuleCondition condition, IReadOnlyList<(DateTimeOffset At, RuleReading Reading, bool IsKnown)> read)
    {
        var fired = new List<Interval>();
        DateTimeOffset? since = null;
        foreach (var (at, reading, _) in read)
        {
            var verdict = condition.Judge(reading);
            if (verdict == RuleVerdict.Bad) since ??= at;
            else if (verdict == RuleVerdict.Good && since is { } began)
            {
                fired.Add(new(began, at));
                since = null;
            }
        }
        if (since is { } open) fired.Add(new(open, read[^1].At));
        return new(fired, read.Count == 0 ? 0 : (double)read.Count(r => r.IsKnown) / read.Count);
    }
}
