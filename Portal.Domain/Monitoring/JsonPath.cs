using System.Globalization;
using System.Text;
using System.Text.Json;
using Portal.Domain.Shared;

namespace Portal.Domain.Monitoring;

/// <summary>
/// The part of RFC 9535 that names places: <c>$</c>, <c>.name</c>, <c>['name']</c>, <c>[0]</c>, <c>[-1]</c>, <c>.*</c> and <c>[*]</c>.
/// No filters, slices, unions or descendants.
/// </summary>
public sealed class JsonPath
{
    const int MostNodes = 10_000;

    /// <param name="Name">A member; null with no index is a wildcard.</param>
    readonly record struct Step(string? Name, int? Index);

    readonly List<Step> steps = [];
    readonly string text;

    JsonPath(string text) => this.text = text;

    public override string ToString() => text;

    /// <exception cref="DomainException">Not such a path.</exception>
    public static JsonPath Parse(string text)
    {
        var path = new JsonPath(text);
        if (!text.StartsWith('$')) throw Wrong("It begins with $.");
        for (var i = 1; i < text.Length;)
            i = text[i] switch
            {
                '.' => path.Dot(i + 1),
                '[' => path.Bracket(i + 1),
                _ => throw Wrong($"A dot or a bracket is missing at position {i + 1}."),
            };
        return path;
    }

    int Dot(int i)
    {
        if (i < text.Length && text[i] == '*') return Add(new Step(null, null), i + 1);
        var end = i;
        while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] == '_' || text[end] > 127)) end++;
        if (end == i || char.IsAsciiDigit(text[i])) throw Wrong($"A name is missing at position {i + 1}. Other names than letters, digits and _ stand in brackets: ['my-name'].");
        return Add(new Step(text[i..end], null), end);
    }

    int Bracket(int i)
    {
        if (i < text.Length && text[i] is ('\'' or '"')) return Quoted(i);
        var close = text.IndexOf(']', i);
        if (close < 0) throw Wrong("A bracket is not closed.");
        var inside = text[i..close];
        if (inside == "*") return Add(new Step(null, null), close + 1);
        return int.TryParse(inside, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var index)
            ? Add(new Step(null, index), close + 1) : throw Wrong($"In brackets stands a number, a quoted name or *; \"{inside}\" is none of these.");
    }

    int Quoted(int i)
    {
        var (quote, name) = (text[i], new StringBuilder());
        for (i++; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 1 < text.Length) name.Append(text[++i]);
            else if (text[i] != quote) name.Append(text[i]);
            else return i + 1 < text.Length && text[i + 1] == ']' ? Add(new Step(name.ToString(), null), i + 2) : throw Wrong("Behind a quoted name its bracket closes.");
        }
        throw Wrong("A quote is not closed.");
    }

    int Add(Step step, int next)
    {
        steps.Add(step);
        return next;
    }

    /// <summary>What it leads to, as text: a string without its quotes, anything else as JSON. Empty when it leads nowhere.</summary>
    public IReadOnlyList<string> Find(JsonElement root)
    {
        List<JsonElement> nodes = [root];
        foreach (var step in steps) nodes = [.. nodes.SelectMany(n => Follow(n, step)).Take(MostNodes)];
        return [.. nodes.Select(n => n.ValueKind == JsonValueKind.String ? n.GetString()! : n.GetRawText())];
    }

    static IEnumerable<JsonElement> Follow(JsonElement node, Step step) => (node.ValueKind, step) switch
    {
        (JsonValueKind.Object, { Name: { } name }) => node.TryGetProperty(name, out var member) ? [member] : [],
        (JsonValueKind.Object, { Index: null }) => node.EnumerateObject().Select(p => p.Value),
        (JsonValueKind.Array, { Index: { } index }) => At(node, index < 0 ? node.GetArrayLength() + index : index),
        (JsonValueKind.Array, { Name: null }) => node.EnumerateArray(),
        _ => [],
    };

    static IEnumerable<JsonElement> At(JsonElement array, int index) => index >= 0 && index < array.GetArrayLength() ? [array[index]] : [];

    static DomainException Wrong(string why) => new($"The path cannot be read. {why} For example: $.status, $.items[0].state, $['my-name'].", "expectJsonPath");
}
