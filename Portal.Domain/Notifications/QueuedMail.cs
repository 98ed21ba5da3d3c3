namespace Portal.Domain.Notifications;

/// <summary>What became of a mail.</summary>
public enum MailState
{
    Waiting,
    /// <summary>A mail server took it.</summary>
    Sent,
    /// <summary>No mail server is configured: it lies in the outbox of the data folder.</summary>
    Written,
    /// <summary>It was refused for good, or could not be sent for too long.</summary>
    Failed,
}

/// <summary>A mail to one person, saved together with what it tells of, and sent at least once.</summary>
public sealed class QueuedMail
{
    public const int BodyLength = 20_000, KeyLength = 250, ErrorLength = 500;

    QueuedMail() { }

    /// <param name="subject">One line: what breaks lines in it becomes a blank.</param>
    /// <param name="body">Plain text.</param>
    /// <param name="link">A path of this portal; the mail ends with its address.</param>
    /// <param name="key">Nothing is sent twice under one key.</param>
    public QueuedMail(string recipient, string subject, string body, string? link, string key, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (Recipient, Link, Key, CreatedAt, DueAt) = (recipient, link, key, now, now);
        Subject = Cut(string.Concat(subject.Select(c => char.IsControl(c) ? ' ' : c)).Trim(), Shared.Text.TitleLength);
        Body = Cut(body, BodyLength);
    }

    public Guid Id { get; private set; }
    public string Recipient { get; private set; } = "";
    public string Subject { get; private set; } = "";
    public string Body { get; private set; } = "";
    public string? Link { get; private set; }
    public string Key { get; private set; } = "";
    public DateTimeOffset CreatedAt { get; private set; }
    public MailState State { get; private set; }
    public int Attempts { get; private set; }
    /// <summary>Not before; pushed away by every attempt.</summary>
    public DateTimeOffset DueAt { get; private set; }
    public string? ClaimedBy { get; private set; }
    public string? LastError { get; private set; }
    public DateTimeOffset? EndedAt { get; private set; }

    static string Cut(string text, int length) => text.Length <= length ? text : string.Concat(text.AsSpan(0, length - 1), "…");
}
