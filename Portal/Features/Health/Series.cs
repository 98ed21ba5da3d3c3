using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Portal.Features.Health;

/// <summary>The values of up to four labels, compared without making strings of them: measurements come with every request.</summary>
readonly record struct Labels(object? A, object? B, object? C, object? D)
{
    public static Labels From(ReadOnlySpan<KeyValuePair<string, object?>> tags, string[] names)
    {
        object? Value(ReadOnlySpan<KeyValuePair<string, object?>> all, int index)
        {
            if (index >= names.Length) return null;
            foreach (var tag in all)
                if (tag.Key == names[index]) return tag.Value;
            return null;
        }
        return new Labels(Value(tags, 0), Value(tags, 1), Value(tags, 2), Value(tags, 3));
    }

    public object? this[int index] => index switch { 0 => A, 1 => B, 2 => C, _ => D };
}

/// <summary>One line of an instrument: a sum, a last value, or a histogram.</summary>
sealed class Series(int buckets)
{
    readonly Lock gate = new();
    readonly long[] counts = new long[buckets];
    double value;
    long count;

    public void Add(double by) { lock (gate) value += by; }

    public void Set(double to) { lock (gate) value = to; }

    public void Observe(double measured, double[] bounds)
    {
        var bucket = Array.BinarySearch(bounds, measured);
        if (bucket < 0) bucket = ~bucket;
        lock (gate)
        {
            if (bucket < counts.Length) counts[bucket]++;
            count++;
            value += measured;
        }
    }

    public (double Value, long Count, long[] Buckets) Read() { lock (gate) return (value, count, [.. counts]); }
}

/// <summary>An instrument under its Prometheus name, with its lines.</summary>
sealed class Family
{
    /// <summary>Beyond it a label has too many values to be useful, and the rest is dropped rather than kept in memory.</summary>
    const int MostSeries = 1_000;
    static readonly double[] Seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    readonly System.Collections.Concurrent.ConcurrentDictionary<Labels, Series> series = new();
    readonly string help, kind;
    readonly bool absolute;
    readonly double[]? bounds;
    readonly string? scope;
    string[]? labels;

    public Family(Instrument instrument, string[]? labels)
    {
        var type = instrument.GetType().GetGenericTypeDefinition();
        var counter = type == typeof(Counter<>) || type == typeof(ObservableCounter<>);
        absolute = instrument.IsObservable || type == typeof(Gauge<>);
        kind = type == typeof(Histogram<>) ? "histogram" : counter ? "counter" : "gauge";
        bounds = kind == "histogram" ? Seconds : null;
        help = (instrument.Description ?? instrument.Name).ReplaceLineEndings(" ");
        this.labels = labels;
        scope = instrument.Meter.Name;
        var unit = instrument.Unit switch { "s" => "_seconds", "By" => "_bytes", _ => "" };
        var name = instrument.Name.Replace('.', '_').Replace('-', '_');
        Name = (name.EndsWith(unit, StringComparison.Ordinal) ? name : name + unit) + (counter ? "_total" : "");
    }

    public string Name { get; }

    public void Record(double measured, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (labels is null)
        {
            var names = new string[Math.Min(4, tags.Length)];
            for (var i = 0; i < names.Length; i++) names[i] = tags[i].Key;
            labels = names;
        }
        var key = Labels.From(tags, labels);
        if (!series.TryGetValue(key, out var line))
        {
            if (series.Count >= MostSeries) return;
            line = series.GetOrAdd(key, _ => new Series(bounds?.Length ?? 0));
        }
        if (bounds is not null) line.Observe(measured, bounds);
        else if (absolute) line.Set(measured);
        else line.Add(measured);
    }

    public void Write(StringBuilder text)
    {
        if (series.IsEmpty) return;
        text.Append("# HELP ").Append(Name).Append(' ').Append(help.Replace("\\", "\\\\", StringComparison.Ordinal)).Append('\n')
            .Append("# TYPE ").Append(Name).Append(' ').Append(kind).Append('\n');
        foreach (var (key, line) in series)
        {
            var (value, count, buckets) = line.Read();
            if (bounds is null)
            {
                Line(text, Name, key, null, value);
                continue;
            }
            var below = 0L;
            for (var i = 0; i < bounds.Length; i++) Line(text, Name + "_bucket", key, Number(bounds[i]), below += buckets[i]);
            Line(text, Name + "_bucket", key, "+Inf", count);
            Line(text, Name + "_sum", key, null, value);
            Line(text, Name + "_count", key, null, count);
        }
    }

    void Line(StringBuilder text, string name, Labels key, string? le, double value)
    {
        text.Append(name);
        var first = true;
        for (var i = 0; i < labels!.Length; i++)
            if (key[i] is { } label) Label(text, ref first, labels[i].Replace('.', '_'), Convert.ToString(label, CultureInfo.InvariantCulture) ?? "");
        if (le is not null) Label(text, ref first, "le", le);
        if (!first) text.Append('}');
        text.Append(' ').Append(Number(value)).Append('\n');
    }

    static void Label(StringBuilder text, ref bool first, string name, string value)
    {
        text.Append(first ? '{' : ',').Append(name).Append("=\"")
            .Append(value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)).Append('"');
        first = false;
    }

    static string Number(double number) => number.ToString("0.#########", CultureInfo.InvariantCulture);
}
