namespace Portal.Live;

/// <summary>What the log is told of a database that does not answer: once when it goes, once when it is back, however often it was asked in between.</summary>
/// <param name="what">Who asks, at the beginning of a sentence.</param>
public sealed class DatabaseContact(string what, TimeProvider clock, ILogger log)
{
    readonly Lock gate = new();
    readonly HashSet<string> without = [];
    long since;

    /// <param name="loop">Which of several that ask: the contact is back when the last of them has it back.</param>
    public void Lost(Exception why, string loop = "")
    {
        lock (gate)
        {
            if (!without.Add(loop) || without.Count > 1) return;
            since = clock.GetTimestamp();
        }
        log.LogWarning("{What} cannot reach the database: {Reason}", what, why.Message);
    }

    public void Found(string loop = "")
    {
        lock (gate)
            if (!without.Remove(loop) || without.Count > 0) return;
        log.LogInformation("{What} reaches the database again, after {Seconds:0.0} s", what, clock.GetElapsedTime(since).TotalSeconds);
    }
}
