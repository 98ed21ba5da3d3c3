using System.Diagnostics.Metrics;
using Portal.Features.Health;
using Portal.Hosting;
using Portal.Infrastructure.Redis;

namespace Portal.Live;

/// <summary>The bus between nodes and the cache that they share: Redis where one is configured, else the database and memory of the process.</summary>
public static class RedisFeature
{
    public static IServiceCollection AddRedis(this IServiceCollection services, PortalOptions options)
    {
        services.AddSingleton<Installation>().AddSingleton<ProcessMemory>(s => new ProcessMemory(s.GetRequiredService<TimeProvider>())).AddSingleton<SharedCache>();
        services.AddHostedService<NodeFigures>();
        services.AddHostedService<NodeNews>();
        services.AddSingleton<IHealthPart, CachePart>();
        if (options.Redis is not { } settings)
            return services.AddSingleton<ILiveBus, DatabaseOnlyBus>().AddSingleton<ICacheStore>(s => s.GetRequiredService<ProcessMemory>());
        services.AddSingleton(settings);
        services.AddSingleton<RedisConnection>().AddHostedService(s => s.GetRequiredService<RedisConnection>());
        services.AddSingleton<RedisBus>().AddHostedService(s => s.GetRequiredService<RedisBus>());
        return services.AddSingleton<ILiveBus>(s => s.GetRequiredService<RedisBus>()).AddSingleton<ICacheStore, RedisStore>();
    }

}

/// <summary>What <c>/metrics</c> shows of the cache and of the news between nodes.</summary>
sealed class NodeFigures(Figures figures, SharedCache cache, ILiveBus bus) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        var meter = figures.Meter;
        static Measurement<long> Of(long value, string result) => new(value, new KeyValuePair<string, object?>("result", result));
        meter.CreateObservableCounter("portal.cache.requests", () => cache.Figures is var f ? new[] { Of(f.Hits, "hit"), Of(f.Misses, "miss"), Of(f.Joined, "joined") } : [], description: "Questions to the shared cache.");
        meter.CreateObservableCounter("portal.cache.errors", () => cache.Figures.Errors, description: "Times that the shared cache did not answer.");
        meter.CreateObservableCounter("portal.bus.announcements", () => bus.Figures is var f ? new[] { Of(f.Sent, "sent"), Of(f.Received, "received"), Of(f.Lost, "lost") } : [], description: "Announcements between nodes through Redis.");
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>Redis answers, where one is configured; how often what was asked of the cache was there.</summary>
sealed class CachePart(SharedCache cache, ILiveBus bus, TimeProvider clock, IServiceProvider services) : IHealthPart
{
    public string Name => "cache";

    public async Task<PartReport> Look(CancellationToken ct)
    {
        if (services.GetService<RedisConnection>() is not { } redis) return PartReport.NotConfigured("Redis is not configured; memory of the process is used.");
        if (redis.Database is not { } database) return PartReport.Failing("Redis cannot be reached; other nodes follow through the database.");
        var asked = clock.GetTimestamp();
        await database.PingAsync().WaitAsync(ct);
        var (figures, news) = (cache.Figures, bus.Figures);
        return PartReport.Ok(
            ("milliseconds", Math.Round(clock.GetElapsedTime(asked).TotalMilliseconds, 2)),
            ("hits", figures.Hits + figures.Joined), ("misses", figures.Misses), ("errors", figures.Errors),
            ("hitRate", figures.HitRate is { } rate ? Math.Round(rate, 3) : null),
            ("announcementsSent", news.Sent), ("announcementsReceived", news.Received), ("announcementsLost", news.Lost));
    }
}
