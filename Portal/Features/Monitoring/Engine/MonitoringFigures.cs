using System.Diagnostics.Metrics;

namespace Portal.Features.Monitoring.Engine;

/// <summary>What <c>/metrics</c> shows of this node's monitoring.</summary>
static class MonitoringFigures
{
    public static void Show(Meter meter, MonitoringEngine engine)
    {
        meter.CreateObservableGauge("portal.monitors.watched", () => engine.Watching, description: "Monitors that this node runs.");
        var lag = meter.CreateHistogram<double>("portal.checks.lag", "s", "How long after its time a check began.");
        engine.Began += late => lag.Record(late.TotalSeconds);
        meter.CreateObservableGauge("portal.checks.waiting", () => engine.WaitingResults, description: "Check results that wait to be written.");
        meter.CreateObservableCounter("portal.checks.unjudged", () => engine.UnjudgedChecks, description: "Failed checks that were held against no target, because this node itself reached nothing.");
        meter.CreateObservableCounter("portal.checks.dropped", () => engine.DroppedResults, description: "Check results that were given up because too many waited, or were refused.");
    }
}
