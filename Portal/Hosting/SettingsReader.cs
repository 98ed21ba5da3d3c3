using System.Globalization;
using Portal.Domain.Access;
using Portal.Domain.Shared;

namespace Portal.Hosting;

/// <summary>Reads single values and remembers what is wrong with them.</summary>
public abstract class SettingsReader(IConfiguration configuration)
{
    readonly List<string> problems = [];

    protected IReadOnlyList<string> Problems => problems;

    protected IConfiguration Configuration => configuration;

    protected string? Text(string key) => configuration[key] is { } text && !string.IsNullOrWhiteSpace(text) ? text.Trim() : null;

    /// <summary>Taken as it is: a blank may be part of it, but at an end it nearly always slipped in.</summary>
    protected string? Secret(string key)
    {
        if (Text(key) is null || configuration[key] is not { } text) return null;
        if (char.IsWhiteSpace(text[0]) || char.IsWhiteSpace(text[^1])) Refuse(key, "it begins or ends with a blank or a line break: remove that.");
        return text;
    }

    /// <summary>What was written, unless that may hold a password: an address may, and whatever looks a bit like one.</summary>
    /// <param name="text">All of it or a part.</param>
    /// <param name="whole">What it is a part of.</param>
    public static string Said(string text, string? whole = null) => (whole ?? text).AsSpan().IndexOfAny("@?=") >= 0 ? "what is set" : $"\"{text}\"";

    protected void Refuse(string key, string why) => problems.Add($"{key}: {why}");

    protected string Required(string key)
    {
        if (Text(key) is { } text) return text;
        Refuse(key, "a value is required.");
        return "";
    }

    protected bool Flag(string key, bool otherwise)
    {
        if (Text(key) is not { } text) return otherwise;
        if (bool.TryParse(text, out var value)) return value;
        Refuse(key, $"{Said(text)} is neither true nor false.");
        return otherwise;
    }

    protected double Number(string key, double otherwise, double least, double most)
    {
        if (Text(key) is not { } text) return otherwise;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most) return value;
        Refuse(key, string.Create(CultureInfo.InvariantCulture, $"{Said(text)} is not a number between {least} and {most}."));
        return otherwise;
    }

    protected Uri? Address(string key)
    {
        if (Text(key) is not { } text) return null;
        if (Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri!.Host.Length > 0 && uri.UserInfo.Length == 0 && uri.Query.Length == 0 && uri.Fragment.Length == 0) return uri;
        Refuse(key, $"{Said(text)} is not a complete address like https://status.example.com, without name and password.");
        return null;
    }

    /// <summary>Each of a list that is written as places of an array or as one text, with all that was written.</summary>
    protected IEnumerable<(string Text, string Whole)> Listed(string key)
    {
        var list = configuration.GetSection(key);
        return list.GetChildren().Select(c => c.Value ?? "").Concat((list.Value ?? "").Split([',', ' '])).Select(t => t.Trim()).Where(t => t.Length > 0).Select(t => (t, t + list.Value));
    }

    protected int Rate(string key, int otherwise)
    {
        var rate = Number(key, otherwise, 1, 10_000_000);
        if (rate % 1 != 0) Refuse(key, "a whole number is required.");
        return (int)rate;
    }

    protected void CheckEmail(string key, string email) => Ask(key, () => Person.ValidEmail(email));

    protected void Ask(string key, Func<string> rule)
    {
        try
        {
            rule();
        }
        catch (DomainException refusal)
        {
            Refuse(key, refusal.Message);
        }
    }
}
