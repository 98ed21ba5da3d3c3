using Microsoft.AspNetCore.Components.Server.Circuits;
using Microsoft.Extensions.Logging.Console;
using Portal.Infrastructure;

namespace Portal.Hosting.Logs;

/// <summary>Logs go to the console: JSON for programs, plain lines where a person looks on. <c>Logging:Format</c> says which; empty finds out.</summary>
public static class PortalLogs
{
    /// <summary>A start that fails is told in one line by whoever started it; that the loops were cancelled thereby is no error of theirs.</summary>
    public static bool IsNoise(string category, Exception? exception) =>
        category == "Microsoft.Extensions.Hosting.Internal.Host" && exception is (OperationCanceledException or CannotStartException or IOException { InnerException: Microsoft.AspNetCore.Connections.AddressInUseException });

    public static ILoggingBuilder AddPortalLogs(this ILoggingBuilder logging)
    {
        logging.Services.AddSingleton<CurrentRequest>();
        logging.Services.AddScoped<CircuitHandler, CircuitUser>();
        logging.ClearProviders();
        logging.AddConsole();
        logging.Services.AddOptions<ConsoleLoggerOptions>().Configure<PortalOptions>((console, options) => console.FormatterName = options.LogFormat switch
        {
            LogFormat.Json => JsonLines.FormatterName,
            LogFormat.Plain => PlainLines.FormatterName,
            _ => Console.IsOutputRedirected ? JsonLines.FormatterName : PlainLines.FormatterName,
        });
        logging.AddConsoleFormatter<JsonLines, ConsoleFormatterOptions>();
        logging.AddConsoleFormatter<PlainLines, ConsoleFormatterOptions>();
        logging.SetMinimumLevel(LogLevel.Information);
        // Our own request log says it in one line; what fails in the database is logged by whoever asked, with the request's id.
        logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("System", LogLevel.Warning).AddFilter("Npgsql", LogLevel.Warning);
        logging.AddFilter("Microsoft.EntityFrameworkCore", LogLevel.Critical);
        // Says nothing that our request log does not say, and costs an activity and a scope on every request.
        logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        // Someone's script that asks Blazor for a circuit which is gone is no warning of ours.
        logging.AddFilter("Microsoft.AspNetCore.Components.Server.Circuits", LogLevel.Error);
        logging.AddFilter("Microsoft.AspNetCore.HttpOverrides", LogLevel.Error);
        return logging;
    }
}
