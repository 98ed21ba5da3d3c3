using Portal.Domain.Monitoring;
using Portal.Domain.Shared;

namespace Portal.Domain.Jobs;

public readonly record struct JobScheduleId(Guid Value) : IId<JobScheduleId>
{
    public static JobScheduleId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>Work that is expected again and again, at times that a crontab writes down in a zone.</summary>
public sealed class JobSchedule
{
    /// <summary>A slot is begun late rather than never, up to half the time until the next one and at most so long.</summary>
    public static readonly TimeSpan LatestStart = TimeSpan.FromHours(1);

    public const int CronLength = 200;

    JobSchedule() { }

    /// <param name="cron">As in <see cref="Crontab"/>.</param>
    /// <param name="zone">IANA id.</param>
    /// <exception cref="DomainException">The crontab or the zone is none.</exception>
    public JobSchedule(string kind, string subject, string arguments, string cron, string zone, DateTimeOffset now, JobScheduleId? id = null)
    {
        Id = id ?? Shared.Id.New<JobScheduleId>(now);
        (Kind, Subject, Arguments) = (kind, subject, arguments);
        SetTimes(cron, zone, now);
    }

    public JobScheduleId Id { get; private set; }
    public string Kind { get; private set; } = "";
    public string Subject { get; private set; } = "";
    public string Arguments { get; private set; } = "{}";
    public string Cron { get; private set; } = "";
    public string Zone { get; private set; } = "UTC";
    public DateTimeOffset? PausedAt { get; private set; }
    /// <summary>Slots up to here are settled: expected, or not wanted.</summary>
    public DateTimeOffset SettledUntil { get; private set; }
    public uint Version { get; private set; }

    public void SetTimes(string cron, string zone, DateTimeOffset now)
    {
        if (cron.Length > CronLength) throw new DomainException($"A crontab takes at most {CronLength} characters here.", "cron");
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _)) throw new DomainException($"\"{zone}\" is not a time zone like Europe/Berlin.", "zone");
        (Cron, Zone, SettledUntil) = (Crontab.Parse(cron).ToString(), zone, now);
    }

    /// <summary>"every Sunday at 03:30 Europe/Berlin"; the crontab itself where that says it best.</summary>
    public string InWords() => Crontab.Parse(Cron).InWords() is not { } words ? $"{Cron} ({Zone})" : words.Contains(':', StringComparison.Ordinal) ? $"{words} {Zone}" : words;

    public void Pause(DateTimeOffset now) => PausedAt ??= now;

    /// <summary>What would have come meanwhile is not made up for.</summary>
    public void Resume(DateTimeOffset now)
    {
        if (PausedAt is null) return;
        (PausedAt, SettledUntil) = (null, now);
    }

    /// <summary>The next times after this one.</summary>
    public IEnumerable<DateTimeOffset> After(DateTimeOffset time)
    {
        var (crontab, zone) = (Crontab.Parse(Cron), TimeZoneInfo.FindSystemTimeZoneById(Zone));
        for (var next = crontab.Next(time, zone); next is { } slot; next = crontab.Next(slot, zone)) yield return slot;
    }

    /// <summary>The slots that are to be expected by now: those that have come, and the next one, each with the time by which it must have begun.</summary>
    /// <param name="most">Of those that have come unnoticed so many at most, the latest ones.</param>
    public IReadOnlyList<(DateTimeOffset Slot, DateTimeOffset StartBy)> Settle(DateTimeOffset now, int most)
    {
        if (PausedAt is not null || SettledUntil > now) return [];
        var slots = new Queue<(DateTimeOffset, DateTimeOffset)>();
        DateTimeOffset? slot = null;
        foreach (var next in After(SettledUntil))
        {
            if (slot is { } known)
            {
                var patience = (next - known) / 2;
                slots.Enqueue((known, known + (patience < LatestStart ? patience : LatestStart)));
                if (slots.Count > most + 1) slots.Dequeue();
                SettledUntil = known;
                if (known > now) break;
            }
            slot = next;
        }
        return [.. slots];
    }
}
