using System.Security.Cryptography;
using Portal.Components;
using Portal.Domain.Monitoring;
using Portal.Hosting;
using Portal.Infrastructure.Monitoring;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring.Engine;

/// <summary>From a monitor's settings to the verdict of the probe for its kind.</summary>
public sealed class CheckRunner(IEnumerable<IProbe> probes, PortalAddress portal, SealedSecrets secrets)
{
    readonly Dictionary<MonitorKind, IProbe> probes = probes.ToDictionary(p => p.Kind);

    public async Task<ProbeAnswer?> Look(Monitor monitor, CancellationToken ct)
    {
        IReadOnlyDictionary<string, string> opened;
        try
        {
            opened = secrets.Open(monitor);
        }
        catch (CryptographicException)
        {
            return new ProbeAnswer(CheckOutcome.NotConfigured, TimeSpan.Zero, null, "Its secrets cannot be opened with this node's master key. Enter them again.");
        }
        return await Look(monitor.Id, monitor.Settings, opened, ct);
    }

    /// <returns>Null when nothing can be said now: the portal itself is to be looked at and does not listen yet, or what was heard cannot be read.</returns>
    public async Task<ProbeAnswer?> Look(MonitorId monitor, MonitorSettings settings, IReadOnlyDictionary<string, string> opened, CancellationToken ct)
    {
        var isSelf = Monitor.IsSelf(settings.Target);
        if ((isSelf ? portal.Own : "") is not { } self) return null;
        // http becomes ws, https becomes wss.
        if (settings.Kind == MonitorKind.Websocket && isSelf) self = "ws" + self["http".Length..];
        var target = new Uri(isSelf ? self + settings.Target["self:".Length..] : settings.Target);
        var request = new ProbeRequest(monitor, target, isSelf, settings.AllowPrivate, settings.Timeout, StatusRanges.Parse(settings.ExpectStatus), settings.Options ?? MonitorOptions.None) { Secrets = opened };
        try
        {
            return await probes[settings.Kind].Look(request, ct);
        }
        catch (Exception e) when (settings.Kind == MonitorKind.Heartbeat && Refusal.IsDatabaseAway(e) && !ct.IsCancellationRequested)
        {
            return null;
        }
    }
}
