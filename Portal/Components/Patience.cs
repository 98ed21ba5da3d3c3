namespace Portal.Components;

/// <summary>Knows whether something that a person waits for takes long; the layout says so for every screen.</summary>
/// <param name="changed">Called when the answer changes, from any thread.</param>
public sealed class Patience(TimeProvider clock, Action changed)
{
    public static readonly TimeSpan Usual = TimeSpan.FromSeconds(3);

    int late;

    public bool IsOver => Volatile.Read(ref late) > 0;

    /// <summary>Somebody waits until this is disposed.</summary>
    public IDisposable Begin() => new Wait(this, clock);

    void Count(int change)
    {
        Interlocked.Add(ref late, change);
        changed();
    }

    sealed class Wait : IDisposable
    {
        readonly Lock gate = new();
        readonly Patience patience;
        readonly ITimer timer;
        bool ended, isLate;

        public Wait(Patience patience, TimeProvider clock)
        {
            this.patience = patience;
            timer = clock.CreateTimer(_ => Tell(), null, Usual, Timeout.InfiniteTimeSpan);
        }

        void Tell()
        {
            lock (gate)
            {
                if (ended) return;
                isLate = true;
            }
            patience.Count(1);
        }

        public void Dispose()
        {
            bool told;
            lock (gate) (told, ended, isLate) = (isLate, true, false);
            timer.Dispose();
            if (told) patience.Count(-1);
        }
    }
}
