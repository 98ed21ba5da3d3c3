namespace Portal.Domain.Shared;

/// <summary>Rules for texts that people type: trimmed, bounded, without control characters other than line breaks and tabs.</summary>
public static class Text
{
    public const int TitleLength = 200;
    public const int NameLength = 100;
    public const int DescriptionLength = 1_000;
    public const int MessageLength = 10_000;

    /// <exception cref="DomainException">Empty, longer than <paramref name="max"/> characters, or with control characters.</exception>
    public static string Required(string? value, string field, string label, int max)
    {
        var text = Clean(value, field, label, max);
        return text.Length > 0 ? text : throw new DomainException($"{label} is required.", field);
    }

    /// <summary>Null when nothing but white space was given.</summary>
    /// <exception cref="DomainException">Longer than <paramref name="max"/> characters, or with control characters.</exception>
    public static string? Optional(string? value, string field, string label, int max)
    {
        var text = Clean(value, field, label, max);
        return text.Length > 0 ? text : null;
    }

    static string Clean(string? value, string field, string label, int max)
    {
        var text = (value ?? "").ReplaceLineEndings("\n").Trim();
        if (text.Length > max)
            throw new DomainException($"{label} has {text.Length:N0} characters; at most {max:N0} are allowed. Shorten it.", field);
        // U+0000 cannot be stored by PostgreSQL; lone surrogates cannot be written as UTF-8.
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (char.IsControl(c) && c is not ('\n' or '\t'))
                throw new DomainException($"{label} contains a control character (U+{(int)c:X4}) at position {i + 1}. Remove it.", field);
            if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1])) i++;
            else if (char.IsSurrogate(c))
                throw new DomainException($"{label} contains half of a character at position {i + 1}. Remove it.", field);
        }
        return text;
    }

    /// <summary>Lower-case letters, digits and single hyphens from a name, at most 60 characters; "item" if nothing is left.</summary>
    public static string Slug(string name)
    {
        var slug = new System.Text.StringBuilder();
        foreach (var c in name.Normalize(System.Text.NormalizationForm.FormD).ToLowerInvariant())
        {
            if (c is (>= 'a' and <= 'z') or (>= '0' and <= '9')) slug.Append(c);
            else if (char.GetUnicodeCategory(c) != System.Globalization.UnicodeCategory.NonSpacingMark && slug.Length > 0 && slug[^1] != '-') slug.Append('-');
            if (slug.Length == 60) break;
        }
        var text = slug.ToString().Trim('-');
        return text.Length > 0 ? text : "item";
    }

    public static bool IsSlug(string? text) =>
        text is { Length: > 0 and <= 60 } && text.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-') && text[0] != '-' && text[^1] != '-';
}
