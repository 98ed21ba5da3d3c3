using Portal.Domain.Incidents;
using Portal.Domain.Maintenance;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Public;

namespace Portal.Features.StatusPages;

/// <summary>From rows to what customers are told: the decided precedence, spans, and time without data.</summary>
sealed class ModelAssembly(
    DateTimeOffset asOf, IReadOnlyList<ComponentGroup> groups, IReadOnlyList<Component> components, IReadOnlyList<Watch> watches,
    IReadOnlyList<OutageRow> outages, IReadOnlyList<ObservationGap> gaps, IReadOnlyList<EffectRow> effects)
{
    readonly Dictionary<ComponentId, Component> known = components.ToDictionary(c => c.Id);
    readonly ILookup<ComponentId, Watch> watching = watches.Where(w => w.Component is not null).ToLookup(w => w.Component!.Value);
    readonly ILookup<ComponentId, OutageRow> outagesOf = outages.ToLookup(o => o.Component);
    readonly ILookup<ComponentId, ObservationGap> gapsOf = gaps.ToLookup(g => g.ComponentId!.Value);
    readonly ILookup<ComponentId, EffectRow> effectsOf = effects.ToLookup(e => e.Component);
    readonly ILookup<IncidentId, EffectRow> effectsOfIncident = effects.ToLookup(e => e.Incident);

    public IReadOnlyList<ComponentView> Components()
    {
        var places = groups.Select((g, place) => (g.Id, place)).ToDictionary(g => g.Id, g => g.place);
        return [.. components.OrderBy(c => c.GroupId is { } g ? places.GetValueOrDefault(g, int.MaxValue) : -1).ThenBy(c => c.Position).ThenBy(c => c.Id.Value).Select(View)];
    }

    ComponentView View(Component component)
    {
        var monitors = watching[component.Id].ToList();
        var spans = Spans(component);
        var evidence = monitors.Where(m => m is { IsPaused: false, State.Health: MonitorHealth.Down }).Select(m => m.Impact)
            .Concat(effectsOf[component.Id].Where(e => e.To is null).Select(e => e.Status));
        var observation = Observation.Of(asOf, component, monitors, gapsOf[component.Id], outagesOf[component.Id]);
        // Windows come on top of this when it is known for which instant (StatusPageModel.At).
        var status = StatusRules.Effective(underMaintenance: false, component.Override, evidence);
        var looking = monitors.Any(m => m is { IsPaused: false, State.Health: not MonitorHealth.Unknown }) && observation.Gaps.All(g => g.To is not null);
        return new ComponentView(
            component.Id, component.Slug, component.Name, component.Description, component.GroupId, component.Position,
            status, StatusTimeline.Since(spans, asOf),
            component.CreatedAt, component.UpdatedAt, observation.From, monitors.Count > 0, spans, observation.Gaps)
        {
            IsUnknown = status == ComponentStatus.Operational && component.Override is null && monitors.Count > 0 && !looking,
        };
    }

    List<StatusSpan> Spans(Component component)
    {
        var fromMonitors = outagesOf[component.Id].Select(o => new StatusSpan(
            component.Id, o.Status, StatusCause.Monitor, o.From, o.To, o.Monitor.Value, "", o.From - o.EarliestFrom, o.To is { } to && o.EarliestTo is { } earliest ? to - earliest : default));
        var fromIncidents = effectsOf[component.Id].Where(e => e.Status != ComponentStatus.Operational)
            .Select(e => new StatusSpan(component.Id, e.Status, StatusCause.Incident, e.From, e.To, e.Incident.Value, e.Title));
        var byHand = component.Overrides.Select(o => new StatusSpan(component.Id, o.Status, StatusCause.Override, o.From, o.To, null, ""));
        return [.. fromMonitors.Concat(fromIncidents).Concat(byHand).Where(s => s.To is null || s.To > s.From).OrderBy(s => s.From).ThenBy(s => s.Cause).ThenBy(s => s.Source)];
    }

    /// <summary>The monitors of which somebody said that customers see their response times: in the order of their components, then those without one.</summary>
    public IReadOnlyList<Watch> Charted(IReadOnlyList<ComponentView> ordered)
    {
        var places = ordered.Select((c, place) => (c.Id, place)).ToDictionary(c => c.Id, c => c.place);
        return [.. watches.Where(w => w.PublicChart is not null)
            .OrderBy(w => w.Component is { } id ? places[id] : int.MaxValue).ThenBy(w => w.PublicChart, StringComparer.Ordinal).ThenBy(w => w.Id.Value)
            .Take(Domain.Monitoring.Monitor.MostPublicCharts)];
    }

    public IncidentView View(Incident incident) => new(
        incident.Id, incident.Title, incident.Severity, incident.Impact, incident.Status, incident.StartedAt, incident.CreatedAt, incident.UpdatedAt,
        incident.MonitoringAt, incident.ResolvedAt, incident.NextUpdateBy,
        [.. incident.Updates.OrderBy(u => u.CreatedAt).ThenBy(u => u.Id.Value).Select(View)],
        [.. effectsOfIncident[incident.Id].GroupBy(e => e.Component).Select(g => g.OrderBy(e => e.From).ThenBy(e => e.To is null).Last()).Where(e => known.ContainsKey(e.Component))
            .OrderBy(e => known[e.Component].Name, StringComparer.Ordinal)
            .Select(e => new IncidentComponentView(e.Component, known[e.Component].Slug, known[e.Component].Name, e.Status))]);

    public MaintenanceView View(MaintenanceWindow window) => new(
        window.Id, window.Title, window.Message, window.Times, window.Zone, window.CreatedAt, window.UpdatedAt, window.Sequence,
        [.. window.Updates.OrderBy(u => u.CreatedAt).ThenBy(u => u.Id.Value).Select(u => new MaintenanceUpdateView(u.Id, u.Status, u.Body, u.CreatedAt))],
        [.. window.Scope.Where(s => known.ContainsKey(s.ComponentId)).OrderBy(s => known[s.ComponentId].Name, StringComparer.Ordinal).ThenBy(s => s.AddedAt)
            .Select(s => new MaintainedView(s.ComponentId, known[s.ComponentId].Slug, known[s.ComponentId].Name, s.Covered(window.Times), s.RemovedAt is null))]);

    UpdateView View(IncidentUpdate update) => new(
        update.Id, update.Status, update.Body, update.CreatedAt, update.UpdatedAt, update.Revisions.Count > 0 ? update.Revisions[^1].ReplacedAt : null,
        [.. update.Affected.Where(a => known.ContainsKey(a.Component))
            .Select(a => new AffectedView(a.Component, known[a.Component].Slug, known[a.Component].Name, a.OldStatus, a.NewStatus))]);
}

