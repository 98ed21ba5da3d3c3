using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Features.Jobs;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>Backs up a target to the stores of its plan, verifies what was written, and deletes what the retention lets go.</summary>
public sealed class BackUp(IDbContextFactory<PortalDbContext> contexts, BackupWork work, ApplyRetention retention) : JobKind
{
    public const string Kind = "backup";

    /// <param name="Plan">Null: to the stores named, or to the one that the configuration names.</param>
    public sealed record Arguments(string Target, string? Plan = null, IReadOnlyList<string>? Stores = null)
    {
        public string ToJson() => JsonSerializer.Serialize(this, JsonSerializerOptions.Web);
    }

    /// <param name="Backup">The first of them.</param>
    public sealed record Outcome(string Backup, IReadOnlyList<Written> Backups, int Deleted);

    /// <param name="Level">How far it was verified.</param>
    public sealed record Written(string Backup, string Store, long PlainBytes, long StoredBytes, string Level);

    public override string Name => Kind;

    public override string Title => "Backup";

    public override RunRules Rules(string arguments) => new(Attempts: 3, Repeatable: true, Alone: $"target:{Read(arguments).Target}");

    internal static Arguments Read(string text) => JsonSerializer.Deserialize<Arguments>(text, JsonSerializerOptions.Web)!;

    public override string? InWords(JsonElement result)
    {
        var made = result.Deserialize<Outcome>(JsonSerializerOptions.Web)!;
        return $"{string.Join(", ", made.Backups.Select(b => $"{ByteWords.Of(b.PlainBytes)} to {b.Store}, stored as {ByteWords.Of(b.StoredBytes)}"))}{(made.Deleted > 0 ? $"; {made.Deleted} deleted by the retention" : "")}";
    }

    public override async Task<object?> Run(RunContext run, CancellationToken ct)
    {
        var (target, plan, stores) = await Load(run.Arguments<Arguments>(), ct);
        await work.RemoveLeftOvers(run.Id, ct);
        var (written, failures, deleted) = (new List<Written>(), new List<(BackupStore Store, BackupFailedException Why)>(), 0);
        foreach (var store in stores)
            try
            {
                written.Add(await To(run, target, plan, store, ct));
                deleted += plan is null ? 0 : await retention.Run(plan, store, run.Say, ct);
            }
            catch (BackupFailedException e)
            {
                run.Say($"{store.Name}: {e.Message}");
                failures.Add((store, e));
            }
        if (failures.Count == 0) return new Outcome(written[0].Backup, written, deleted);
        var words = string.Join(" ", failures.Select(f => stores.Count > 1 ? $"{f.Store.Name}: {f.Why.Message}" : f.Why.Message));
        // What is in the other stores stays, and is not made a second time.
        throw failures.Any(f => f.Why.Kind == BackupFailure.Passing) ? new PassingFailureException(words, failures[0].Why) : new DomainException(words);
    }

    async Task<Written> To(RunContext run, BackupTarget target, BackupPlan? plan, BackupStore store, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var backup = await db.Backups.Where(b => b.RunId == run.Id && b.StoreId == store.Id && b.State == BackupState.Kept && b.Damage == null).Select(Backup.Listed).FirstOrDefaultAsync(ct)
            ?? await work.Make(run, target, plan, store, ct);
        var level = plan?.VerifyTo ?? VerificationLevel.Archive;
        if (backup.Level < level) await work.Verify(run, backup.Id, level, ct);
        run.Say($"{target.Name} is in {store.Name}: {ByteWords.Of(backup.PlainBytes)}, stored as {ByteWords.Of(backup.StoredBytes)}.");
        return new(backup.Id.ToString(), store.Name, backup.PlainBytes, backup.StoredBytes, JsonNamingPolicy.CamelCase.ConvertName(level.ToString()));
    }

    async Task<(BackupTarget, BackupPlan?, IReadOnlyList<BackupStore>)> Load(Arguments asked, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var targetId = Known<BackupTargetId>(asked.Target);
        var target = await db.BackupTargets.AsNoTracking().SingleOrDefaultAsync(t => t.Id == targetId && t.RemovedAt == null, ct) ?? throw new DomainException("What was to be backed up was removed meanwhile.", "target");
        BackupPlan? plan = null;
        if (asked.Plan is { } text)
        {
            var planId = Known<BackupPlanId>(text);
            plan = await db.BackupPlans.AsNoTracking().SingleOrDefaultAsync(p => p.Id == planId, ct) ?? throw new DomainException("The plan was deleted meanwhile.", "plan");
        }
        var wanted = plan?.Stores.ToList() ?? asked.Stores?.Select(Known<BackupStoreId>).ToList();
        var all = await db.BackupStores.AsNoTracking().Where(s => s.RetiredAt == null).ToListAsync(ct);
        var stores = wanted is null ? all.Where(s => s.IsConfigured).ToList() : [.. wanted.Select(id => all.Find(s => s.Id == id)).OfType<BackupStore>()];
        return stores.Count > 0 ? (target, plan, stores) : throw new DomainException("None of its stores is in use any more: choose others in the plan.", "stores");
    }

    static T Known<T>(string text) where T : struct, IId<T> => Id.TryParse<T>(text, out var id) ? id : throw new DomainException($"\"{text}\" is no id.");
}
