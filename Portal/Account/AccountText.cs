using System.Globalization;
using System.Resources;
using Portal.Public;

namespace Portal.Account;

/// <summary>The words of the account pages in the language that the browser prefers. The English text is the key; <c>Resources/AccountText.de.resx</c> holds the German one.</summary>
public sealed class AccountText
{
    static readonly ResourceSet Translated = new ResourceManager("Portal.Account.Resources.AccountText", typeof(AccountText).Assembly)
        .GetResourceSet(CultureInfo.GetCultureInfo("de"), createIfNotExists: true, tryParents: false)!;

    readonly ResourceSet? words;

    AccountText(PageLanguage language, ResourceSet? words) => (Language, this.words) = (language, words);

    public static AccountText English { get; } = new(PageLanguage.English, null);
    public static AccountText German { get; } = new(PageLanguage.German, Translated);

    public static AccountText For(HttpContext? http) =>
        http is not null && PageLanguage.Preferred(http.Request.Headers.AcceptLanguage.ToString()) == PageLanguage.German ? German : English;

    public PageLanguage Language { get; }

    /// <summary>A refusal with a name or a figure in it has no translation, and is told as it is.</summary>
    public string this[string english] => words?.GetString(english) ?? english;

    public string Of(string english, params ReadOnlySpan<object?> values) => string.Format(CultureInfo.InvariantCulture, this[english], values);
}
