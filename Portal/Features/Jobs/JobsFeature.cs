using Portal.Hosting;
using Portal.Infrastructure;
using Portal.Infrastructure.Jobs;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Jobs;

public static class JobsFeature
{
    public static IServiceCollection AddJobs(this IServiceCollection services)
    {
        services.AddSingleton<JobKind, CheckDatabase>();
        services.AddSingleton(s => new RunLedger(s.GetRequiredService<Database>(), s.GetRequiredService<NodeName>().Value, s.GetRequiredService<PortalOptions>().Timing.JobLease));
        services.AddSingleton<JobWorker>();
        services.AddSingleton(s =>
        {
            var timing = s.GetRequiredService<PortalOptions>().Timing;
            return new QuartzDelivery(s.GetRequiredService<Database>(), s.GetRequiredService<NodeName>().Value, new(timing.JobCheckIn, timing.JobCheckInThreshold), s.GetRequiredService<ILoggerFactory>(), s.GetRequiredService<JobWorker>().Run);
        });
        services.AddHostedService<JobUpkeep>();
        services.AddSingleton<IStartupStep, FirstSchedules>();
        return services.AddSingleton<CancelRun>().AddSingleton<RepeatRun>().AddSingleton<RunSchedule>().AddSingleton<PauseSchedule>().AddSingleton<ChangeSchedule>()
            .AddSingleton<JobKinds>().AddSingleton<JobList>().AddSingleton<JobsNow>().AddSingleton<JobScheduleList>();
    }
}
