using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Notifications;
using Portal.Domain.Shared;

namespace Portal.Infrastructure.Notifications;

/// <summary>One kind of way out: what it must be told to be set up, and how it hands a message over.</summary>
public interface INotificationChannel
{
    ChannelKind Kind { get; }

    /// <summary>What a channel of this kind knows; everything else is refused.</summary>
    IReadOnlyList<ChannelField> Fields { get; }

    /// <summary>How a person is reached at an address of their own; null where the kind reaches a place that many read.</summary>
    ContactField? Contact { get; }

    /// <summary>Where it connects to by these settings; null where that is nobody's choice.</summary>
    Uri? Place(ChannelSettings settings);

    /// <summary>Hands it over once. Whatever the other side does is an outcome, not an exception.</summary>
    Task<SendOutcome> Send(Message message, ChannelSettings settings, CancellationToken ct);
}

/// <summary>A field of a channel's settings.</summary>
/// <param name="IsSecret">Sealed, and never shown again.</param>
/// <param name="Default">What holds where nothing is given; null where there is none.</param>
/// <param name="Clean">Gives the value as it is kept, or refuses it.</param>
public sealed record ChannelField(string Name, string Label, string Hint, Func<string, string> Clean, bool IsSecret = false, bool IsRequired = true, string? Default = null);

/// <summary>A person's own address by a kind.</summary>
/// <param name="NeedsChannel">Whether an account must be set up first.</param>
/// <param name="Clean">Gives it as it is kept, or refuses it.</param>
public sealed record ContactField(string Label, string Hint, bool NeedsChannel, Func<string, string> Clean);

/// <summary>A channel as a sender needs it.</summary>
/// <param name="Address">The address of whoever is reached, where it is not the channel's own place; null where it is.</param>
/// <param name="SealedAddress">What is secret about that address, opened.</param>
public sealed record ChannelSettings(ChannelId? Id, IReadOnlyDictionary<string, string> Options, IReadOnlyDictionary<string, string> Secrets, string? Address = null, string? SealedAddress = null)
{
    public const string AllowPrivateOption = "allowPrivate";
    static readonly IReadOnlyDictionary<string, string> None = new Dictionary<string, string>();

    /// <summary>For what needs no account.</summary>
    public static ChannelSettings Without(string address, string? sealedAddress = null) => new(null, None, None, address, sealedAddress);

    /// <summary>Whether somebody who may do so allowed private addresses at its own place.</summary>
    public bool AllowPrivate => Options.GetValueOrDefault(AllowPrivateOption) == "true";

    /// <summary>An option or a secret; null where it is left out.</summary>
    public string? this[string name] => Secrets.GetValueOrDefault(name) ?? Options.GetValueOrDefault(name);

    /// <summary>What the other side said, fit to be kept: one line, bounded, without what is secret here.</summary>
    public string Shown(string text)
    {
        foreach (var secret in Secrets.Values.Append(SealedAddress).OfType<string>().SelectMany(Parts).Distinct().OrderByDescending(s => s.Length)) text = text.Replace(secret, "•••", StringComparison.OrdinalIgnoreCase);
        var clean = new string([.. text.Select(c => char.IsControl(c) ? ' ' : c).Where(c => !char.IsSurrogate(c))]).Trim();
        return clean.Length <= 300 ? clean : string.Concat(clean.AsSpan(0, 299), "…");
    }

    /// <summary>Of an address each part: an answer may repeat one of them alone.</summary>
    static IEnumerable<string> Parts(string secret) => Uri.TryCreate(secret, UriKind.Absolute, out var url)
        ? [secret, url.PathAndQuery, .. url.Segments.Select(s => s.Trim('/')).Where(s => s.Length >= 8), .. url.Query.TrimStart('?').Split('&', '=').Where(s => s.Length >= 8)]
        : [.. secret.Split(':').Append(secret).Where(s => s.Length >= 4)];

    public override string ToString() => nameof(ChannelSettings);
}

