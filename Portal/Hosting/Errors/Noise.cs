using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Connections;
using Microsoft.JSInterop;
using Portal.Components;
using Portal.Features.Access;

namespace Portal.Hosting.Errors;

/// <summary>What is logged as a fault and is none of ours; and how often the same is worth telling.</summary>
sealed class Noise(TimeProvider clock)
{
    /// <summary>In a minute, of faults that look alike. A loop that fails is told by a few.</summary>
    public const int AlikePerMinute = 20;
    const int MostKinds = 500;

    readonly Lock gate = new();
    readonly Dictionary<string, (long Since, int Told, int LeftOut)> kinds = [];

    /// <summary>Somebody left, or was refused with words.</summary>
    public static bool Is(Exception exception) => exception switch
    {
        OperationCanceledException or ConnectionAbortedException or ConnectionResetException or BadHttpRequestException or JSDisconnectedException or AntiforgeryValidationException or TooBusyException => true,
        AggregateException { InnerExceptions: var all } => all.All(Is),
        _ => Refusal.TextFor(exception) is not null && !Refusal.IsDatabaseAway(exception),
    };

    /// <param name="leftOut">How many were not told since the last one that was.</param>
    public bool IsWorthTelling(string kind, int perMinute, out int leftOut)
    {
        leftOut = 0;
        var now = clock.GetTimestamp();
        lock (gate)
        {
            if (kinds.Count >= MostKinds && !kinds.ContainsKey(kind)) kinds.Clear();
            if (!kinds.TryGetValue(kind, out var seen) || clock.GetElapsedTime(seen.Since, now) >= TimeSpan.FromMinutes(1)) seen = (now, 0, seen.LeftOut);
            var tell = seen.Told < perMinute;
            if (tell) leftOut = seen.LeftOut;
            kinds[kind] = tell ? (seen.Since, seen.Told + 1, 0) : (seen.Since, seen.Told, seen.LeftOut + 1);
            return tell;
        }
    }
}
