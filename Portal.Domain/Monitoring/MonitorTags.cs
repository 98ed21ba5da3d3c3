using System.Text;
using Portal.Domain.Shared;

namespace Portal.Domain.Monitoring;

/// <summary>Short labels by which a team finds its monitors again, "env:prod" or "shop": at most <see cref="Most"/>, in lower case, sorted, none twice.</summary>
/// <param name="All">Each has 1 to <see cref="Longest"/> characters: letters, digits and - _ . : /, of which a letter or digit is the first.</param>
public sealed record MonitorTags(IReadOnlyList<string> All)
{
    public const int Most = 20;
    public const int Longest = 50;
    public static readonly MonitorTags None = new([]);

    /// <exception cref="DomainException">Too many, or one that is no tag.</exception>
    public static MonitorTags Of(IEnumerable<string> tags)
    {
        var all = tags.Select(Valid).Distinct().Order(StringComparer.Ordinal).ToList();
        if (all.Count > Most) throw Wrong($"A monitor has at most {Most} tags; these are {all.Count}.");
        return all.Count == 0 ? None : new(all);
    }

    /// <summary>Written one after another, with commas or white space between them.</summary>
    /// <exception cref="DomainException">As <see cref="Of"/>.</exception>
    public static MonitorTags Parse(string? text) => Of((text ?? "").Split([',', ' ', '\t', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries));

    /// <exception cref="DomainException">Too many in all.</exception>
    public MonitorTags With(MonitorTags more) => Of(All.Concat(more.All));

    public MonitorTags Without(MonitorTags some) => Of(All.Except(some.All));

    /// <summary>The nearest tag to a text that somebody else wrote; null where nothing of it can stand in one.</summary>
    public static string? Nearest(string text)
    {
        var clean = new StringBuilder();
        foreach (var c in text.Normalize(NormalizationForm.FormC).ToLowerInvariant())
            if (IsPlain(c) || Marks.Contains(c, StringComparison.Ordinal) && clean.Length > 0) clean.Append(c);
            else if (clean.Length > 0 && clean[^1] != '-') clean.Append('-');
        var tag = clean.ToString(0, Math.Min(clean.Length, Longest)).TrimEnd('-', ':', '/');
        return tag.Length > 0 ? tag : null;
    }

    public bool Equals(MonitorTags? other) => other is not null && All.SequenceEqual(other.All);

    public override int GetHashCode() => All.Aggregate(All.Count, HashCode.Combine);

    public override string ToString() => string.Join(", ", All);

    const string Marks = "-_.:/";

    static bool IsPlain(char c) => char.IsLetterOrDigit(c) && !char.IsSurrogate(c);

    static string Valid(string? tag)
    {
        var text = (tag ?? "").Trim().Normalize(NormalizationForm.FormC).ToLowerInvariant();
        if (text.Length is 0 or > Longest) throw Wrong($"A tag has 1 to {Longest} characters: \"{Short(text)}\" has {text.Length}.");
        return IsPlain(text[0]) && text.All(c => IsPlain(c) || Marks.Contains(c, StringComparison.Ordinal)) ? text
            : throw Wrong($"\"{Short(text)}\" cannot be a tag. A tag begins with a letter or digit and goes on with letters, digits and - _ . : /, for example env:prod.");
    }

    static string Short(string text) => text.Length <= 60 ? text : text[..59] + "…";

    static DomainException Wrong(string text) => new(text, "tags");
}