/// <summary>A message as it goes out.</summary>
/// <param name="Id">Of the delivery: the same at every attempt, for channels that know an idempotency key.</param>
/// <param name="AnswerToken">By which it is answered; null where there is nothing to answer.</param>
/// <param name="Url">Where it can be seen, whole; null for none.</param>
/// <param name="PortalUrl">The portal's public address, without a slash at the end.</param>
/// <param name="AnswerUrl">The link by which its reader answers without signing in; only for a person.</param>
public sealed record Message(DeliveryId Id, DeliveryPurpose Purpose, string Title, string Body, string PortalUrl, DateTimeOffset At)
{
    public AlertId? Alert { get; init; }
    public AlertState? State { get; init; }
    public Severity? Severity { get; init; }
    public bool IsTest { get; init; }
    public string? AnswerToken { get; init; }
    public string? AnswerUrl { get; init; }
    public string? Url { get; init; }

    /// <summary>Where whoever reads it goes first.</summary>
    public string? FirstUrl => AnswerUrl ?? Url;

    /// <summary>For places that take no more than so many characters, with the link whole at the end.</summary>
    public string Brief(int most)
    {
        var text = Body.Length > 0 ? $"{Title}\n{Body}" : Title;
        var room = most - (FirstUrl?.Length + 1 ?? 0);
        return FirstUrl is null ? Cut(text, room) : $"{Cut(text, room)}\n{FirstUrl}";
    }

    public static string Cut(string text, int most) => text.Length <= most ? text : string.Concat(text.AsSpan(0, Math.Max(0, most - 1)), "…");
}

/// <summary>What became of one attempt.</summary>
public abstract record SendOutcome
{
    SendOutcome() { }

    /// <summary>The channel took it.</summary>
    /// <param name="ProviderId">What it calls it.</param>
    public sealed record Taken(string? ProviderId = null) : SendOutcome;

    /// <summary>It may be taken later.</summary>
    /// <param name="RetryAfter">Not before, says the channel.</param>
    public sealed record Transient(string Reason, TimeSpan? RetryAfter = null) : SendOutcome;

    /// <summary>It will never be taken.</summary>
    public sealed record Permanent(string Reason) : SendOutcome;
}

/// <summary>Rules that many fields share.</summary>
public static class ChannelRules
{
    const int LongestValue = 2_000;

    public static ChannelField Url(string name, string label, string hint, bool isSecret = false, string? byDefault = null) =>
        new(name, label, hint, v => HttpUrl(v, name, label), isSecret, byDefault is null, byDefault);

    public static ChannelField Word(string name, string label, string hint, bool isSecret = false, bool isRequired = true) =>
        new(name, label, hint, v => OneWord(v, name, label), isSecret, isRequired);

    /// <summary>Without user, password and fragment; http only where somebody wants it so, as on a machine of their own.</summary>
    public static string HttpUrl(string value, string field, string label)
    {
        var text = Text.Required(value, field, label, LongestValue);
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.Host.Length == 0) throw new DomainException($"{label} begins with https:// (or http://) and names a host.", field);
        if (url.UserInfo.Length > 0 || url.Fragment.Length > 0) throw new DomainException($"{label} must have neither a password nor a # in it.", field);
        return text.TrimEnd('/');
    }

    public static string OneWord(string value, string field, string label)
    {
        var text = Text.Required(value, field, label, 500);
        return text.Any(char.IsWhiteSpace) || text.Any(c => c is < ' ' or > '~') ? throw new DomainException($"{label} is one word of plain characters.", field) : text;
    }

    /// <summary>As the world writes it: +, country, number.</summary>
    public static string Number(string value, string field)
    {
        var text = new string([.. value.Where(c => c is not (' ' or '-' or '(' or ')' or '/'))]);
        return text is ['+', >= '1' and <= '9', ..] && text.Length is >= 8 and <= 16 && text.Skip(1).All(char.IsAsciiDigit) ? text
            : throw new DomainException("A number begins with + and the country, as in +49 170 1234567.", field);
    }
}
