using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Portal.Tests.HouseRules;

public class ResourceRules
{
    static readonly string[] Languages = ["de"];

    [Fact]
    public void Every_text_exists_in_every_language_with_the_same_places_to_fill()
    {
        Source Text(string path, string key, string value) => new(path, $"<root><data name=\"{key}\"><value>{value}</value></data></root>");
        Rule.Accepts<IReadOnlyList<Source>>(Missing, [Text("A.resx", "x", "in {0}"), Text("A.de.resx", "x", "nach {0}")]);
        Rule.Holds<IReadOnlyList<Source>>(Missing, [.. Repository.Files.Where(f => f.EndsWith(".resx", StringComparison.Ordinal)).Select(Repository.Read)],
            [Text("A.resx", "x", "one")],
            [Text("A.resx", "x", "one"), Text("A.de.resx", "y", "eins")],
            [Text("A.resx", "x", "in {0}"), Text("A.de.resx", "x", "nach")],
            [Text("A.resx", "x", "one"), Text("A.de.resx", "x", " ")]);
    }

    static IEnumerable<string> Missing(IReadOnlyList<Source> files)
    {
        foreach (var neutral in files.Where(f => !Languages.Any(l => f.Path.EndsWith($".{l}.resx", StringComparison.Ordinal))))
            foreach (var language in Languages)
            {
                var path = neutral.Path.Replace(".resx", $".{language}.resx", StringComparison.Ordinal);
                var english = TextsOf(neutral);
                var other = files.FirstOrDefault(f => f.Path == path) is { } found ? TextsOf(found) : [];
                foreach (var key in english.Keys.Union(other.Keys))
                    if (!english.TryGetValue(key, out var a) || !other.TryGetValue(key, out var b)) yield return $"{key} is not in both {neutral.Path} and {path}";
                    else if (string.IsNullOrWhiteSpace(a) || string.IsNullOrWhiteSpace(b)) yield return $"{key} is empty in {neutral.Path} or {path}";
                    else if (!Places(a).SetEquals(Places(b))) yield return $"{key} fills other places in {path} than in {neutral.Path}";
            }
    }

    static Dictionary<string, string> TextsOf(Source file) => XDocument.Parse(file.Text).Root!.Elements("data").ToDictionary(d => d.Attribute("name")!.Value, d => d.Element("value")?.Value ?? "");

    static HashSet<string> Places(string text) => [.. Regex.Matches(text, @"\{(\d+)").Select(m => m.Groups[1].Value)];
}
