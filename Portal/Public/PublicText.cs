using System.Collections.Frozen;
using System.Globalization;
using System.Resources;

namespace Portal.Public;

/// <summary>The words of one language, from <c>Resources/PublicText*.resx</c>. A key that does not exist is a fault, never an empty place.</summary>
public sealed class PublicText
{
    static readonly ResourceManager Resources = new("Portal.Public.Resources.PublicText", typeof(PublicText).Assembly);
    readonly FrozenDictionary<string, string> words;

    PublicText(CultureInfo culture) =>
        words = Resources.GetResourceSet(culture, createIfNotExists: true, tryParents: true)!
            .Cast<System.Collections.DictionaryEntry>().ToFrozenDictionary(e => (string)e.Key, e => (string)e.Value!);

    public static PublicText English { get; } = new(CultureInfo.InvariantCulture);
    public static PublicText German { get; } = new(CultureInfo.GetCultureInfo("de"));

    public string this[string key] => words.TryGetValue(key, out var text) ? text : throw new KeyNotFoundException($"No text is called {key}.");

    public string Of(string key, params ReadOnlySpan<object?> values) => string.Format(CultureInfo.InvariantCulture, this[key], values);

    /// <summary>The form for one, or the form for any other number, of <c>key.one</c> and <c>key.other</c>.</summary>
    public string Count(string key, long number) => Of(number == 1 ? key + ".one" : key + ".other", number.ToString(CultureInfo.InvariantCulture));

    public IReadOnlyCollection<string> Keys => words.Keys;
}
