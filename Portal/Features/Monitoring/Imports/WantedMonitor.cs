using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring.Imports;

/// <summary>A file that monitors are read from, as it came.</summary>
/// <param name="Name">What its owner calls it; null for pasted text.</param>
public sealed record ImportSource(string? Name, ReadOnlyMemory<byte> Content)
{
    public const int LongestCsv = 5 * 1024 * 1024, LongestKuma = 16 * 1024 * 1024, MostMonitors = 5_000;

    /// <summary>A backup is a JSON object; whatever else there is must be a table.</summary>
    public ImportFormat Format => Content.Span.TrimStart("\uFEFF"u8).TrimStart(" \t\r\n"u8) is [(byte)'{' or (byte)'[', ..] ? ImportFormat.UptimeKuma : ImportFormat.Csv;

    /// <exception cref="DomainException">It is none of these, or too large.</exception>
    internal (IReadOnlyList<WantedMonitor> Monitors, IReadOnlyList<string> Notes) Read()
    {
        var most = Format == ImportFormat.Csv ? LongestCsv : LongestKuma;
        if (Content.Length > most) throw Wrong($"The file has more than {most / 1024 / 1024} MB. Divide it into smaller ones.");
        if (Content.Length == 0) throw Wrong("The file is empty.");
        return Format == ImportFormat.Csv ? (MonitorCsv.Read(Content), []) : KumaBackup.Read(Content);
    }

    internal static DomainException Wrong(string text) => new(text, "file");
}

/// <summary>Components by slug, and slugs by component.</summary>
sealed class ComponentSlugs(IEnumerable<(ComponentId Id, string Slug)> components)
{
    readonly Dictionary<string, ComponentId> bySlug = components.ToDictionary(c => c.Slug, c => c.Id);
    readonly Dictionary<ComponentId, string> byId = components.ToDictionary(c => c.Id, c => c.Slug);

    public string? Of(ComponentId? component) => component is { } id ? byId.GetValueOrDefault(id) : null;

    /// <exception cref="DomainException">There is none.</exception>
    public ComponentId? Find(string slug) => slug.Length == 0 ? null : bySlug.TryGetValue(slug, out var id) ? id : throw new DomainException($"There is no component \"{MonitorCsv.Short(slug)}\".", "component");
}

/// <summary>One monitor as a file wants it.</summary>
/// <param name="Line">Where it begins in a table; its position in a backup.</param>
/// <param name="Onto">Its settings: over those that stand, or as new ones.</param>
sealed record WantedMonitor(int Line, string Name, Func<Monitor?, ComponentSlugs, MonitorSettings> Onto)
{
    /// <summary>Null leaves it as it is.</summary>
    public bool? Paused { get; init; }
    /// <summary>Null keeps a consent that stands.</summary>
    public bool? AllowPrivate { get; init; }
    public IReadOnlyDictionary<string, string> Secrets { get; init; } = MonitorSecrets.None;
    /// <summary>What of it is otherwise here, in words.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
    /// <summary>Why it is left out although the file is in order.</summary>
    public string? LeftOut { get; init; }
    /// <summary>One of this name that is there already stays as it is.</summary>
    public bool OnlyNew { get; init; }
}
