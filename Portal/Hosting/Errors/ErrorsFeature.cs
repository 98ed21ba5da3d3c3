using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Components.Server.Circuits;
using Portal.Features.Health;
using Portal.Infrastructure;
using Portal.Infrastructure.Sentry;

namespace Portal.Hosting.Errors;

/// <summary>Faults go to a server that speaks the Sentry protocol, where one is configured; elsewhere none of this costs anything.</summary>
public static class ErrorsFeature
{

    /// <summary>Registered first, so that it is stopped last: what fails while the portal stops is told, too.</summary>
    public static IServiceCollection AddErrorReports(this IServiceCollection services, PortalOptions options)
    {
        services.AddSingleton<IHealthPart, ErrorReportsPart>();
        if (options.Sentry is not { } sentry) return services.AddSingleton<IErrorReporter, NoErrorReporter>();
        services.AddSingleton(s => new EnvelopeReporter(sentry.Dsn, new ReportedProgram($"portal@{PortalVersion.Text}", sentry.Environment, s.GetRequiredService<NodeName>().Value),
            s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILogger<EnvelopeReporter>>()));
        services.AddSingleton<IErrorReporter>(s => s.GetRequiredService<EnvelopeReporter>());
        services.AddHostedService(s => s.GetRequiredService<EnvelopeReporter>());
        services.AddSingleton<Trails>().AddSingleton<ErrorLog>().AddSingleton<ILoggerProvider>(s => s.GetRequiredService<ErrorLog>());
        services.AddHostedService<UnseenFaults>();
        services.AddHostedService<ReportCounts>();
        return services.AddScoped<CircuitHandler, CircuitTrail>();
    }

    /// <summary>Behind the frame, so that whoever answers a fault has the request's trail.</summary>
    public static IApplicationBuilder UseErrorTrails(this IApplicationBuilder app)
    {
        if (app.ApplicationServices.GetService<Trails>() is not { } trails) return app;
        return app.Use(async (http, next) =>
        {
            trails.Begin("request");
            await next(http);
        });
    }
}

sealed class ReportCounts(Figures figures, IErrorReporter reporter) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        static Measurement<long> Of(long value, string result) => new(value, new KeyValuePair<string, object?>("result", result));
        figures.Meter.CreateObservableCounter("portal.error.reports", () => reporter.Figures is { } f ? new[] { Of(f.Sent, "sent"), Of(f.Dropped, "dropped") } : [], description: "Reports of faults to the configured server.");
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>Whether reports of faults arrive. A server that was away for a minute is worth a look; a shorter time is bridged.</summary>
sealed class ErrorReportsPart(IErrorReporter reporter) : IHealthPart
{
    static readonly TimeSpan Bridged = TimeSpan.FromMinutes(1);

    public string Name => "error-reports";

    public Task<PartReport> Look(CancellationToken ct) => Task.FromResult(reporter.Figures switch
    {
        null => PartReport.NotConfigured("Error reports are not configured: Sentry:Dsn is empty, so faults stand in the log only."),
        { AwayFor: { } away } when away > Bridged => PartReport.Failing("The server for error reports cannot be reached; faults stand in the log only."),
        var figures => PartReport.Ok(("sent", figures.Sent), ("dropped", figures.Dropped), ("waiting", figures.Waiting)),
    });
}
