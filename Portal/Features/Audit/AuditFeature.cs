using Portal.Infrastructure.Persistence.Audit;

namespace Portal.Features.Audit;

public static class AuditFeature
{
    public static IServiceCollection AddAudit(this IServiceCollection services) =>
        services.AddSingleton<AuditSealer>().AddSingleton<AuditChain>().AddHostedService<AuditSealing>();
}
