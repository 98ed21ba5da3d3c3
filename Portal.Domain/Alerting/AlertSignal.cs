using Portal.Domain.Incidents;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;

namespace Portal.Domain.Alerting;

/// <summary>What a source says of an alert.</summary>
public enum SignalAction { Trigger, Acknowledge, Resolve }

/// <summary>A name and a value by which alerts are routed, silenced and found.</summary>
public readonly record struct AlertLabel(string Name, string Value);

/// <summary>What a source said once, brought into bounds: a rule, a monitor, another system, a person. It is stored before it is answered and becomes an alert, or a part of one, afterwards.</summary>
/// <param name="Key">Open alerts of a service with the same key are one.</param>
/// <param name="Source">What it is about, as its sender names it: a host, a monitor.</param>
/// <param name="Details">JSON of the sender's own; null where there is none.</param>
/// <param name="Link">Where the sender shows it; http or https.</param>
/// <param name="At">When it happened by the sender's clock; null where it does not say.</param>
/// <param name="IsTest">Of an alert test: labelled everywhere, and in no figure.</param>
/// <param name="By">Who raised it by hand, or which program.</param>
public sealed record AlertSignal(SignalAction Action, string Key, Severity Severity, string Summary, string Source, Listed<AlertLabel> Labels,
    string? Details = null, string? Link = null, DateTimeOffset? At = null, bool IsTest = false, string? By = null, AlertRuleId? Rule = null, MonitorId? Monitor = null)
{
    public const int KeyLength = 255, SummaryLength = 1_024, SourceLength = 255, DetailsLength = 16_000, LinkLength = 2_000;
    public const int MostLabels = 64, LabelLength = 255;

    /// <summary>The same within its bounds: too long is cut, since a page must not be lost over a long text; a key that is too long is told apart from others by a hash of it.</summary>
    public AlertSignal Bounded() => this with
    {
        Key = Key.Length <= KeyLength ? Key : $"{Key[..(KeyLength - 65)]}#{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(Key)))}",
        Summary = Cut(Storable(Summary), SummaryLength),
        Source = Cut(Storable(Source), SourceLength),
        Labels = new(Labels.Take(MostLabels).Select(l => new AlertLabel(Cut(Storable(l.Name), LabelLength), Cut(Storable(l.Value), LabelLength)))),
        Details = Details is { Length: > DetailsLength } ? null : Details,
        Link = Link is { Length: <= LinkLength } link && Uri.TryCreate(link, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" ? link : null,
    };

    /// <summary>One line that PostgreSQL can store: no control characters, no half characters.</summary>
    static string Storable(string text) => string.Concat(text.EnumerateRunes().Select(r => System.Text.Rune.IsControl(r) ? " " : r.ToString())).Trim();

    static string Cut(string text, int length) => text.Length <= length ? text : string.Concat(text.AsSpan(0, length - 1), "…");
}
