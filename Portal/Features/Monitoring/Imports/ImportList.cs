using Microsoft.EntityFrameworkCore;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Monitoring.Imports;

/// <summary>Imports that can be taken back, newest first; and what of one is still as it left it.</summary>
public sealed class ImportList(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    const int Most = 100;

    /// <param name="Untouched">Names of those that would be deleted or put back.</param>
    /// <param name="Edited">Those that somebody edited since: they are kept unless they are chosen.</param>
    public sealed record View(MonitorImport Import, IReadOnlyList<string> Untouched, IReadOnlyList<(MonitorId Id, string Name)> Edited);

    public async Task<IReadOnlyList<MonitorImport>> Load(Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageMonitors);
        var since = clock.GetUtcNow() - MonitorImport.UndoFor;
        await using var db = await contexts.CreateDbContextAsync(ct);
        return await db.MonitorImports.AsNoTracking().Where(i => i.At >= since).OrderByDescending(i => i.At).Take(Most).ToListAsync(ct);
    }

    public async Task<View> LoadOne(MonitorImportId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageMonitors);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var import = await db.MonitorImports.AsNoTracking().SingleOrDefaultAsync(i => i.Id == id, ct) ?? throw new NotFoundException("import");
        var monitors = await (from i in db.ImportedMonitors.AsNoTracking()
                              where i.ImportId == id
                              join m in db.Monitors.AsNoTracking() on i.MonitorId equals m.Id
                              orderby m.Id
                              select m).ToListAsync(ct);
        return new(import, [.. monitors.Where(import.IsAsLeft).Select(m => m.Name)], [.. monitors.Where(m => !import.IsAsLeft(m)).Select(m => (m.Id, m.Name))]);
    }
}

/// <summary>All monitors that match as the table that an import reads; secrets are not in it.</summary>
public sealed class MonitorTable(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <summary>To begin with: some lines that are made up.</summary>
    public const string Example = """"
        name;kind;target;intervalSeconds;timeoutSeconds;failuresBeforeDown;tags;expectText;periodSeconds;secrets.Authorization
        Shop front;http;https://shop.example.com/health;60;10;2;shop env:prod;"says ""ok""";;Bearer replace-this
        Shop certificate;tls;shop.example.com:443;3600;10;;shop;;;
        Orders database;tcp;db.example.com:5432;30;5;3;shop env:prod;;;
        Nightly backup;heartbeat;;;;;backup;;86400;

        """";

    public async Task<string> Load(MonitorList.Filter filter, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewMonitors);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var slugs = new ComponentSlugs((await db.Components.AsNoTracking().Select(c => new { c.Id, c.Slug }).ToListAsync(ct)).Select(c => (c.Id, c.Slug)));
        return MonitorCsv.Write(await MonitorList.Matching(db, filter, clock.GetUtcNow()).ToListAsync(ct), slugs);
    }
}
