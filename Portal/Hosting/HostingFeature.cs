using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portal.Infrastructure;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Persistence.DemoData;
using Portal.Infrastructure.Postgres;
using Portal.Infrastructure.Security;

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
        services.AddSingleton<EmbeddedPostgres>();
        services.AddSingleton<DatabaseDump>();
        services.AddSingleton<Migrator>();
        services.AddSingleton<DatabaseOpening>();
        services.Configure<HostOptions>(o =>
        {
            o.ShutdownTimeout = TimeSpan.FromSeconds(15);
            // The public page must outlive the fault of any background loop; the host logs it as critical.
            o.BackgroundServiceExceptionBehavior = BackgroundServiceExceptionBehavior.Ignore;
        });
        // Under thousands of readers a sixth of each request's cost is handing it from thread to thread. A handler that blocks delays its own connection only: completions still run on the pool.
        services.Configure<SocketTransportOptions>(o => o.UnsafePreferInlineScheduling = true);
        services.AddSingleton<DemoData>();
        services.AddSingleton<IStartupStep, FillDemoData>();
        services.AddSecrets();
        services.AddHostedService<PostgresSupervision>();
        services.AddHostedService<SupervisedStart>();
        services.AddHostedService<Announcement>();
        return services;
    }

    static void AddSecrets(this IServiceCollection services)
    {
        services.AddSingleton(s => new MasterKey(s.GetRequiredService<PortalOptions>().MasterKeyFile ?? s.GetRequiredService<DataFolder>().DefaultMasterKeyFile));
        services.AddSingleton<SecretBox>();
        services.AddSingleton<KeyCheck>();
        services.AddSingleton<IStartupStep, ReadSessionKeys>();
        services.AddSingleton<IXmlRepository, StoredProtectionKeys>();
        services.AddDataProtection().SetApplicationName("Portal");
        // The repository wraps whole keys: an encryptor inside of them would add nothing.
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>>(s => new ConfigureOptions<KeyManagementOptions>(o =>
            (o.XmlRepository, o.XmlEncryptor) = (s.GetRequiredService<IXmlRepository>(), new NullXmlEncryptor())));
    }

    /// <summary>Data protection reads its keys at the start, before the database is open, and fills a page of log with that. Called last: others register it too.</summary>
    public static void WithoutEarlyKeys(this IServiceCollection services)
    {
        foreach (var early in services.Where(d => d.ImplementationType?.Name == "DataProtectionHostedService").ToList()) services.Remove(early);
    }
}
