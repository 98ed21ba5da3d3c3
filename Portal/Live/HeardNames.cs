namespace Portal.Live;

/// <summary>The latest names of announcements, so that what comes by several ways is taken once. Bounded: the oldest are forgotten.</summary>
sealed class HeardNames
{
    const int Kept = 4_096;

    readonly Lock gate = new();
    readonly HashSet<string> names = [];
    readonly HashSet<long> versions = [];
    readonly Queue<string> order = new();

    /// <returns>Whether any of them is new.</returns>
    public bool Add(IEnumerable<string> heard)
    {
        var any = false;
        lock (gate)
            foreach (var name in heard)
            {
                if (!names.Add(name)) continue;
                any = true;
                order.Enqueue(name);
                if (Infrastructure.Persistence.Announcement.VersionIn(name) is { } version) versions.Add(version);
                if (order.Count > Kept) Forget(order.Dequeue());
            }
        return any;
    }

    public bool HasVersion(long version) { lock (gate) return versions.Contains(version); }

    void Forget(string name)
    {
        names.Remove(name);
        if (Infrastructure.Persistence.Announcement.VersionIn(name) is { } version) versions.Remove(version);
    }
}
