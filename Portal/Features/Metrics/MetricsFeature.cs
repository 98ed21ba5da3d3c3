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
        return services;
    }
}
