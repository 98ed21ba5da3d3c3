using Portal.Features.Health;

namespace Portal.Features.OnCall;

public static class OnCallFeature
{
    public static IServiceCollection AddOnCall(this IServiceCollection services)
    {
        services.AddOnCallScreens();
        services.AddSingleton<StepTelling>().AddSingleton<DueEscalations>().AddHostedService<Escalator>();
        services.AddSingleton<PagerAudit>().AddSingleton<Auditor>().AddHostedService(s => s.GetRequiredService<Auditor>()).AddSingleton<IHealthPart, PagerPart>();
        return services.AddHostedService<OnCallUpkeep>();
    }

    /// <summary>What pages and endpoints call; nothing of it works by itself.</summary>
    public static IServiceCollection AddOnCallScreens(this IServiceCollection services) => services
        .AddSingleton<OnCallDesk>().AddSingleton<OnCallBrief>().AddSingleton<EditRotations>().AddSingleton<EditOnCallSchedules>().AddSingleton<StandIns>().AddSingleton<EditPolicies>()
        .AddSingleton<OwnShifts>().AddSingleton<OwnShiftSettings>().AddSingleton<ShiftCalendar>().AddSingleton<OverrideList>();

    public static WebApplication MapOnCall(this WebApplication app)
    {
        app.MapShiftCalendar();
        return app;
    }
}
