using System.Globalization;

namespace Portal.Benchmarks;

/// <summary>One line of the table.</summary>
/// <param name="Measured">This run's figure of the portal, with its unit.</param>
/// <param name="Reference">The same run's figure of what it is compared with; "—" where a target is absolute.</param>
/// <param name="Ok">Null where the line only informs.</param>
sealed record Figure(string Name, string Measured, string Reference, string Ratio, string Target, bool? Ok)
{
    public static Figure AtLeast(string name, double measured, double reference, double target, string unit) =>
        new(name, Number(measured) + unit, Number(reference) + unit, Number(measured / reference), $"≥ {Number(target)}", measured / reference >= target);

    public static Figure AtMostTimes(string name, double measured, double reference, double target, string unit) =>
        new(name, Number(measured) + unit, Number(reference) + unit, Number(measured / reference), $"≤ {Number(target)}", measured / reference <= target);

    public static Figure AtMost(string name, double measured, double target, string unit) =>
        new(name, Number(measured) + unit, "—", "—", $"≤ {Number(target)}{unit}", measured <= target);

    public static Figure Note(string name, string measured, string reference = "—") => new(name, measured, reference, "—", "—", null);

    public static string Number(double value) => value.ToString(value == Math.Truncate(value) || value >= 1_000 ? "N0" : value >= 100 ? "0" : value >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture);

    public static void Print(IReadOnlyList<Figure> figures)
    {
        string[] heads = ["figure", "measured", "reference", "ratio", "target", ""];
        var rows = figures.Select(f => new[] { f.Name, f.Measured, f.Reference, f.Ratio, f.Target, f.Ok switch { true => "ok", false => "MISSED", _ => "" } }).Prepend(heads).ToList();
        var widths = Enumerable.Range(0, heads.Length).Select(i => rows.Max(r => r[i].Length)).ToArray();
        foreach (var row in rows) Console.WriteLine(string.Join("  ", row.Select((cell, i) => i == 0 ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i]))).TrimEnd());
    }
}
