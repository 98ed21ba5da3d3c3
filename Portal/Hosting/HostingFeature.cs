using Microsoft.EntityFrameworkCore;
using Portal.Infrastructure;
using Portal.Infrastructure.Persistence;

namespace Portal.Hosting;

public static class HostingFeature
{
    public static IServiceCollection AddHosting(this IServiceCollection services)
    {
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(NodeName.OfThisProcess());
        services.AddSingleton<StartupState>();
        services.AddSingleton<PortalAddress>();
        services.AddSingleton<Database>();
        services.AddSingleton<IDbContextFactory<PortalDbContext>>(s => s.GetRequiredService<Database>());
        return services;
    }
}
