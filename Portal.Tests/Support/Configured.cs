using Microsoft.Extensions.Configuration;
using Portal.Hosting;

namespace Portal.Tests.Support;

/// <summary>Options as a start would make them: the shipped file, and what a test sets.</summary>
static class Configured
{
    public static PortalOptions Shipped { get; } = With();

    public static PortalOptions With(params (string Key, string? Value)[] settings)
    {
        var (options, problems) = Read(settings);
        Assert.Empty(problems);
        return options;
    }

    public static (PortalOptions Options, IReadOnlyList<string> Problems) Read(params (string Key, string? Value)[] settings)
    {
        var configuration = new ConfigurationBuilder().AddJsonFile(ConfigurationSources.File).AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Key, s.Value))).Build();
        return new OptionsReader(configuration, ConfigurationSources.KnownKeys()).Read();
    }
}
