using Microsoft.AspNetCore.Connections;
using Portal.Infrastructure;
using Portal.Infrastructure.Postgres;

namespace Portal.Hosting;

/// <summary>The beginning and the end of the process.</summary>
public static class Startup
{
    /// <summary>The start was refused: a line on the error stream says why.</summary>
    public const int Refused = 2;

    /// <summary>Loads and checks the configuration and registers it. On a mistake every line is written, and null returned.</summary>
    public static PortalOptions? AddOptions(this WebApplicationBuilder builder, CommandLine line)
    {
        if (ReadOptions(builder.Configuration, line) is not { } options) return null;
        builder.Services.AddSingleton(options);
        // As they were checked: the server itself would stumble over blanks.
        builder.WebHost.UseUrls([.. options.Urls]);
        builder.Services.AddSingleton(new DataFolder(options.DataPath));
        return options;
    }

    public static PortalOptions? ReadOptions(IConfigurationManager configuration, CommandLine line)
    {
        if (line.Problems.Count > 0) return Complain(line.Problems);
        try
        {
            ConfigurationSources.Use(configuration, line);
            var (options, problems) = new OptionsReader(configuration, ConfigurationSources.KnownKeys()).Read();
            return problems.Count == 0 ? options : Complain(problems);
        }
        catch (Exception e) when (e is InvalidDataException or FileNotFoundException)
        {
            return Complain([$"{ConfigurationSources.File}: {(e.InnerException ?? e).Message}"]);
        }
    }

    /// <summary>Runs until somebody asks it to stop.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunPortal(this WebApplication app)
    {
        var state = app.Services.GetRequiredService<StartupState>();
        using var folder = app.Services.GetRequiredService<DataFolder>();
        try
        {
            folder.Claim();
            await app.RunAsync();
        }
        catch (CannotStartException e)
        {
            return Complain(e.Message);
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            return Complain($"{e.Message} Choose another address with --urls URL (Urls).");
        }
        return state.GivenUp is { } why ? Complain(why) : 0;
    }

    static PortalOptions? Complain(IReadOnlyList<string> problems)
    {
        foreach (var problem in problems) Complain(problem);
        return null;
    }

    static int Complain(string problem)
    {
        Console.Error.WriteLine(problem);
        return Refused;
    }
}
