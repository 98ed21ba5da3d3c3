using Portal.Infrastructure.Persistence.DemoData;

namespace Portal.Hosting;

/// <summary><c>--demo</c>: before anything else is planted.</summary>
public sealed class FillDemoData(DemoData demo, PortalOptions options, ILogger<FillDemoData> log) : IStartupStep
{
    public int Order => 0;

    public async Task Run(CancellationToken ct)
    {
        if (!options.Demo) return;
        log.LogInformation("{Message}", await demo.Fill(ct) ? "The database was filled with demonstration data" : "The database holds the demonstration data already");
    }
}
