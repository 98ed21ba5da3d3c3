namespace Portal.Tests.Support;

/// <summary>The one clock of a test: it stands still until <see cref="FastForward"/>, which fires timers in their order on the way.</summary>
public sealed class FakeClock(DateTimeOffset? start = null) : TimeProvider
{
    readonly Lock gate = new();
    readonly List<FakeTimer> timers = [];
    DateTimeOffset now = start ?? new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    long ticks;

    public override DateTimeOffset GetUtcNow() { lock (gate) return now; }
    public override long GetTimestamp() { lock (gate) return ticks; }
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>The wall clock jumps; timers and durations do not notice.</summary>
    public void SetWall(DateTimeOffset to) { lock (gate) now = to; }

    public void FastForward(TimeSpan by)
    {
        long end;
        lock (gate) end = ticks + by.Ticks;
        while (true)
        {
            FakeTimer? next;
            lock (gate)
            {
                next = timers.Where(t => t.Due <= end).MinBy(t => t.Due);
                var step = (next?.Due ?? end) - ticks;
                if (step > 0) { ticks += step; now += TimeSpan.FromTicks(step); }
                if (next is null) return;
                next.Advance();
            }
            next.Fire();
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new FakeTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    sealed class FakeTimer(FakeClock clock, TimerCallback callback, object? state) : ITimer
    {
        TimeSpan period;
        public long Due { get; private set; } = long.MaxValue;

        public bool Change(TimeSpan dueTime, TimeSpan every)
        {
            lock (clock.gate)
            {
                clock.timers.Remove(this);
                period = every;
                if (dueTime == Timeout.InfiniteTimeSpan) Due = long.MaxValue;
                else { Due = clock.ticks + dueTime.Ticks; clock.timers.Add(this); }
            }
            return true;
        }

        public void Advance()
        {
            if (period > TimeSpan.Zero) Due += period.Ticks;
            else { clock.timers.Remove(this); Due = long.MaxValue; }
        }

        public void Fire() => callback(state);
        public void Dispose() { lock (clock.gate) clock.timers.Remove(this); }
        public ValueTask DisposeAsync() { Dispose(); return ValueTask.CompletedTask; }
    }
}
