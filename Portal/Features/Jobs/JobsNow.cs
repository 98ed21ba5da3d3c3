using Microsoft.EntityFrameworkCore;
using Portal.Domain.Jobs;
using Portal.Infrastructure.Jobs;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Jobs;

/// <summary>What works, what waits, and who would do it.</summary>
public sealed class JobsNow(IDbContextFactory<PortalDbContext> contexts, QuartzDelivery delivery, TimeProvider clock)
{
    /// <summary>Of those that wait so many are shown.</summary>
    public const int Shown = 50;
    const int MostRunning = 200, MostCounted = 10_000;

    /// <param name="SeenAt">When it told last that it lives; null for one of which nothing is known but what it works on.</param>
    /// <param name="Works">How many runs it works on.</param>
    public sealed record Node(string Name, DateTimeOffset? SeenAt, bool IsThisOne, bool IsAlive, int Works);

    /// <param name="Running">Those that began first stand first.</param>
    /// <param name="Waiting">Whose time has come, or that wait for another attempt, the oldest first.</param>
    /// <param name="AllWaiting">How many of those there are.</param>
    public sealed record View(IReadOnlyList<JobRun> Running, IReadOnlyList<JobRun> Waiting, int AllWaiting, IReadOnlyList<Node> Nodes);

    public async Task<View> Load(CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var now = clock.GetUtcNow();
        var running = await db.JobRuns.AsNoTracking().Where(r => r.State == RunState.Running).OrderBy(r => r.DueAt).ThenBy(r => r.Id).Take(MostRunning).ToListAsync(ct);
        // A slot that is yet to come stands with its schedule.
        var waiting = db.JobRuns.AsNoTracking().Where(r => r.State == RunState.Queued && (r.Slot == null || r.Attempt > 0 || r.DueAt <= now));
        var shown = await waiting.OrderBy(r => r.DueAt).ThenBy(r => r.Id).Take(Shown).ToListAsync(ct);
        var all = shown.Count < Shown ? shown.Count : await waiting.Take(MostCounted).CountAsync(ct);
        return new View(running, shown, all, Nodes(await delivery.Nodes(ct), running.GroupBy(r => r.Node!).ToDictionary(g => g.Key, g => g.Count())));
    }

    /// <summary>Who works on jobs, and who could, by name.</summary>
    public async Task<IReadOnlyList<Node>> LoadNodes(CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var works = await db.JobRuns.Where(r => r.State == RunState.Running && r.Node != null).GroupBy(r => r.Node!).Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, ct);
        return Nodes(await delivery.Nodes(ct), works);
    }

    static List<Node> Nodes(IReadOnlyList<DeliveryNode> known, Dictionary<string, int> works) =>
        [.. known.Select(n => new Node(n.Name, n.SeenAt, n.IsThisOne, n.IsAlive, works.GetValueOrDefault(n.Name)))
            .Concat(works.Where(w => known.All(n => n.Name != w.Key)).Select(w => new Node(w.Key, null, false, true, w.Value))).OrderBy(n => n.Name, StringComparer.Ordinal)];
}
