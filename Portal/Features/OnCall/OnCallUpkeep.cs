using Microsoft.EntityFrameworkCore;
using Portal.Components;
using Portal.Domain.Access;
using Portal.Domain.Notifications;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Hosting;
using Portal.Infrastructure.Persistence;
using Portal.Live;

namespace Portal.Features.OnCall;

/// <summary>Puts everybody into the rotations of the first start until people look after them, and tells whoever's shift begins.</summary>
public sealed class OnCallUpkeep(IDbContextFactory<PortalDbContext> contexts, StartupState state, ChangeFeed feed, TimeProvider clock, ILogger<OnCallUpkeep> log) : BackgroundService
{
    static readonly TimeSpan Every = TimeSpan.FromSeconds(15);
    /// <summary>A shift that began longer ago is no news, also after the portal was away.</summary>
    public static readonly TimeSpan Recent = TimeSpan.FromHours(4);
    readonly DatabaseContact contact = new("The upkeep of on-call", clock, log);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await state.Prepared.WaitAsync(stoppingToken);
        using var woken = new SemaphoreSlim(0, 1);
        using var subscription = feed.Subscribe("people", () =>
        {
            if (woken.CurrentCount == 0) woken.Release();
            return Task.CompletedTask;
        }, TimeSpan.FromSeconds(1));
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Fill(stoppingToken);
                await TellOfShifts(stoppingToken);
                contact.Found();
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                if (Refusal.IsDatabaseAway(e)) contact.Lost(e);
                else log.LogError(e, "The upkeep of on-call failed and is tried again");
            }
            await woken.WaitAsync(Every, stoppingToken);
        }
    }

    /// <summary>Everybody who is active, in the order in which they came; the rotations keep their distance.</summary>
    public async Task Fill(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var kept = await db.Rotations.Where(r => r.KeepsAhead != null).OrderBy(r => r.KeepsAhead).ThenBy(r => r.Id).ToListAsync(ct);
        if (kept.Count == 0) return;
        var people = await db.People.AsNoTracking().Where(p => p.DeactivatedAt == null).OrderBy(p => p.CreatedAt).ThenBy(p => p.Id).Select(p => p.Id).Take(Rotation.MostParticipants).ToListAsync(ct);
        var (lead, ahead) = (kept[0].OnDutyAt(now), kept[0].KeepsAhead!.Value);
        foreach (var rotation in kept) rotation.Fill(people, lead, ahead, now);
        await SaveUnlessOvertaken(db, ct);
    }

    /// <summary>At least once each: the row says that it was told, and is what tells it.</summary>
    public async Task TellOfShifts(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var range = new Interval(now - Recent, now.AddDays(1));
        var rosters = await Rosters.Load(db, range, null, ct);
        var begun = (from schedule in rosters.Schedules
                     from shift in rosters[schedule.Id]!.Shifts(range.From, range.To)
                         // What begins with the range began before it.
                     where shift.Time.From > range.From && shift.Time.From <= now && shift.Time.To > now
                     select (Schedule: schedule, Shift: shift, Key: $"hand-over:{schedule.Id}:{shift.Person}:{shift.Time.From.ToUnixTimeSeconds()}")).ToList();
        if (begun.Count == 0) return;
        var keys = begun.Select(b => b.Key).ToList();
        var known = await db.Deliveries.Where(d => keys.Contains(d.Key)).Select(d => d.Key).ToListAsync(ct);
        var people = begun.Select(b => b.Shift.Person).Distinct().ToList();
        var mails = await db.People.AsNoTracking().Where(p => people.Contains(p.Id) && p.DeactivatedAt == null && !db.ShiftSettings.Any(s => s.PersonId == p.Id && !s.TellsOfShifts)).ToDictionaryAsync(p => p.Id, p => p.Email, ct);
        foreach (var (schedule, shift, key) in begun.ExceptBy(known, b => b.Key))
            if (mails.TryGetValue(shift.Person, out var mail))
                db.Deliveries.Add(new Delivery(DeliveryPurpose.HandOver, new(ChannelKind.Email, null, shift.Person, null, mail), key, $"You are on call: {schedule.Name}", Words(rosters[schedule.Id]!, schedule, shift, now), null, now, now));
        await SaveUnlessOvertaken(db, ct);
    }

    static string Words(Roster roster, OnCallSchedule schedule, Shift shift, DateTimeOffset now)
    {
        var end = roster.Shifts(now, now.AddDays(60)).FirstOrDefault(s => s.Person == shift.Person)?.Time.To;
        return $"Your shift in {schedule.Name} began on {OnCallWords.Moment(shift.Time.From, schedule.Zone)}{(end < now.AddDays(60) ? $" and ends on {OnCallWords.Moment(end.Value, schedule.Zone)}" : "")}.\nYou are paged for alerts of the services that go by this schedule. Look whether your contacts are up to date; if you cannot take it, let somebody stand in for you on the page On-call.";
    }

    /// <summary>Another node did the same at this moment, or somebody changed it: the next look sees what stands.</summary>
    static async Task SaveUnlessOvertaken(PortalDbContext db, CancellationToken ct)
    {
        try
        {
            await db.SaveChangesAsync(ct);
        }
        catch (DbUpdateException e) when (e is DbUpdateConcurrencyException || Contention.IsTaken(e))
        {
            return;
        }
    }
}
