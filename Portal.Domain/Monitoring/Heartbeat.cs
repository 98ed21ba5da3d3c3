using System.Globalization;
using Portal.Domain.Shared;

namespace Portal.Domain.Monitoring;

/// <summary>What a job tells its heartbeat monitor.</summary>
public enum HeartbeatSignal { Ping, Start, Fail }

/// <summary>What a heartbeat says at a moment.</summary>
/// <param name="Duration">How long the last run took, where its start was told.</param>
public sealed record HeartbeatVerdict(CheckOutcome Outcome, string? Detail, TimeSpan? Duration);

/// <summary>What was heard of one heartbeat monitor. Which pings are wanted stands in its options; the key that opens it is stored hashed.</summary>
public sealed class Heartbeat
{
    Heartbeat() { }

    public Heartbeat(MonitorId monitor, byte[] keyHash, DateTimeOffset now) => (MonitorId, KeyHash, JudgedFrom) = (monitor, keyHash, now);

    public MonitorId MonitorId { get; private set; }
    public byte[] KeyHash { get; private set; } = [];
    /// <summary>Since when pings are awaited: a resumed or changed one begins anew.</summary>
    public DateTimeOffset JudgedFrom { get; private set; }
    public DateTimeOffset? LastPingAt { get; private set; }
    /// <summary>When the last run began, while it is on its way; null when none is.</summary>
    public DateTimeOffset? StartedAt { get; private set; }
    /// <summary>The first beginning that no ping has answered: a job that begins again and again and never ends is not well.</summary>
    public DateTimeOffset? UnansweredSince { get; private set; }
    /// <summary>When the job said that it failed; null once it succeeded.</summary>
    public DateTimeOffset? FailedAt { get; private set; }
    public string? FailDetail { get; private set; }
    public TimeSpan? LastDuration { get; private set; }

    /// <summary>A node of an older version hears the answer and leaves the beginning as it was.</summary>
    DateTimeOffset? Unanswered => UnansweredSince < LastPingAt || UnansweredSince < JudgedFrom ? null : UnansweredSince;

    /// <summary>The address that opened it before does so no longer.</summary>
    public void Rekey(byte[] keyHash) => KeyHash = keyHash;

    /// <summary>It was resumed, or is expected at other times: what was missed before is not held against it.</summary>
    public void JudgeFrom(DateTimeOffset now) => (JudgedFrom, StartedAt, UnansweredSince, FailedAt, FailDetail) = (now, null, null, null, null);

    /// <summary>The same signal twice is as good as once.</summary>
    public void Hear(HeartbeatSignal signal, string? detail, DateTimeOffset now)
    {
        if (signal == HeartbeatSignal.Start)
        {
            StartedAt = now;
            UnansweredSince = Unanswered ?? now;
            return;
        }
        // A second ping tells nothing of the run that the first one ended.
        if (StartedAt is not null) LastDuration = now > StartedAt ? now - StartedAt : TimeSpan.Zero;
        (StartedAt, UnansweredSince) = (null, null);
        LastPingAt = now;
        FailedAt = signal == HeartbeatSignal.Fail ? now : null;
        FailDetail = FailedAt is null ? null : detail;
    }

    public HeartbeatVerdict Judge(MonitorOptions options, DateTimeOffset now)
    {
        var grace = TimeSpan.FromSeconds(options.GraceSeconds ?? 0);
        if (FailedAt is { } failed) return new(CheckOutcome.Down, $"The job reported a failure at {Words(failed)}{(FailDetail is { } why ? $": {why}" : ".")}", LastDuration);
        if (Unanswered is { } started && now - started > Longest(grace)) return new(CheckOutcome.Down, $"The run that began at {Words(started)} has not ended within {Span(Longest(grace))}.", null);
        if (LastPingAt is null && Unanswered is null) return new(CheckOutcome.NotConfigured, "No ping has arrived yet. Call its address at the end of the job.", null);
        var heard = Later(LastPingAt, Unanswered)!.Value;
        var since = Later(heard, JudgedFrom)!.Value;
        if (Due(options, since) is { } due && now > due + grace) return new(CheckOutcome.Down, $"No ping since {Words(heard)}; one was due at {Words(due)}.", null);
        return heard < JudgedFrom ? new(CheckOutcome.NotConfigured, $"Waiting for the first ping since {Words(JudgedFrom)}.", null) : new(CheckOutcome.Up, null, LastDuration);
    }

    /// <summary>When the next ping after this time is due.</summary>
    public static DateTimeOffset? Due(MonitorOptions options, DateTimeOffset after) => options.Cron is { } cron
        ? Crontab.Parse(cron).Next(after, TimeZoneInfo.FindSystemTimeZoneById(options.Zone ?? "UTC"))
        : after + TimeSpan.FromSeconds(options.PeriodSeconds ?? 0);

    /// <summary>Without any grace a run would be late as it begins.</summary>
    static TimeSpan Longest(TimeSpan grace) => grace > TimeSpan.FromMinutes(1) ? grace : TimeSpan.FromMinutes(1);

    static DateTimeOffset? Later(DateTimeOffset? a, DateTimeOffset? b) => a is null || b > a ? b : a;

    static string Words(DateTimeOffset at) => at.UtcDateTime.ToString("d MMM, HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    static string Span(TimeSpan span) => span.TotalHours >= 1 ? $"{span.TotalHours.ToString("0.#", CultureInfo.InvariantCulture)} h" : $"{span.TotalMinutes.ToString("0.#", CultureInfo.InvariantCulture)} min";
}
