using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Infrastructure.Monitoring;
using Portal.Infrastructure.Persistence;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring.Imports;

/// <summary>Takes the monitors of a file in: all in one transaction, or none. What it did can be taken back (<see cref="UndoImport"/>).</summary>
public sealed class ImportMonitors(IDbContextFactory<PortalDbContext> contexts, ImportPlanning planning, SealedSecrets secrets, TimeProvider clock)
{
    /// <param name="AllowPrivate">Consents to all private addresses among them, for an actor who may.</param>
    /// <param name="Mark">Of the plan that was agreed to; null takes what comes.</param>
    public sealed record Request(ImportSource Source, bool AllowPrivate = false, string? Mark = null);

    /// <param name="Heartbeats">Those that were made, with the key of each: it is told only here.</param>
    public sealed record Outcome(MonitorImportId Import, int Created, int Changed, IReadOnlyList<(string Name, string Key)> Heartbeats);

    public async Task<Outcome> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageMonitors);
        var now = clock.GetUtcNow();
        var (plan, steps) = await planning.Plan(request.Source, actor, ct);
        Refuse(request, plan);
        await using var db = await contexts.CreateDbContextAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock(hashtext('portal.monitor-imports')), pg_advisory_xact_lock(hashtext('portal.public-charts'))", ct);
        var import = new MonitorImport(request.Source.Name, plan.Format, ImportPlanning.Fingerprint(request.Source), actor, now);
        db.MonitorImports.RemoveRange(await db.MonitorImports.Where(i => i.At < now - MonitorImport.UndoFor).ToListAsync(ct));
        db.Add(import);
        var done = new List<AuditEntry>();
        await Change(db, [.. steps.Where(s => s.View.Step == ImportStep.Change)], import, done, actor, now, ct);
        var keys = await Create(db, [.. steps.Where(s => s.View.Step == ImportStep.Create)], import, done, actor, now, ct);
        await RequireCharts(db, steps, ct);
        done.Add(new AuditEntry(actor, "monitors.imported", import.Id.ToString(), $"{import.FileName}: {import.Created:N0} made, {import.Changed:N0} changed", now));
        await db.Commit(done, ct);
        await transaction.CommitAsync(ct);
        return new(import.Id, import.Created, import.Changed, keys);
    }

    static void Refuse(Request request, ImportPlan plan)
    {
        if (request.Mark is { } agreed && agreed != plan.Mark) throw new ConflictException("Something that this import touches was changed since it was looked at. Nothing was written: look at what it would do now.");
        if (plan.Monitors.FirstOrDefault(m => m.Step == ImportStep.Wrong) is { } wrong)
            throw new DomainException($"Nothing was written: {plan.Count(ImportStep.Wrong):N0} of {plan.Monitors.Count:N0} are wrong. Line {wrong.Line}{(wrong.Field is null ? "" : $", {wrong.Field}")}: {wrong.Why}", "file");
        if (!plan.CanBeDone) throw new DomainException(plan.Before is { } before ? $"There is nothing to do: {before.By} took this file in already, and what it holds is there." : "There is nothing to do: what the file holds is there already, or cannot be taken in.", "file");
        if (plan.Private is [var first, ..] && !request.AllowPrivate)
            throw new DomainException($"{plan.Private.Count:N0} of them lead to private addresses or may by the table, {first.PrivateHost} for example. Allow them (by API: allowPrivate), or take them out of the file.", "allowPrivate");
    }

    async Task<IReadOnlyList<(string, string)>> Create(PortalDbContext db, IReadOnlyList<ImportPlanning.Step> steps, MonitorImport import, List<AuditEntry> done, Actor actor, DateTimeOffset now, CancellationToken ct)
    {
        var names = steps.Select(s => s.Wanted.Name).ToList();
        if (await db.Monitors.AnyAsync(m => names.Contains(m.Name), ct)) throw new ConflictException("Somebody made a monitor of one of these names meanwhile. Nothing was written: look at what this import would do now.");
        var keys = new List<(string, string)>();
        for (var i = 0; i < steps.Count; i++)
        {
            var (settings, wanted) = (Agreed(steps[i]), steps[i].Wanted);
            // Lists are by age: the order of the file is the order on the screen.
            var monitor = new Monitor(settings, now.AddMilliseconds(i - steps.Count));
            monitor.Change(settings, now);
            if (steps[i].Secrets is { Count: > 0 } all) monitor.Keep(all.Keys, secrets.Seal(all, monitor.Id), now);
            if (wanted.Paused == true) monitor.Pause(now);
            db.AddRange(monitor, new MonitorState(monitor.Id, now), import.Made(monitor));
            if (monitor.Kind == MonitorKind.Heartbeat)
            {
                keys.Add((monitor.Name, Secret.New()));
                db.Add(new Heartbeat(monitor.Id, Secret.HashOf(keys[^1].Item2), now));
            }
            done.Add(new AuditEntry(actor, "monitor.created", monitor.Id.ToString(), CreateMonitor.Summary(monitor), now));
        }
        return keys;
    }

    async Task Change(PortalDbContext db, IReadOnlyList<ImportPlanning.Step> steps, MonitorImport import, List<AuditEntry> done, Actor actor, DateTimeOffset now, CancellationToken ct)
    {
        if (steps.Count == 0) return;
        var (monitors, gone) = await db.Many([.. steps.Select(s => s.Existing!.Id)], ct);
        var current = monitors.ToDictionary(m => m.Id);
        if (gone.Count > 0 || steps.Any(s => current[s.Existing!.Id].Version != s.Existing.Version)) throw new ConflictException("Somebody changed one of these monitors meanwhile. Nothing was written: look at what this import would do now.");
        var ids = monitors.Select(m => m.Id).ToList();
        var heartbeats = await db.Heartbeats.Where(h => ids.Contains(h.MonitorId)).ToDictionaryAsync(h => h.MonitorId, ct);
        foreach (var step in steps)
        {
            var monitor = current[step.Existing!.Id];
            db.Add(import.WillChange(monitor));
            var (schedule, paused) = (ChangeMonitor.Schedule(monitor), monitor.PausedAt);
            monitor.Change(Agreed(step), now);
            if (step.Secrets is { } all) monitor.Keep(all.Keys, secrets.Seal(all, monitor.Id), now);
            if (step.Wanted.Paused == true) monitor.Pause(now);
            if (step.Wanted.Paused == false) monitor.Resume(now);
            if (schedule != ChangeMonitor.Schedule(monitor) || paused is not null && monitor.PausedAt is null) heartbeats.GetValueOrDefault(monitor.Id)?.JudgeFrom(now);
            done.Add(new AuditEntry(actor, "monitor.changed", monitor.Id.ToString(), CreateMonitor.Summary(monitor), now));
        }
    }

    /// <summary>Somebody may have shown another chart since it was planned.</summary>
    static async Task RequireCharts(PortalDbContext db, IReadOnlyList<ImportPlanning.Step> steps, CancellationToken ct)
    {
        var more = steps.Count(s => s.View.Step is ImportStep.Create or ImportStep.Change && s.Settings?.PublicChart is not null && s.Existing?.PublicChart is null);
        if (more > 0 && await db.Monitors.CountAsync(m => m.PublicChart != null, ct) + more > Monitor.MostPublicCharts)
            throw new DomainException($"The status page has room for {Monitor.MostPublicCharts} charts.", "publicChart");
    }

    static MonitorSettings Agreed(ImportPlanning.Step step) => step.View.PrivateHost is null ? step.Settings! : step.Settings! with { AllowPrivate = true };
}
