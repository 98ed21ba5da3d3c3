using Microsoft.AspNetCore.DataProtection;

namespace Portal.Hosting;

/// <summary>
/// Reads the keys of forms and cookies while the database is there. Left to the first form, they would be read within its request,
/// by a call that waits for a thread: with a database that hangs at that moment, the sign-in page took twenty seconds.
/// </summary>
public sealed class ReadSessionKeys(IDataProtectionProvider protection) : IStartupStep
{
    public int Order => 10;

    public Task Run(CancellationToken ct) => Task.Run(() => protection.CreateProtector(nameof(ReadSessionKeys)).Protect([0]), ct);
}
