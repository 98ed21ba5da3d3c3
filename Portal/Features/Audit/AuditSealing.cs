using Portal.Components;
using Portal.Hosting;
using Portal.Infrastructure.Persistence.Audit;
using Portal.Live;

namespace Portal.Features.Audit;

/// <summary>Seals what was added to the audit log, every second; on an idle portal that is one look at an empty index.</summary>
public sealed class AuditSealing(AuditSealer sealer, StartupState state, TimeProvider clock, ILogger<AuditSealing> log) : BackgroundService
{
    static readonly TimeSpan Every = TimeSpan.FromSeconds(1);
    /// <summary>More at once are those of an older version, and worth a line.</summary>
    const int Many = 10_000;

    readonly DatabaseContact contact = new("The sealer of the audit log", clock, log);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await state.Prepared.WaitAsync(stoppingToken);
        while (true)
        {
            await Turn(stoppingToken);
            await Task.Delay(Every, clock, stoppingToken);
        }
    }

    async Task Turn(CancellationToken ct)
    {
        try
        {
            var began = clock.GetTimestamp();
            var count = await sealer.Seal(ct);
            if (count >= Many) log.LogInformation("Sealed {Count} rows of the audit log in {Seconds:0.0} s", count, clock.GetElapsedTime(began).TotalSeconds);
            contact.Found();
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            if (Refusal.IsDatabaseAway(e)) contact.Lost(e);
            else log.LogError(e, "The audit log could not be sealed; tried again");
        }
    }
}
