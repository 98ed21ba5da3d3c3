namespace Portal.Domain.StatusPages;

/// <summary>What customers are told of a component, ordered so that a greater value is worse. Source: the public read API, v2.</summary>
public enum ComponentStatus
{
    Operational = 0,
    /// <summary>Announced work; hides what monitors and incidents say while it lasts.</summary>
    UnderMaintenance = 1,
    DegradedPerformance = 2,
    PartialOutage = 3,
    MajorOutage = 4,
}

/// <summary>The page's overall indicator, ordered so that a greater value is worse. Source: the public read API, v2.</summary>
public enum Indicator { None = 0, Maintenance = 1, Minor = 2, Major = 3, Critical = 4 }

/// <summary>The one sentence above everything.</summary>
public enum Headline
{
    AllOperational,
    UnderMaintenance,
    PartiallyDegraded,
    DegradedService,
    MinorOutage,
    PartialSystemOutage,
    MajorSystemOutage,
}

/// <summary>The rules that turn many facts into one status.</summary>
public static class StatusRules
{
    /// <summary>Maintenance while a window is active; else the override until it is cleared; else the worst of what monitors and unresolved incidents say.</summary>
    public static ComponentStatus Effective(bool underMaintenance, ComponentStatus? manual, IEnumerable<ComponentStatus> evidence) =>
        underMaintenance ? ComponentStatus.UnderMaintenance : manual ?? Worst(evidence);

    public static ComponentStatus Worst(IEnumerable<ComponentStatus> statuses) =>
        statuses.DefaultIfEmpty(ComponentStatus.Operational).Max();

    /// <summary>The overall sentence from the components; unresolved incidents raise it to at least their impact. Source: the public read API, v2, "Rules".</summary>
    public static (Indicator Indicator, Headline Headline) Overall(IReadOnlyCollection<ComponentStatus> components, IEnumerable<Indicator> unresolvedImpacts)
    {
        var fromComponents = FromComponents(components);
        var fromIncidents = unresolvedImpacts.DefaultIfEmpty(Indicator.None).Max();
        return fromIncidents > fromComponents.Indicator ? (fromIncidents, Raised(fromIncidents)) : fromComponents;
    }

    static (Indicator Indicator, Headline Headline) FromComponents(IReadOnlyCollection<ComponentStatus> all)
    {
        bool Any(ComponentStatus status) => all.Contains(status);
        bool All(ComponentStatus status) => all.Count > 0 && all.All(s => s == status);
        if (All(ComponentStatus.MajorOutage)) return (Indicator.Critical, Headline.MajorSystemOutage);
        if (Any(ComponentStatus.MajorOutage) || All(ComponentStatus.PartialOutage)) return (Indicator.Major, Headline.PartialSystemOutage);
        if (Any(ComponentStatus.PartialOutage)) return (Indicator.Minor, Headline.MinorOutage);
        if (All(ComponentStatus.DegradedPerformance)) return (Indicator.Minor, Headline.DegradedService);
        if (Any(ComponentStatus.DegradedPerformance)) return (Indicator.Minor, Headline.PartiallyDegraded);
        if (Any(ComponentStatus.UnderMaintenance)) return (Indicator.Maintenance, Headline.UnderMaintenance);
        return (Indicator.None, Headline.AllOperational);
    }

    static Headline Raised(Indicator indicator) => indicator switch
    {
        Indicator.Critical => Headline.MajorSystemOutage,
        Indicator.Major => Headline.PartialSystemOutage,
        Indicator.Minor => Headline.MinorOutage,
        Indicator.Maintenance => Headline.UnderMaintenance,
        _ => Headline.AllOperational,
    };
}
