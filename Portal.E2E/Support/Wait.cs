using System.Diagnostics;

namespace Portal.E2E.Support;

/// <summary>Polls a condition until a deadline; never a fixed sleep.</summary>
static class Wait
{
    public static async Task Until(string what, Func<Task<bool>> condition, double seconds = 15)
    {
        var clock = Stopwatch.StartNew();
        Exception? last = null;
        while (clock.Elapsed.TotalSeconds < seconds)
        {
            try
            {
                if (await condition()) return;
                last = null;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException or IOException or Microsoft.Playwright.PlaywrightException) { last = e; }
            await Task.Delay(100);
        }
        throw new TimeoutException($"Within {seconds} s it did not happen that {what}.{(last is null ? "" : $" Last: {last.Message}")}");
    }

    public static Task Until(string what, Func<bool> condition, double seconds = 15) => Until(what, () => Task.FromResult(condition()), seconds);
}
