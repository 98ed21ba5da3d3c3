using Portal.Domain.Monitoring;

namespace Portal.Infrastructure.Monitoring;

/// <summary>What a probe is to look at, and how it is judged.</summary>
/// <param name="Monitor">Whose check it is.</param>
/// <param name="Target">A complete address; a built-in <c>self:/…</c> target is resolved before.</param>
/// <param name="IsSelf">The address is this node's own: exempt from the address rules, and 204 means "not configured".</param>
/// <param name="AllowPrivate">An administrator consented that the target's own host may be private.</param>
/// <param name="Timeout">For everything: name, connection, TLS, head and body.</param>
public sealed record ProbeRequest(MonitorId Monitor, Uri Target, bool IsSelf, bool AllowPrivate, TimeSpan Timeout, StatusRanges Expect, MonitorOptions Options)
{
    /// <summary>Values of headers by their names, or the password. Never in words, never in a log.</summary>
    public IReadOnlyDictionary<string, string> Secrets { get; init; } = MonitorSecrets.None;

    /// <summary>What the target's own host may lead to.</summary>
    public Passage Passage => IsSelf ? Passage.Self : AllowPrivate ? Passage.Consented : Passage.PublicOnly;

    public string? Password => Secrets.GetValueOrDefault(MonitorSecrets.Password);

    /// <summary>Who signs in, as the address says.</summary>
    public string? User => Target.UserInfo.Length > 0 ? Uri.UnescapeDataString(Target.UserInfo) : null;

    /// <summary>The record's own words would hold secrets.</summary>
    public override string ToString() => $"{Target.Scheme} {Target.Host}";
}

/// <summary>The verdict. A target that misbehaves is a verdict, never an exception.</summary>
/// <param name="Detail">Why it failed, or the note of a part that is not configured, in words; null when all is well.</param>
public sealed record ProbeAnswer(CheckOutcome Outcome, TimeSpan Duration, int? StatusCode, string? Detail);

/// <summary>Looks at one kind of target. One class a kind.</summary>
public interface IProbe
{
    MonitorKind Kind { get; }

    /// <param name="ct">Only for stopping the portal: then the look has no verdict and this throws.</param>
    Task<ProbeAnswer> Look(ProbeRequest request, CancellationToken ct);
}
