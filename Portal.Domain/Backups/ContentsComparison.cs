namespace Portal.Domain.Backups;

/// <summary>One thing of a backup beside what a restored copy holds.</summary>
/// <param name="Subject">In words: table "public"."orders".</param>
public sealed record ComparedLine(string Subject, string Expected, string Found)
{
    public bool IsEqual => Expected == Found;
}

/// <summary>A restored database beside the manifest, table by table.</summary>
public sealed record ContentsComparison(IReadOnlyList<ComparedLine> Lines)
{
    const string Absent = "absent";

    public bool IsEqual => Lines.All(l => l.IsEqual);

    public IEnumerable<ComparedLine> Differences => Lines.Where(l => !l.IsEqual);

    public static ContentsComparison Of(DatabaseContents expected, DatabaseContents found) => new([
        .. Pair(expected.Tables, found.Tables, t => $"table {Quoted(t.Schema, t.Name)}", (e, f) => (Words(e), Words(f))),
        .. Pair(expected.Sequences, found.Sequences, s => $"sequence {Quoted(s.Schema, s.Name)}", Between),
        Objects(expected.LargeObjects, found.LargeObjects),
        .. Pair(expected.Extensions, found.Extensions, e => $"extension {e.Name}", (_, _) => ("installed", "installed")),
    ]);

    /// <summary>A name as SQL writes it.</summary>
    public static string Quoted(string schema, string name) => $"{Quoted(schema)}.{Quoted(name)}";

    public static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    static IEnumerable<ComparedLine> Pair<T>(IReadOnlyList<T> expected, IReadOnlyList<T> found, Func<T, string> subject, Func<T, T, (string, string)> words) where T : class
    {
        var byName = found.ToDictionary(subject);
        foreach (var one in expected)
        {
            var name = subject(one);
            if (!byName.Remove(name, out var other))
            {
                yield return new(name, words(one, one).Item1, Absent);
                continue;
            }
            var (wanted, there) = words(one, other);
            yield return new(name, wanted, there);
        }
        foreach (var (name, extra) in byName) yield return new(name, Absent, words(extra, extra).Item2);
    }

    static string Words(TableContents t) => $"{(t.Rows is { } rows ? $"{rows} rows" : "partitioned")}, {t.Constraints} constraints, {t.Indexes} indexes";

    /// <summary>The dump read the sequence at some moment between our two looks.</summary>
    static (string, string) Between(SequenceContents expected, SequenceContents found)
    {
        var (low, high) = (Math.Min(expected.Before, expected.After), Math.Max(expected.Before, expected.After));
        var wanted = low == high ? $"at {low}" : $"at {low} to {high}";
        return (wanted, found.Before >= low && found.Before <= high ? wanted : $"at {found.Before}");
    }

    static ComparedLine Objects(LargeObjects expected, LargeObjects found)
    {
        var measured = expected.Bytes is not null && found.Bytes is not null;
        string Words(LargeObjects o) => measured ? $"{o.Count}, {o.Bytes} bytes" : $"{o.Count}";
        return new("large objects", Words(expected), Words(found));
    }
}
