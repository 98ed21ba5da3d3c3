using System.Globalization;

namespace Portal.Features.Backups;

/// <summary>Sizes as people read them, in powers of 1,000.</summary>
public static class ByteWords
{
    static readonly string[] Units = ["B", "kB", "MB", "GB", "TB", "PB"];

    public static string Of(long bytes)
    {
        double size = bytes;
        var unit = 0;
        while (size >= 999.5 && unit < Units.Length - 1) (size, unit) = (size / 1_000, unit + 1);
        return string.Create(CultureInfo.InvariantCulture, $"{(unit == 0 || size >= 99.5 ? $"{size:0}" : size >= 9.95 ? $"{size:0.#}" : $"{size:0.##}")} {Units[unit]}");
    }
}
