using Portal.Features.Jobs;
using Portal.Hosting;

namespace Portal.Features.Drills;

public static class DrillsFeature
{
    public static IServiceCollection AddDrills(this IServiceCollection services)
    {
        services.AddSingleton<ScratchPlace>().AddSingleton<RehearseLostDatabase>().AddSingleton<DrillRecords>().AddSingleton<DrillNews>();
        services.AddSingleton<RunDrill>().AddSingleton<JobKind>(s => s.GetRequiredService<RunDrill>());
        services.AddSingleton<CanaryKeeper>().AddHostedService(s => s.GetRequiredService<CanaryKeeper>());
        services.AddHostedService<DrillUpkeep>();
        services.AddSingleton<IStartupStep, FirstDrills>();
        services.AddSingleton<QueueDrill>().AddSingleton<ScheduleDrill>().AddSingleton<AddDrillCheck>().AddSingleton<RemoveDrillCheck>().AddSingleton<LetCanary>().AddSingleton<ReviewDrill>();
        return services.AddSingleton<DrillList>().AddSingleton<DrillTargets>();
    }
}
