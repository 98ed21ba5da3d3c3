namespace Portal.Tests.Support;

/// <summary>Waits for what comes about on its own, by asking again: never by a rest that is hoped to be long enough.</summary>
static class Soon
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static async Task<T> Reads<T>(Func<Task<T>> read, Func<T, bool> good, string what, TimeSpan? patience = null)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var value = await read();
            if (good(value)) return value;
            if (TimeProvider.System.GetElapsedTime(began) > (patience ?? Patience)) Assert.Fail($"It never came to: {what}; last: {value}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
        }
    }

    public static Task Comes(Func<Task<bool>> condition, string what) => Reads(condition, came => came, what);

    public static Task Comes(Func<bool> condition, string what) => Comes(() => Task.FromResult(condition()), what);
}
