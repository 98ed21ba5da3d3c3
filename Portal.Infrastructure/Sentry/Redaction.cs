using System.Text.RegularExpressions;

namespace Portal.Infrastructure.Sentry;

/// <summary>Takes out of a text what may be secret or personal. It would rather take out too much.</summary>
public static partial class Redaction
{
    public const string Mark = "[redacted]";
    const int Longest = 2_000;

    public static string Of(string text)
    {
        if (text.Length > Longest) text = text[..Longest];
        try
        {
            text = DatabaseDetail().Replace(text, "");
            text = Headers().Replace(text, $"$1: {Mark}");
            text = Credentials().Replace(text, $"$1 {Mark}");
            text = Addresses().Replace(text, "$1$2/…");
            text = Passwords().Replace(text, $"$1={Mark}");
            text = Named().Replace(text, $"$1$2{Mark}");
            text = Emails().Replace(text, "[email]");
            text = V4().Replace(text, "[ip]");
            text = V6().Replace(text, "[ip]");
            text = RowValues().Replace(text, $")=({Mark})");
            text = Quoted().Replace(text, q => q.Groups[1].Success || TypeName().IsMatch(q.Groups[3].Value) ? q.Value : $"{q.Groups[2].Value}{Mark}{q.Groups[2].Value}");
            return Tokens().Replace(text, t => t.Value.Any(char.IsAsciiDigit) && t.Value.Any(char.IsAsciiLetter) ? Mark : t.Value);
        }
        catch (RegexMatchTimeoutException)
        {
            return Mark;
        }
    }

    const RegexOptions Plain = RegexOptions.CultureInvariant | RegexOptions.IgnoreCase;
    const int Patience = 200;

    /// <summary>What PostgreSQL adds of rows and statements.</summary>
    [GeneratedRegex(@"\s*\b(DETAIL|HINT|WHERE|STATEMENT|POSITION):.*$", RegexOptions.Singleline | RegexOptions.CultureInvariant, Patience)]
    private static partial Regex DatabaseDetail();

    [GeneratedRegex(@"\b(authorization|(?:set-)?cookie)""?\s*[:=][^\r\n]*", Plain, Patience)]
    private static partial Regex Headers();

    [GeneratedRegex(@"\b(bearer|basic)\s+[^\s""']+", Plain, Patience)]
    private static partial Regex Credentials();

    /// <summary>Of an address scheme and host stay.</summary>
    [GeneratedRegex(@"\b([a-z][a-z0-9+.-]{1,20}://)(?:[^\s/@""']*@)?([^\s/:?#""'<>]*)[^\s""'<>]*", Plain, Patience)]
    private static partial Regex Addresses();

    /// <summary>In a connection string a password may hold blanks.</summary>
    [GeneratedRegex(@"\b(password|passwd|pwd|passphrase)\s*=\s*[^;\r\n]*", Plain, Patience)]
    private static partial Regex Passwords();

    [GeneratedRegex(@"\b([\w-]*(?:password|passwd|secret|token|api[-_]?key|credential|session|signature|dsn|username|user id)[\w-]*)(""?\s*[:=]\s*""?)[^\s;,&""']+", Plain, Patience)]
    private static partial Regex Named();

    [GeneratedRegex(@"[^\s@<>""'(),;:=\[\]]+@[^\s@<>""'(),;:=\[\]]+", Plain, Patience)]
    private static partial Regex Emails();

    [GeneratedRegex(@"\b\d{1,3}(?:\.\d{1,3}){3}\b", Plain, Patience)]
    private static partial Regex V4();

    [GeneratedRegex(@"(?<![\w:.])(?=[0-9a-f]*:[0-9a-f]*:)[0-9a-f:]{3,45}(?:\.\d{1,3}){0,3}(?![\w:])", Plain, Patience)]
    private static partial Regex V6();

    [GeneratedRegex(@"\)=\([^)]*\)", Plain, Patience)]
    private static partial Regex RowValues();

    /// <summary>What is quoted may be what somebody typed, unless it is said to be a name in the program or the schema.</summary>
    [GeneratedRegex(@"(?:\b((?:relation|column|table|constraint|index|schema|function|sequence|type|service|parameter|property|method|field|assembly) ))?([""'])([^""'\r\n]*)\2", Plain, Patience)]
    private static partial Regex Quoted();

    [GeneratedRegex(@"^[A-Z]\w*(?:\.[A-Z][\w`+]*)+$", RegexOptions.CultureInvariant, Patience)]
    private static partial Regex TypeName();

    [GeneratedRegex(@"portal_[\w-]+|[A-Za-z0-9_+=-]{20,}", RegexOptions.CultureInvariant, Patience)]
    private static partial Regex Tokens();
}
