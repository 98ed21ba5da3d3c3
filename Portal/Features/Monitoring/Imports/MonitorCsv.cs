using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using CsvHelper;
using CsvHelper.Configuration;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring.Imports;

/// <summary>Monitors as a table: a line each, under the names that the API has for the fields. What it writes it reads again.</summary>
static partial class MonitorCsv
{
    /// <summary>The name of a column that holds values of one header, or the password, follows it.</summary>
    public const string SecretPrefix = "secrets.";
    const int LongestField = 20_000;

    /// <param name="Of">What stands; empty for nothing.</param>
    /// <param name="Set">An empty text is what a new monitor has.</param>
    sealed record Column(string Name, Func<Monitor, ComponentSlugs, string?> Of, Func<MonitorSettings, string, ComponentSlugs, MonitorSettings> Set);

    static readonly MonitorSettings New = new("", MonitorKind.Http, "", TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10), null);

    static readonly Column[] Columns =
    [
        new("name", (m, _) => m.Name, (s, t, _) => s with { Name = t }),
        new("kind", (m, _) => MonitorOptions.Word(m.Kind), (s, t, _) => s with { Kind = Kind(t) }),
        new("target", (m, _) => m.Target, (s, t, _) => s with { Target = t }),
        new("intervalSeconds", (m, _) => Written(m.Interval), (s, t, _) => s with { Interval = Seconds(t, "intervalSeconds") ?? New.Interval }),
        new("timeoutSeconds", (m, _) => Written(m.Timeout), (s, t, _) => s with { Timeout = Seconds(t, "timeoutSeconds") ?? New.Timeout }),
        new("component", (m, slugs) => slugs.Of(m.ComponentId), (s, t, slugs) => s with { Component = slugs.Find(t) }),
        new("impact", (m, _) => Api.ApiJson.Word(m.Impact), (s, t, _) => s with { Impact = Impact(t) }),
        new("expectStatus", (m, _) => m.ExpectStatus, (s, t, _) => s with { ExpectStatus = t.Length > 0 ? t : New.ExpectStatus }),
        new("failuresBeforeDown", (m, _) => Written(m.FailuresBeforeDown), (s, t, _) => Confirmed(s, Number(t, "failuresBeforeDown") ?? Usual(s.Kind))),
        new("window", (m, _) => Written(m.Window), (s, t, _) => s with { Window = Number(t, "window") ?? s.FailuresBeforeDown }),
        new("successesBeforeUp", (m, _) => Written(m.SuccessesBeforeUp), (s, t, _) => s with { SuccessesBeforeUp = Number(t, "successesBeforeUp") ?? New.SuccessesBeforeUp }),
        new("allowPrivate", (m, _) => Written(m.AllowPrivate), (s, _, _) => s),
        new("paused", (m, _) => Written(m.PausedAt is not null), (s, _, _) => s),
        new("critical", (m, _) => Written(m.Critical), (s, t, _) => s with { Critical = Flag(t, "critical") == true }),
        new("dampFlapping", (m, _) => Written(m.DampFlapping), (s, t, _) => s with { DampFlapping = Flag(t, "dampFlapping") ?? true }),
        new("publicChart", (m, _) => m.PublicChart, (s, t, _) => s with { PublicChart = t }),
        new("tags", (m, _) => string.Join(' ', m.Tags), (s, t, _) => s with { Tags = MonitorTags.Parse(t) }),
        Option("method", (o, t) => o with { Method = t }),
        Option("body", (o, t) => o with { Body = t }),
        Option("expectText", (o, t) => o with { ExpectText = t }),
        Option("rejectText", (o, t) => o with { RejectText = t }),
        Option("expectJsonPath", (o, t) => o with { ExpectJsonPath = t }),
        Option("expectJsonValue", (o, t) => o with { ExpectJsonValue = t }),
        Option("expectPattern", (o, t) => o with { ExpectPattern = t }),
        Option("slowerThanMilliseconds", (o, t) => o with { SlowerThanMilliseconds = Number(t, "slowerThanMilliseconds") }),
        Option("followRedirects", (o, t) => o with { FollowRedirects = Flag(t, "followRedirects") }),
        Option("expectCertificateDays", (o, t) => o with { ExpectCertificateDays = Number(t, "expectCertificateDays") }),
        Option("recordType", (o, t) => o with { RecordType = t }),
        Option("resolver", (o, t) => o with { Resolver = t }),
        Option("expectValue", (o, t) => o with { ExpectValue = t }),
        Option("query", (o, t) => o with { Query = t }),
        Option("service", (o, t) => o with { Service = t }),
        Option("startTls", (o, t) => o with { StartTls = Flag(t, "startTls") }),
        Option("periodSeconds", (o, t) => o with { PeriodSeconds = Number(t, "periodSeconds") }),
        Option("cron", (o, t) => o with { Cron = t }),
        Option("zone", (o, t) => o with { Zone = t }),
        Option("graceSeconds", (o, t) => o with { GraceSeconds = Number(t, "graceSeconds") }),
    ];

    public static IEnumerable<string> Names => Columns.Select(c => c.Name);

    /// <summary>Where two monitors differ, in the words of the table.</summary>
    public static IEnumerable<string> Differences(Monitor old, Monitor wanted, ComponentSlugs slugs) =>
        from column in Columns
        let pair = (Old: column.Of(old, slugs) ?? "", New: column.Of(wanted, slugs) ?? "")
        where pair.Old != pair.New
        select $"{column.Name}: {(pair.Old.Length > 0 ? Short(pair.Old) : "nothing")} → {(pair.New.Length > 0 ? Short(pair.New) : "nothing")}";

    public static string Write(IEnumerable<Monitor> monitors, ComponentSlugs slugs)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        using var csv = new CsvWriter(text, new CsvConfiguration(CultureInfo.InvariantCulture) { NewLine = "\r\n", ShouldQuote = field => ConfigurationFunctions.ShouldQuote(field) || field.Field.AsSpan().ContainsAny(';', '\t') });
        foreach (var name in Names) csv.WriteField(name);
        csv.NextRecord();
        foreach (var monitor in monitors)
        {
            foreach (var column in Columns) csv.WriteField(Guarded(column.Of(monitor, slugs) ?? ""));
            csv.NextRecord();
        }
        csv.Flush();
        return text.ToString();
    }

    /// <exception cref="DomainException">It is no such table; what is wrong with one line alone is said when it is planned.</exception>
    public static IReadOnlyList<WantedMonitor> Read(ReadOnlyMemory<byte> content)
    {
        var text = Decoded(content);
        using var parser = new CsvParser(new StringReader(text), new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            Delimiter = Delimiter(text),
            MaxFieldSize = LongestField,
            // A line is told by its number, so none is passed over unseen.
            IgnoreBlankLines = false,
            BadDataFound = bad => throw ImportSource.Wrong($"Line {bad.Context.Parser?.RawRow}: a quotation mark stands within a field. Put the whole field in quotation marks and double those within it."),
        });
        try
        {
            while (parser.Read() && parser.Record!.All(string.IsNullOrWhiteSpace)) { }
            if (parser.Record is null) throw ImportSource.Wrong("The file is empty.");
            var heads = Heads(parser.Record!);
            var wanted = new List<WantedMonitor>();
            for (var line = parser.RawRow + 1; parser.Read(); line = parser.RawRow + 1)
            {
                if (parser.Record!.All(string.IsNullOrWhiteSpace)) continue;
                if (parser.Record!.Length != heads.Count) throw ImportSource.Wrong($"Line {line} has {parser.Record.Length} fields and the first line {heads.Count}.");
                if (wanted.Count == ImportSource.MostMonitors) throw ImportSource.Wrong($"The file has more than {ImportSource.MostMonitors:N0} monitors. Divide it into smaller ones.");
                wanted.Add(Row(line, heads.Zip(parser.Record, (head, field) => (head, Unguarded(IsVerbatim(head) ? field : field.Trim()))).ToDictionary(StringComparer.OrdinalIgnoreCase)));
            }
            return wanted.Count > 0 ? wanted : throw ImportSource.Wrong("The file has no line below the names of its columns.");
        }
        catch (MaxFieldSizeException)
        {
            throw ImportSource.Wrong($"Line {parser.RawRow}: a field has more than {LongestField:N0} characters. Is a quotation mark missing?");
        }
    }

    /// <summary>White space at the edges of these is meant.</summary>
    static bool IsVerbatim(string head) => head is "body" or "expectText" or "rejectText" or "expectJsonValue" or "expectPattern" or "expectValue" || head.StartsWith(SecretPrefix, StringComparison.OrdinalIgnoreCase);

    static WantedMonitor Row(int line, Dictionary<string, string> fields)
    {
        Func<string, bool?> flag = name => fields.TryGetValue(name, out var text) ? Flag(text, name) : null;
        bool? paused = null, allowPrivate = null;
        DomainException? wrong = null;
        try
        {
            (paused, allowPrivate) = (flag("paused"), flag("allowPrivate"));
        }
        catch (DomainException e)
        {
            wrong = e;
        }
        return new(line, fields["name"], (old, slugs) => wrong is null ? Onto(old, fields, slugs) : throw wrong)
        {
            Paused = paused,
            AllowPrivate = allowPrivate,
            Secrets = fields.Where(f => f.Key.StartsWith(SecretPrefix, StringComparison.OrdinalIgnoreCase) && f.Value.Length > 0).ToDictionary(f => f.Key[SecretPrefix.Length..], f => f.Value, StringComparer.OrdinalIgnoreCase),
        };
    }

    static MonitorSettings Onto(Monitor? old, Dictionary<string, string> fields, ComponentSlugs slugs)
    {
        if (old is null)
            foreach (var needed in (string[])["kind", "target"])
                if (fields.GetValueOrDefault(needed, "").Length == 0 && !(needed == "target" && fields["kind"].Equals("heartbeat", StringComparison.OrdinalIgnoreCase))) throw new DomainException($"A new monitor needs a {needed}.", needed);
        var settings = old?.Settings ?? New with { FailuresBeforeDown = Usual(Kind(fields["kind"])), Window = 1 };
        foreach (var column in Columns)
            if (fields.TryGetValue(column.Name, out var text)) settings = column.Set(settings, text, slugs);
        return old is null && !fields.ContainsKey("window") ? settings with { Window = settings.FailuresBeforeDown } : settings;
    }

    static List<string> Heads(string[] record)
    {
        List<string> heads = [.. record.Select(h => h.Trim())];
        for (var i = 0; i < heads.Count; i++)
        {
            if (heads[i].StartsWith(SecretPrefix, StringComparison.OrdinalIgnoreCase) && heads[i].Length > SecretPrefix.Length) continue;
            heads[i] = Names.FirstOrDefault(n => n.Equals(heads[i], StringComparison.OrdinalIgnoreCase))
                ?? throw ImportSource.Wrong($"Line 1, column {i + 1}: there is no field \"{Short(heads[i])}\". There are: {string.Join(", ", Names)}, and {SecretPrefix} with the name of a header, or {SecretPrefix}password.");
        }
        if (heads.GroupBy(h => h, StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Count() > 1) is { } twice) throw ImportSource.Wrong($"The column {Short(twice.Key)} is there twice.");
        return heads.Contains("name") ? heads : throw ImportSource.Wrong("There is no column \"name\", by which monitors are recognised.");
    }

    static string Decoded(ReadOnlyMemory<byte> content)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(content.Span.StartsWith(Encoding.UTF8.Preamble) ? content.Span[3..] : content.Span);
        }
        catch (DecoderFallbackException)
        {
            throw ImportSource.Wrong("The file is not written in UTF-8. Save it as \"CSV UTF-8\".");
        }
    }

    static string Delimiter(string text)
    {
        var first = text.AsSpan().TrimStart("\r\n");
        first = first.IndexOfAny('\r', '\n') is >= 0 and var end ? first[..end] : first;
        return first.Count(';') > first.Count(',') ? ";" : ",";
    }

    /// <summary>Spreadsheets take what begins so for a formula, also what they were told to be text.</summary>
    static string Guarded(string text) => (text is ['=' or '+' or '-' or '@' or '\t' or '\r' or '\'', ..] ? "'" : "") + FormulaWithin().Replace(text, "'");

    static string Unguarded(string text) => GuardWithin().Replace(text is ['\'', '=' or '+' or '-' or '@' or '\t' or '\r' or '\'', ..] ? text[1..] : text, "");

    /// <summary>Where a spreadsheet separates by something else a field ends within ours, whose quotation marks then count for nothing.</summary>
    [GeneratedRegex(@"(?<=[;\t\r\n])(?='*[=+\-@])")]
    private static partial Regex FormulaWithin();

    [GeneratedRegex(@"(?<=[;\t\r\n])'(?='*[=+\-@])")]
    private static partial Regex GuardWithin();

    static Column Option(string name, Func<MonitorOptions, string?, MonitorOptions> set) => new(name,
        (m, _) => MonitorOptions.Fields[name].Of(m.Options) switch { bool flag => Written(flag), { } value => Convert.ToString(value, CultureInfo.InvariantCulture), null => null },
        (s, t, _) => s with { Options = set(s.Options ?? MonitorOptions.None, t.Length > 0 ? t : null) });

    static MonitorSettings Confirmed(MonitorSettings s, int failures) => s with { FailuresBeforeDown = failures, Window = Math.Max(failures, s.Window) };

    /// <summary>A job says clearly that it failed: one look confirms it.</summary>
    static int Usual(MonitorKind kind) => kind == MonitorKind.Heartbeat ? 1 : New.FailuresBeforeDown;

    static MonitorKind Kind(string text) => Enum.TryParse<MonitorKind>(text, ignoreCase: true, out var kind) && text.All(char.IsLetter) ? kind
        : throw new DomainException($"There is no such kind. There are: {string.Join(", ", Enum.GetValues<MonitorKind>().Select(MonitorOptions.Word))}.", "kind");

    static ComponentStatus Impact(string text) => text.Length == 0 ? New.Impact : Enum.GetValues<ComponentStatus>().Where(s => Api.ApiJson.Word(s).Equals(text, StringComparison.OrdinalIgnoreCase)).Select(s => (ComponentStatus?)s).FirstOrDefault()
        ?? throw new DomainException("The impact is one of: degraded_performance, partial_outage, major_outage.", "impact");

    static int? Number(string? text, string field) => string.IsNullOrEmpty(text) ? null : MonitorDraft.Whole(text, field, "or empty");

    static TimeSpan? Seconds(string text, string field) => Number(text, field) is { } seconds ? TimeSpan.FromSeconds(seconds) : null;

    static bool? Flag(string? text, string field) => text?.ToLowerInvariant() switch
    {
        null or "" => null,
        "true" or "yes" or "1" => true,
        "false" or "no" or "0" => false,
        _ => throw new DomainException("This is true or false, or empty.", field),
    };

    static string Written(TimeSpan span) => Written((int)span.TotalSeconds);

    static string Written(int number) => number.ToString(CultureInfo.InvariantCulture);

    static string Written(bool flag) => flag ? "true" : "false";

    internal static string Short(string text)
    {
        var line = new string([.. text.Select(c => char.IsControl(c) ? ' ' : c)]);
        return line.Length <= 60 ? line : line[..59] + "…";
    }
}