/// <summary>Since when a component is observed, and when nobody looked.</summary>
sealed record Observation(DateTimeOffset From, IReadOnlyList<GapView> Gaps)
{
    public static Observation Of(DateTimeOffset asOf, Component component, IReadOnlyList<Watch> monitors, IEnumerable<ObservationGap> gaps, IEnumerable<OutageRow> outages)
    {
        var present = monitors.Select(m => m.Id).ToHashSet();
        var rows = gaps.ToLookup(g => present.Contains(g.MonitorId));
        var rowsOf = rows[true].ToLookup(g => g.MonitorId);
        var begun = monitors.Where(m => m.State?.FirstCheckAt is not null).Select(m => m.State!.FirstCheckAt!.Value).Order().ToList();
        var attached = begun.Count > 0 ? begun[0] : asOf;
        // Monitors that are gone left their outages and gaps: the component was observed before the present ones began.
        var earlier = rows[false].Select(g => g.From).Concat(outages.Select(o => o.From)).Where(at => at < attached).Order().ToList();
        var formerly = rows[false].Where(g => g.From < attached).Select(g => new GapView(g.From, g.To is { } to && to < attached ? to : attached, g.Reason));
        if (monitors.Count == 0) return new Observation(component.CreatedAt, [.. rows[false].Where(g => g.To is not null).Select(g => new GapView(g.From, g.To, g.Reason))]);
        var together = Together([.. monitors.Where(m => m.State?.FirstCheckAt is not null).Select(m => Unobserved(asOf, m, rowsOf[m.Id]))], attached, asOf);
        return new Observation(earlier.Count > 0 ? earlier[0] : attached, [.. formerly, .. together]);
    }

    /// <summary>Before its first check, in its recorded gaps, and since it fell silent.</summary>
    static List<GapView> Unobserved(DateTimeOffset asOf, Watch watch, IEnumerable<ObservationGap> rows)
    {
        var own = rows.Select(g => new GapView(g.From, g.To, g.Reason)).Prepend(new GapView(DateTimeOffset.MinValue, watch.State!.FirstCheckAt, "")).ToList();
        if (watch.SilentSince(asOf) is { } silent && own.All(g => g.To is not null)) own.Add(new GapView(silent, null, "No check ran."));
        return own;
    }

    /// <summary>A component is without data only while none of its monitors looks.</summary>
    static IEnumerable<GapView> Together(IReadOnlyList<List<GapView>> monitors, DateTimeOffset from, DateTimeOffset asOf)
    {
        if (monitors.Count == 0) return [];
        IEnumerable<GapView> common = monitors[0];
        foreach (var other in monitors.Skip(1))
            common = [.. from a in common from b in other let both = Both(a, b) where both is not null select both];
        return common.Select(g => g.From < from ? g with { From = from } : g).Where(g => g.To is { } to ? to > g.From : g.From < asOf).OrderBy(g => g.From);
    }

    static GapView? Both(GapView a, GapView b)
    {
        var from = a.From > b.From ? a.From : b.From;
        var to = a.To is null ? b.To : b.To is null || a.To < b.To ? a.To : b.To;
        return to is { } end && end <= from ? null : new GapView(from, to, a.Reason.Length > 0 ? a.Reason : b.Reason);
    }
}
