using System.Text;

namespace Portal.E2E.Support;

/// <summary>What was said last, by the portals and windows of all journeys that run at the time.</summary>
static class Told
{
    const int Most = 60;
    static readonly Lock Gate = new();
    static readonly List<string> Portal = [], Troubles = [], Browser = [];

    public static void ByPortal(string line)
    {
        lock (Gate) Keep(IsTrouble(line) ? Troubles : Portal, line);
    }

    public static void ByBrowser(string line) { lock (Gate) Keep(Browser, line); }

    static void Keep(List<string> list, string line)
    {
        if (list.Count >= 2 * Most) list.RemoveRange(0, Most);
        list.Add(line);
    }

    public static bool IsTrouble(string line) => line.Contains("\"level\":\"warning\"", StringComparison.Ordinal) || IsError(line);

    public static bool IsError(string line) => line.Contains("\"level\":\"error\"", StringComparison.Ordinal) || line.Contains("\"level\":\"critical\"", StringComparison.Ordinal) || line.StartsWith("Unhandled exception", StringComparison.Ordinal);

    public static string All()
    {
        lock (Gate) return $"{Part("The portal's warnings and errors", Troubles, Most)}{Part("The portal's last other lines", Portal, 12)}{Part("The browser's complaints", Browser, Most)}";
    }

    static string Part(string title, List<string> lines, int most)
    {
        var text = new StringBuilder($"\n--- {title}");
        foreach (var line in lines.TakeLast(most)) text.Append("\n    ").Append(line.Length > 1_500 ? $"{line[..1_500]}…" : line);
        return text.ToString();
    }
}
