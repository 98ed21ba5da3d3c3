using Portal.Domain.Monitoring;
using Portal.Hosting;
using Portal.Infrastructure.Monitoring;

namespace Portal.Features.Monitoring.Engine;

/// <summary>From a monitor's settings to the verdict of the probe for its kind.</summary>
public sealed class CheckRunner(IEnumerable<IProbe> probes, PortalAddress portal)
{
    readonly Dictionary<MonitorKind, IProbe> probes = probes.ToDictionary(p => p.Kind);

    /// <returns>Null when the portal itself is to be looked at and does not listen yet.</returns>
    public async Task<ProbeAnswer?> Look(MonitorSettings settings, CancellationToken ct)
    {
        var isSelf = Domain.Monitoring.Monitor.IsSelf(settings.Target);
        if ((isSelf ? portal.Own : "") is not { } self) return null;
        var target = new Uri(isSelf ? self + settings.Target["self:".Length..] : settings.Target);
        return await probes[settings.Kind].Look(new ProbeRequest(target, isSelf, settings.AllowPrivate, settings.Timeout, StatusRanges.Parse(settings.ExpectStatus)), ct);
    }
}
