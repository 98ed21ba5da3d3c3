using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Hosting;
using Portal.Infrastructure;
using Portal.Infrastructure.Backups;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Persistence.Audit;
using Portal.Infrastructure.Persistence.Drills;

namespace Portal.Features.Audit;

/// <summary><c>portal audit verify [--anchors PATH]</c>: whether the audit log is as it was sealed, and as the anchors in a store of backups saw it. It works beside a running portal too.</summary>
public sealed class AuditCommand(Toolbox tools, TextWriter output)
{
    /// <returns>0 when nothing is wrong, 1 when something is.</returns>
    public async Task<int> Run(IReadOnlyList<string> words, string? folder, CancellationToken ct)
    {
        if (words is not ["verify"]) throw new CannotStartException("Write: audit verify [--anchors PATH]. PATH is the folder of a store of backups; without it the configured one is taken.");
        await using var database = new Database();
        database.Open(Database.Connect(await tools.ConnectionBeside(ct)));
        await RequireSchema(database, ct);
        var chain = new AuditChain(database);
        try
        {
            // Before the log is read, so that no anchor can be newer than it.
            var (anchors, where) = await Anchors(chain, folder, ct);
            var verdict = await Say(await chain.Verify(anchors, ct), where);
            return await SayOfDrills(database, ct) > 0 ? 1 : verdict;
        }
        catch (BackupFailedException e)
        {
            await output.WriteLineAsync(e.Message);
            return 1;
        }
    }

    /// <summary>The evidence of drills is a chain of its own, whose seals stand in the audit log.</summary>
    async Task<int> SayOfDrills(Database database, CancellationToken ct)
    {
        await using var db = database.CreateDbContext();
        var (links, problem) = await DrillChain.Verify(db, ct);
        if (problem is not null) await output.WriteLineAsync(problem);
        else if (links > 0) await output.WriteLineAsync($"The {links} pieces of evidence of drills are as they were sealed.");
        return problem is null ? 0 : 1;
    }

    async Task<int> Say(AuditVerdict verdict, string? where)
    {
        if (verdict.Problem is { } problem)
        {
            await output.WriteLineAsync(problem);
            await output.WriteLineAsync($"The {verdict.Rows} rows before it are as they were sealed.");
            return 1;
        }
        await output.WriteLineAsync($"The audit log holds {verdict.Rows} sealed rows, each as it was sealed; {verdict.Waiting} wait for their seal.");
        if (where is null) await output.WriteLineAsync("It was compared with no anchors, so a rewritten whole or a missing end would not show: name a store's folder with --anchors PATH.");
        else if (verdict.Anchors == 0) await output.WriteLineAsync($"{where} holds no anchors yet, so a rewritten whole or a missing end would not show.");
        else await output.WriteLineAsync($"It is as {verdict.Anchors} anchors in {where} saw it.");
        if (verdict.OfLostRows > 0) await output.WriteLineAsync($"{verdict.OfLostRows} anchors are of rows that a restore of this database lost.");
        return 0;
    }

    async Task<(IReadOnlyList<AuditAnchor> Anchors, string? Where)> Anchors(AuditChain chain, string? asked, CancellationToken ct)
    {
        if (asked is not null && !Directory.Exists(asked)) throw new CannotStartException($"There is no folder {asked}: --anchors names the folder of a store of backups.");
        var folder = asked ?? tools.Options.Backups.Place.Folder;
        // Of a bucket somebody makes a copy first: a command asks no store for its secrets.
        if (folder is null || !Directory.Exists(folder)) return ([], null);
        var store = new LocalStore(folder);
        var anchors = new AuditAnchors(store);
        var all = await anchors.All(ct);
        var ours = await chain.Lineage(ct) is { } lineage && all.All(a => lineage.About(a) != Vouching.OfAnotherLog) ? await anchors.InManifests(BackupTarget.Own, lineage, ct) : [];
        return ([.. all, .. ours], store.Words);
    }

    static async Task RequireSchema(Database database, CancellationToken ct)
    {
        await using var db = database.CreateDbContext();
        var state = await Migrator.State(db, ct);
        if (state.Applied.Count == 0) throw new CannotStartException("The database is still empty: there is no audit log yet.");
        if (state.Pending.Count > 0) throw new CannotStartException("The database is of an older version: start this version once, or \"portal migrate up\", and its audit log is sealed.");
    }
}
