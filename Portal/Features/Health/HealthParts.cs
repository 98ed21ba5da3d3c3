using System.Collections.Concurrent;
using Portal.Components;

namespace Portal.Features.Health;

/// <summary>Looks at the parts, each with a short time-out, and at most once a second however many ask.</summary>
/// <remarks>The first look at a part after the start pays for loading its code, while all others do the same: it is given longer, or a cold start would look like an outage.</remarks>
public sealed class HealthParts(IEnumerable<IHealthPart> parts, TimeProvider clock, ILogger<HealthParts> log)
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2), ColdPatience = TimeSpan.FromSeconds(8), Fresh = TimeSpan.FromSeconds(1);

    readonly Dictionary<string, IHealthPart> byName = parts.ToDictionary(p => p.Name);
    readonly ConcurrentDictionary<string, Seen> latest = new();
    readonly ConcurrentDictionary<string, bool> warm = new();

    sealed record Seen(long At, Task<PartReport> Report);

    public IReadOnlyCollection<string> Names => byName.Keys;

    /// <returns>Null for a name that no part has.</returns>
    public async Task<PartReport?> Look(string name, CancellationToken ct)
    {
        if (!byName.TryGetValue(name, out var part)) return null;
        var seen = latest.AddOrUpdate(name, _ => Begin(part), (_, last) => last.Report.IsCompleted && clock.GetElapsedTime(last.At) > Fresh ? Begin(part) : last);
        return await seen.Report.WaitAsync(ct);
    }

    public async Task<IReadOnlyDictionary<string, PartReport>> LookAtAll(CancellationToken ct)
    {
        var reports = await Task.WhenAll(byName.Keys.Select(async name => (name, await Look(name, ct))));
        return reports.ToDictionary(r => r.name, r => r.Item2!);
    }

    /// <summary>Two who ask at the same instant may begin two looks; the later one is kept.</summary>
    Seen Begin(IHealthPart part) => new(clock.GetTimestamp(), Task.Run(() => LookAt(part)));

    async Task<PartReport> LookAt(IHealthPart part)
    {
        var limit = warm.ContainsKey(part.Name) ? Patience : ColdPatience;
        using var patience = new CancellationTokenSource(limit, clock);
        try
        {
            // Some clients of the outside do not heed a token while they connect.
            return await part.Look(patience.Token).WaitAsync(limit, clock);
        }
        catch (Exception e) when (e is TimeoutException || patience.IsCancellationRequested)
        {
            return PartReport.Failing($"It did not answer within {limit.TotalSeconds:0} s.");
        }
        catch (Exception e)
        {
            if (!Refusal.IsDatabaseAway(e)) log.LogWarning(e, "The health part {Part} failed", part.Name);
            return PartReport.Failing(Refusal.IsDatabaseAway(e) ? "The database cannot be reached." : $"{e.GetType().Name}: {e.Message}");
        }
        finally
        {
            warm[part.Name] = true;
        }
    }
}
