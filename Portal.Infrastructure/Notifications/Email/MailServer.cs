using System.Text;

namespace Portal.Infrastructure.Notifications.Email;

/// <summary>The server that takes our mail.</summary>
/// <param name="User">Null where it asks nobody to sign in.</param>
/// <param name="Tls">STARTTLS before anything else is said.</param>
public sealed record MailServer(string Host, int Port, string? User, string? Password, bool Tls, string From)
{
    bool PrintMembers(StringBuilder text)
    {
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{Host}:{Port}");
        return true;
    }
}

/// <summary>A mail as it goes out.</summary>
/// <param name="Id">Makes the Message-ID, which is the same at every attempt: who got it twice can tell.</param>
/// <param name="Address">Where what it tells of can be seen; null for none.</param>
public sealed record OutgoingMail(Guid Id, string To, string Subject, string Body, string? Address);

/// <summary>What became of one attempt.</summary>
public abstract record MailOutcome;

/// <summary>The server took it.</summary>
public sealed record MailSent : MailOutcome;

/// <summary>There is no server: it lies in this file.</summary>
public sealed record MailWritten(string File) : MailOutcome;

/// <summary>The server will never take it.</summary>
public sealed record MailRefused(string Why) : MailOutcome;

/// <summary>It may be taken later.</summary>
/// <param name="IsServer">Whether no other mail would be taken now either.</param>
public sealed record MailNotNow(string Why, bool IsServer) : MailOutcome;
