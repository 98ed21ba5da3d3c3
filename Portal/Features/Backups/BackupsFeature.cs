using Portal.Features.Health;
using Portal.Features.Jobs;
using Portal.Hosting;

namespace Portal.Features.Backups;

public static class BackupsFeature
{
    public static IServiceCollection AddBackups(this IServiceCollection services)
    {
        services.AddSingleton<OwnDatabase>(s => s.GetRequiredService<DatabaseOpening>().Connection);
        services.AddSingleton<StoreOpening>().AddSingleton<TargetWays>().AddSingleton<BackupWork>().AddSingleton<ApplyRetention>();
        services.AddSingleton<BackUp>().AddSingleton<JobKind>(s => s.GetRequiredService<BackUp>());
        services.AddSingleton<VerifyBackups>().AddSingleton<JobKind>(s => s.GetRequiredService<VerifyBackups>());
        services.AddSingleton<RestoreBackup>().AddSingleton<JobKind>(s => s.GetRequiredService<RestoreBackup>());
        services.AddSingleton<IStartupStep, FirstBackups>();
        services.AddSingleton<BackupNews>().AddSingleton<AuditAnchoring>().AddHostedService<BackupUpkeep>();
        services.AddSingleton<IHealthPart, BackupStorePart>();
        services.AddSingleton<QueueBackup>().AddSingleton<CreatePlan>().AddSingleton<ChangePlan>().AddSingleton<DeletePlan>();
        services.AddSingleton<AddTarget>().AddSingleton<ReachTarget>().AddSingleton<RemoveTarget>();
        services.AddSingleton<AddStore>().AddSingleton<EnterSecretKey>().AddSingleton<RetireStore>().AddSingleton<ProbeStore>().AddSingleton<AdoptBackups>().AddSingleton<MakeRecoverySheet>().AddSingleton<ConfirmRecoverySheet>();
        services.AddSingleton<VerifyBackup>().AddSingleton<DeleteBackup>().AddSingleton<PinBackup>().AddSingleton<QueueRestore>();
        return services.AddSingleton<PlanList>().AddSingleton<RetentionForecast>().AddSingleton<BackupList>().AddSingleton<BackupPlaces>().AddSingleton<RestoreList>().AddSingleton<RecoveryState>().AddSingleton<ReleaseRecovery>();
    }
}
