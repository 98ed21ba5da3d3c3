using Microsoft.EntityFrameworkCore;
using Portal.Hosting;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Redis;

namespace Portal.Features.StatusPages;

/// <summary>Gives the page its id at the first start: clients of the read API know it by that, for ever.</summary>
public sealed class PageIdentity(IDbContextFactory<PortalDbContext> contexts, Installation installation, TimeProvider clock) : IStartupStep
{
    public const string Key = "page.id", DemoKey = "demo";

    /// <summary>Before the first start has finished.</summary>
    public const string Unknown = "00000000000070008000000000000000";

    public int Order => 50;

    public async Task Run(CancellationToken ct)
    {
        await using var db = contexts.CreateDbContext();
        var id = Guid.CreateVersion7(clock.GetUtcNow()).ToString("N");
        await db.Database.ExecuteSqlAsync($"insert into settings (key, value) values ({Key}, {id}) on conflict do nothing", ct);
        installation.Is((await db.Settings.AsNoTracking().SingleAsync(s => s.Key == Key, ct)).Value);
    }
}
