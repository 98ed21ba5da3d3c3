using Portal.Domain.Shared;

namespace Portal.Domain.Maintenance;

/// <summary>The bounds of a plan.</summary>
static class MaintenanceRules
{
    /// <param name="begunAt">When it began; null while that lies ahead.</param>
    /// <exception cref="DomainException">A value is out of bounds; it names the field.</exception>
    public static void Require(MaintenancePlan plan, DateTimeOffset? begunAt, DateTimeOffset start, DateTimeOffset end, DateTimeOffset now)
    {
        if (begunAt is { } begun && start != begun) throw new DomainException("It has begun: its start stays as it is.", "startsAt");
        if (begunAt is null && start < now - MaintenanceWindow.Tolerance) throw new DomainException("It cannot begin in the past: what was not announced is an outage.", "startsAt");
        if (start > now + MaintenanceWindow.FarthestAhead) throw new DomainException("It can begin at most 366 days ahead.", "startsAt");
        if (end <= start) throw new DomainException("It must end after it begins.", "endsAt");
        if (end <= now) throw new DomainException(begunAt is null ? "Its end lies in the past." : "Its new end lies in the past: end it now instead.", "endsAt");
        if (end - start > MaintenanceWindow.Longest) throw new DomainException("It can last at most 30 days.", "endsAt");
        if (plan.VerifyFor < TimeSpan.Zero || plan.VerifyFor >= end - start) throw new DomainException("The time to verify must be shorter than the whole.", "verifyMinutes");
        if (plan.Zone.Length > 64 || !TimeZoneInfo.TryFindSystemTimeZoneById(plan.Zone, out var zone) || !zone.HasIanaId)
            throw new DomainException("The zone must be an IANA time zone such as Europe/Berlin.", "zone");
        if (plan.Components.Count > MaintenanceWindow.MostComponents) throw new DomainException($"At most {MaintenanceWindow.MostComponents} components can be named.", "components");
        if (plan.Components.Distinct().Count() != plan.Components.Count) throw new DomainException("A component is named twice.", "components");
    }
}
