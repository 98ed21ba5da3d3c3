using Microsoft.AspNetCore.DataProtection;

namespace Portal.Hosting;

/// <summary>
/// Reads the keys of forms and cookies while the database is there. Left to the first form, they would be read within its request,
/// by a call that waits for a thread: with a database that hangs at that moment, the sign-in page took twenty seconds.
/// </summary>
public sealed class ReadSessionKeys(IDataProtectionProvider protection, ILogger<ReadSessionKeys> log) : IStartupStep
{
    public int Order => 10;

    public async Task Run(CancellationToken ct)
    {
        try
        {
            await Task.Run(() => protection.CreateProtector(nameof(ReadSessionKeys)).Protect([0]), ct);
        }
        catch (Exception e) when (!Components.Refusal.IsDatabaseAway(e) && !ct.IsCancellationRequested)
        {
            // Nobody can sign in then; the page, the monitors and the rest of the start need no keys.
            log.LogError(e, "The keys of forms and cookies cannot be read: nobody can sign in");
        }
    }
}
