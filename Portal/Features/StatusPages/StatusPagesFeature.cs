using Portal.Hosting;
using Portal.Public;

namespace Portal.Features.StatusPages;

public static class StatusPagesFeature
{
    public static IServiceCollection AddStatusPages(this IServiceCollection services) => services
        .AddSingleton<ComponentStatuses>()
        .AddSingleton(s => new UptimeOverDays(() => s.GetRequiredService<Publisher>().Model, s.GetRequiredService<PortalOptions>().Public.TimeZone, s.GetRequiredService<TimeProvider>()))
        .AddSingleton<AddComponent>()
        .AddSingleton<ChangeComponent>()
        .AddSingleton<DeleteComponent>()
        .AddSingleton<ArrangeComponents>()
        .AddSingleton<AddComponentGroup>()
        .AddSingleton<RenameComponentGroup>()
        .AddSingleton<DeleteComponentGroup>();
}
