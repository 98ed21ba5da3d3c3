namespace Portal.Features.Incidents;

public static class IncidentsFeature
{
    public static IServiceCollection AddIncidents(this IServiceCollection services) => services
        .AddSingleton<DeclareIncident>()
        .AddSingleton<PostIncidentUpdate>()
        .AddSingleton<EditIncidentUpdate>()
        .AddSingleton<ChangeIncident>()
        .AddSingleton<IncidentList>()
        .AddSingleton<IncidentRoom>()
        .AddSingleton<SituationNow>()
        .AddSingleton<PaletteSearch>();
}
