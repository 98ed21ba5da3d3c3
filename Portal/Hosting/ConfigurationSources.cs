using Microsoft.Extensions.Configuration.Json;

namespace Portal.Hosting;

/// <summary>Where configuration comes from, whatever the working folder is: appsettings.json, then the environment, then the command line.</summary>
public static class ConfigurationSources
{
    const string FileName = "appsettings.json";

    /// <summary>The file at the root of the checkout that this program was built in, else the one beside the program.</summary>
    public static string File
    {
        get
        {
            for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
                if (System.IO.File.Exists(Path.Combine(folder.FullName, "Portal.sln")) && System.IO.File.Exists(Path.Combine(folder.FullName, FileName)))
                    return Path.Combine(folder.FullName, FileName);
            return Path.Combine(AppContext.BaseDirectory, FileName);
        }
    }

    public static WebApplicationOptions HostOptions(IReadOnlyList<string> args) => new()
    {
        Args = [.. args.Where(a => a.Contains('=', StringComparison.Ordinal))],
        ContentRootPath = args.Any(a => a.StartsWith("--contentRoot=", StringComparison.OrdinalIgnoreCase)) ? null : AppContext.BaseDirectory,
    };

    /// <exception cref="InvalidDataException">The file is not JSON.</exception>
    public static void Use(IConfigurationManager configuration, CommandLine line)
    {
        configuration.Sources.Clear();
        configuration
            .AddJsonFile(File, optional: false, reloadOnChange: false)
            .AddEnvironmentVariables("ASPNETCORE_")
            .AddEnvironmentVariables("DOTNET_")
            .AddEnvironmentVariables()
            .AddInMemoryCollection(line.Settings);
    }

    /// <summary>Every key that there is: the shipped file holds them all, each with its default.</summary>
    public static IReadOnlySet<string> KnownKeys()
    {
        var shipped = new ConfigurationBuilder().Add(new JsonConfigurationSource
        {
            Path = FileName,
            FileProvider = new Microsoft.Extensions.FileProviders.PhysicalFileProvider(Path.GetDirectoryName(File)!),
        }).Build();
        return shipped.AsEnumerable().Select(p => p.Key).ToHashSet(StringComparer.OrdinalIgnoreCase);
    }
}
