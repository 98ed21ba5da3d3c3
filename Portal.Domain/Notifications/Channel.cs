using Portal.Domain.Shared;

namespace Portal.Domain.Notifications;

public readonly record struct ChannelId(Guid Value) : IId<ChannelId>
{
    public static ChannelId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>A way by which the portal reaches somebody.</summary>
public enum ChannelKind { Email, Slack, Teams, PagerDuty, Sms, Voice, WebPush, Ntfy, Telegram, Discord, Webhook }

/// <summary>An integration that messages go out by: a place where many read (a Slack channel, a webhook), or an account by which people are reached at addresses of their own (Twilio, a Telegram bot).</summary>
public sealed class Channel
{
    public const int MostPerMinute = 1_000;

    Channel() { }

    /// <param name="options">What is not secret, by the names that its kind knows.</param>
    /// <param name="sealedSecrets">What is; null where the kind has none.</param>
    /// <exception cref="DomainException">Names the field.</exception>
    public Channel(string name, ChannelKind kind, ChannelLimits limits, IReadOnlyDictionary<string, string> options, byte[]? sealedSecrets, DateTimeOffset now, ChannelId? id = null)
    {
        Id = id ?? Shared.Id.New<ChannelId>(now);
        (Kind, CreatedAt) = (kind, now);
        Change(name, limits, options);
        SealedSecrets = sealedSecrets;
    }

    public ChannelId Id { get; private set; }
    public string Name { get; private set; } = "";
    public ChannelKind Kind { get; private set; }
    public IReadOnlyDictionary<string, string> Options { get; private set; } = new Dictionary<string, string>();
    /// <summary>Bound to the row's id; never shown.</summary>
    public byte[]? SealedSecrets { get; private set; }
    /// <summary>Messages a minute; more wait and become one.</summary>
    public int PerMinute { get; private set; }
    /// <summary>What one message costs, in hundredths of the currency that the bill is in; 0 where it costs nothing.</summary>
    public int CostCents { get; private set; }
    /// <summary>What all messages of a month (UTC) may cost; null has no cap. Beyond it messages fail and go by the next way.</summary>
    public int? MonthlyCapCents { get; private set; }
    /// <summary>Since when nothing goes out by it; null while it does.</summary>
    public DateTimeOffset? DisabledAt { get; private set; }
    public DateTimeOffset CreatedAt { get; private set; }
    public uint Version { get; private set; }

    /// <exception cref="DomainException">Names the field.</exception>
    public void Change(string name, ChannelLimits limits, IReadOnlyDictionary<string, string> options)
    {
        if (limits.PerMinute is < 1 or > MostPerMinute) throw new DomainException($"A channel sends 1 to {MostPerMinute:N0} messages a minute.", "perMinute");
        if (limits.CostCents is < 0 or > 100_000) throw new DomainException("A message costs 0 to 100,000 hundredths.", "costCents");
        if (limits.MonthlyCapCents is < 0) throw new DomainException("The cap of a month is 0 or more; leave it empty for none.", "monthlyCapCents");
        (Name, Options) = (Text.Required(name, "name", "The name", Text.NameLength), options);
        (PerMinute, CostCents, MonthlyCapCents) = (limits.PerMinute, limits.CostCents, limits.MonthlyCapCents);
    }

    public void Reseal(byte[]? secrets) => SealedSecrets = secrets;

    public void Disable(DateTimeOffset now) => DisabledAt ??= now;

    public void Enable() => DisabledAt = null;
}

/// <summary>How much goes out by a channel. See <see cref="Channel"/> for each.</summary>
public sealed record ChannelLimits(int PerMinute = 60, int CostCents = 0, int? MonthlyCapCents = null);
