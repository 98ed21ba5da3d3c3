using System.Diagnostics.Metrics;
using Portal.Features.Health;
using Portal.Infrastructure.Metrics;

namespace Portal.Features.Metrics;

public static class MetricsFeature
{
    public static IServiceCollection AddMeasurements(this IServiceCollection services)
    {
        services.AddSingleton<Rollups>().AddSingleton<Partitions>();
        services.AddSingleton<SeriesUpkeep>();
        services.AddHostedService(s =>
        {
            var upkeep = s.GetRequiredService<SeriesUpkeep>();
            s.GetRequiredService<Figures>().Meter.CreateObservableGauge("portal.rollups.waiting", () => upkeep.Waiting, description: "Spans of measurements that wait to be rolled up.");
            return upkeep;
        });
        services.AddSingleton(TelemetrySettings.Default).AddSingleton<Telemetry>().AddSingleton<TelemetryRecorder>().AddSingleton<Measurements>().AddSingleton<LiveFigures>();
        services.AddHostedService(s => s.GetRequiredService<Telemetry>());
        services.AddHostedService(s =>
        {
            var (recorder, meter) = (s.GetRequiredService<TelemetryRecorder>(), s.GetRequiredService<Figures>().Meter);
            meter.CreateObservableCounter("portal.telemetry.dropped", () => recorder.Dropped, description: "Points of the portal's own figures that were given up.");
            meter.CreateObservableGauge("portal.outbox.waiting", () => recorder.Outbox is { } owed ? new[] { new Measurement<long>(owed) } : [], description: "Reactions that all nodes together still owe.");
            return recorder;
        });
        return services;
    }
}
