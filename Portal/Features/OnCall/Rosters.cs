using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.OnCall;

/// <summary>Schedules with all that decides who is on call within a range: overrides and temporary schedules of other times are not read, however many there ever were.</summary>
public sealed class Rosters
{
    readonly Dictionary<OnCallScheduleId, (OnCallSchedule Schedule, Roster Roster)> all;

    Rosters(IEnumerable<OnCallSchedule> schedules, IReadOnlyDictionary<RotationId, Rotation> rotations) =>
        (all, Rotations) = (schedules.ToDictionary(s => s.Id, s => (s, s.Roster(rotations.GetValueOrDefault))), rotations);

    /// <summary>By name.</summary>
    public IEnumerable<OnCallSchedule> Schedules => all.Values.Select(v => v.Schedule).OrderBy(s => s.Name, StringComparer.Ordinal).ThenBy(s => s.Id.Value);

    /// <summary>Those that the schedules name.</summary>
    public IReadOnlyDictionary<RotationId, Rotation> Rotations { get; }

    /// <summary>Null for one that is gone.</summary>
    public Roster? this[OnCallScheduleId id] => all.TryGetValue(id, out var found) ? found.Roster : null;

    public string? NameOf(OnCallScheduleId id) => all.TryGetValue(id, out var found) ? found.Schedule.Name : null;

    /// <summary>Nobody in a schedule that is gone.</summary>
    public IEnumerable<PersonId> OnCallAt(OnCallScheduleId id, DateTimeOffset at) => this[id]?.OnCallAt(at).Select(p => p.Person) ?? [];

    /// <param name="only">Null for all schedules.</param>
    public static async Task<Rosters> Load(PortalDbContext db, Interval range, IReadOnlyCollection<OnCallScheduleId>? only, CancellationToken ct)
    {
        if (only is { Count: 0 }) return new([], new Dictionary<RotationId, Rotation>());
        var schedules = await Of(only is null ? db.OnCallSchedules : db.OnCallSchedules.Where(s => only.Contains(s.Id)), range).AsNoTracking().ToListAsync(ct);
        var ids = schedules.SelectMany(s => s.Layers).Select(l => l.Rotation).OfType<RotationId>().Distinct().ToList();
        return new(schedules, ids.Count == 0 ? new Dictionary<RotationId, Rotation>() : await db.Rotations.AsNoTracking().Where(r => ids.Contains(r.Id)).ToDictionaryAsync(r => r.Id, ct));
    }

    /// <summary>A schedule to be changed, with what is not over of it.</summary>
    /// <exception cref="NotFoundException">No such schedule.</exception>
    public static async Task<OnCallSchedule> Open(PortalDbContext db, OnCallScheduleId id, DateTimeOffset now, CancellationToken ct) =>
        await Of(db.OnCallSchedules.Where(s => s.Id == id), new(now, DateTimeOffset.MaxValue.ToUniversalTime())).SingleOrDefaultAsync(ct) ?? throw new NotFoundException("schedule");

    static IQueryable<OnCallSchedule> Of(IQueryable<OnCallSchedule> schedules, Interval range)
    {
        var (from, to) = (range.From.ToUniversalTime(), range.To.ToUniversalTime());
        return schedules
            .Include(s => s.Overrides.Where(o => o.To > from && o.From < to).OrderBy(o => o.MadeAt).ThenBy(o => o.Id))
            .Include(s => s.Temporaries.Where(t => t.To > from && t.From < to).OrderBy(t => t.From))
            .AsSplitQuery();
    }
}
