namespace Portal.Features.Maintenance;

public static class MaintenanceFeature
{
    public static IServiceCollection AddMaintenance(this IServiceCollection services) => services
        .AddSingleton<ScheduleMaintenance>()
        .AddSingleton<ChangeMaintenance>()
        .AddSingleton<MoveMaintenance>()
        .AddSingleton<PostMaintenanceUpdate>()
        .AddSingleton<MaintenanceList>()
        .AddSingleton<MaintenanceFile>()
        .AddSingleton<MaintenanceOverlaps>()
        .AddSingleton<MaintenanceCover>();
}
