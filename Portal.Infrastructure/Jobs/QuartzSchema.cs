using Quartz;

namespace Portal.Infrastructure.Jobs;

/// <summary>Quartz's own tables, from the script that it carries: made once, by a migration.</summary>
/// <remarks>A newer Quartz may carry another script. A test compares it with what was there when the migration was written: then one more migration brings old installations there.</remarks>
public static class QuartzSchema
{
    public const string Name = "quartz", Prefix = Name + ".qrtz_";

    public static string Script { get; } = Read();

    /// <summary>The statements that make what is missing.</summary>
    public static IEnumerable<string> Statements() => Script.Split("\n--;;\n").Select(s => s.Replace("{0}", Prefix, StringComparison.Ordinal).Replace("{1}", "qrtz_", StringComparison.Ordinal).Trim())
        .Where(s => s.Split('\n').Any(l => l.Trim() is { Length: > 0 } line && !line.StartsWith("--", StringComparison.Ordinal)));

    static string Read()
    {
        using var script = typeof(IScheduler).Assembly.GetManifestResourceStream("Quartz.Impl.AdoJobStore.Schema.create_postgres.sql")
            ?? throw new InvalidOperationException("Quartz carries no script for PostgreSQL.");
        using var reader = new StreamReader(script);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
