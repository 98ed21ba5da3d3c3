using Portal.Domain.Shared;

namespace Portal.Domain.Notifications;

public readonly record struct NoticeId(Guid Value) : IId<NoticeId>
{
    public static NoticeId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>How much a notice matters: said for the record, to be looked at soon, or something that was promised does not hold.</summary>
public enum NoticeSeverity { Info, Warning, Problem }

/// <summary>Something that the portal has to say to those who run it: shown on screens until it is over or somebody dismisses it.</summary>
public sealed class Notice
{
    public const int TextLength = 2_000, TopicLength = 100, KeyLength = 200;

    Notice() { }

    /// <param name="text">In words, without secrets; what is too long is cut.</param>
    /// <param name="topic">What it is about: a newer notice of the same topic takes its place.</param>
    /// <param name="key">Nothing is told twice under one key.</param>
    /// <param name="link">Where it can be seen, as a path of this portal.</param>
    public Notice(NoticeSeverity severity, string title, string text, string topic, string key, string? link, DateTimeOffset now)
    {
        Id = Shared.Id.New<NoticeId>(now);
        (At, Severity, Title, Text) = (now, severity, Cut(title, Shared.Text.TitleLength), Cut(text, TextLength));
        (Topic, Key, Link) = (topic, key, link);
    }

    public NoticeId Id { get; private set; }
    public DateTimeOffset At { get; private set; }
    public NoticeSeverity Severity { get; private set; }
    public string Title { get; private set; } = "";
    public string Text { get; private set; } = "";
    public string Topic { get; private set; } = "";
    public string Key { get; private set; } = "";
    public string? Link { get; private set; }
    /// <summary>Since when it is no longer shown: it is over, a newer one took its place, or somebody dismissed it.</summary>
    public DateTimeOffset? ResolvedAt { get; private set; }
    /// <summary>Null where nobody dismissed it.</summary>
    public string? DismissedBy { get; private set; }
    public uint Version { get; private set; }

    public void Resolve(DateTimeOffset now) => ResolvedAt ??= now;

    public void Dismiss(Actor by, DateTimeOffset now)
    {
        if (ResolvedAt is not null) return;
        (ResolvedAt, DismissedBy) = (now, by.Name);
    }

    static string Cut(string text, int length) => text.Length <= length ? text : string.Concat(text.AsSpan(0, length - 1), "…");
}
