using Portal.Domain.Shared;
using Portal.Features.Monitoring;
using Portal.Features.StatusPages;

namespace Portal.Features.Incidents;

/// <summary>What the command palette finds by a part of its name: open incidents first, then recent ones; components; monitors. Nothing that the actor could not open.</summary>
public sealed class PaletteSearch(IncidentList incidents, ComponentStatuses components, MonitorList monitors)
{
    public const int Most = 8, Shortest = 2, Longest = 200;

    public sealed record View(IReadOnlyList<IncidentList.Row> Incidents, IReadOnlyList<ComponentStatuses.Row> Components, IReadOnlyList<MonitorView> Monitors)
    {
        public static readonly View Empty = new([], [], []);

        public int Count => Incidents.Count + Components.Count + Monitors.Count;

        public bool IsEmpty => Count == 0;
    }

    public async Task<View> Load(string text, Actor actor, CancellationToken ct)
    {
        if (text.Trim() is not { Length: >= Shortest and <= Longest } words) return View.Empty;
        return new(
            actor.May(Permission.ViewOps) ? await Incidents(words, ct) : [],
            actor.May(Permission.ManageComponents) ? await Components(words, ct) : [],
            actor.May(Permission.ViewMonitors) ? await monitors.Load(new(Search: words), null, Most, actor, ct) : []);
    }

    async Task<IReadOnlyList<IncidentList.Row>> Incidents(string words, CancellationToken ct)
    {
        var open = await incidents.Load(new(Open: true, Text: words), null, Most, ct);
        if (open.Count == Most) return open;
        var resolved = await incidents.Load(new(Open: false, Text: words), null, Most - open.Count, ct);
        // One that was resolved between the two questions is in both answers.
        return [.. open.Concat(resolved).DistinctBy(i => i.Id)];
    }

    async Task<IReadOnlyList<ComponentStatuses.Row>> Components(string words, CancellationToken ct) =>
        [.. (await components.Load(ct)).Components.Where(c => c.Name.Contains(words, StringComparison.CurrentCultureIgnoreCase)).Take(Most)];
}
