using Portal.Domain.Shared;

namespace Portal.Domain.Alerting;

public readonly record struct SilenceId(Guid Value) : IId<SilenceId>
{
    public static SilenceId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>Alerts with these labels page nobody for a while; they are listed all the same.</summary>
public sealed class Silence
{
    public static readonly TimeSpan Longest = TimeSpan.FromDays(31);
    public const int MostLabels = 20;

    Silence() { }

    /// <param name="labels">1 to <see cref="MostLabels"/>, of which an alert must have all.</param>
    /// <param name="to">It always has an end: at most <see cref="Longest"/> after its beginning.</param>
    /// <exception cref="DomainException">Names the field.</exception>
    public Silence(IReadOnlyList<AlertLabel> labels, DateTimeOffset from, DateTimeOffset to, string reason, string by, DateTimeOffset now, SilenceId? id = null)
    {
        if (labels.Count is 0 or > MostLabels) throw new DomainException($"Say 1 to {MostLabels} labels: a silence without any would silence everything.", "labels");
        if (to <= now) throw new DomainException("A silence ends in the future.", "to");
        if (to <= from) throw new DomainException("A silence must end after it begins.", "to");
        if (to - from > Longest) throw new DomainException($"A silence lasts at most {Longest.TotalDays:0} days.", "to");
        Id = id ?? Shared.Id.New<SilenceId>(now);
        Labels = [.. labels.Select(l => new AlertLabel(Text.Required(l.Name, "labels", "The name of a label", AlertSignal.LabelLength), Text.Required(l.Value, "labels", "The value of a label", AlertSignal.LabelLength)))];
        (From, To, MadeBy, MadeAt) = (from.ToUniversalTime(), to.ToUniversalTime(), by, now);
        Reason = Text.Required(reason, "reason", "The reason", Text.DescriptionLength);
    }

    public SilenceId Id { get; private set; }
    public IReadOnlyList<AlertLabel> Labels { get; private set; } = [];
    public DateTimeOffset From { get; private set; }
    public DateTimeOffset To { get; private set; }
    public string Reason { get; private set; } = "";
    public string MadeBy { get; private set; } = "";
    public DateTimeOffset MadeAt { get; private set; }
    public uint Version { get; private set; }

    /// <summary>Half-open.</summary>
    public bool IsActive(DateTimeOffset now) => From <= now && now < To;

    public bool Covers(IReadOnlyCollection<AlertLabel> labels, DateTimeOffset now) => IsActive(now) && Labels.All(labels.Contains);

    /// <summary>Ends now; what it silenced and is still open pages.</summary>
    public void End(DateTimeOffset now)
    {
        if (To > now) To = now > From ? now : From;
    }
}
