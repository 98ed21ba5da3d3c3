namespace Portal.Live;

/// <summary>The latest names of announcements, so that what comes by several ways is taken once. Bounded: the oldest are forgotten.</summary>
sealed class HeardNames
{
    const int Kept = 4_096;

    readonly Lock gate = new();
    readonly HashSet<string> names = [];
    readonly HashSet<long> versions = [];
    readonly Queue<string> order = new();
    long newest;

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
                if (Infrastructure.Persistence.Announcement.VersionIn(name) is { } version)
                {
                    versions.Add(version);
                    newest = Math.Max(newest, version);
                }
                if (order.Count > Kept) Forget(order.Dequeue());
            }
        return any;
    }

    public bool HasVersion(long version) { lock (gate) return versions.Contains(version); }

    /// <summary>The highest version that was told; 0 before the first one.</summary>
    public long Newest { get { lock (gate) return newest; } }

    /// <summary>The database went back to an older state: what its versions meant, they mean no longer.</summary>
    public void ForgetVersions()
    {
        lock (gate)
        {
            versions.Clear();
            newest = 0;
        }
    }

    void Forget(string name)
    {
        names.Remove(name);
        if (Infrastructure.Persistence.Announcement.VersionIn(name) is { } version) versions.Remove(version);
    }
}
