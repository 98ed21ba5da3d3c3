using System.Net;
using System.Net.Mail;
using System.Net.Mime;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Portal.Infrastructure.Notifications.Email;

/// <summary>Hands one mail to the configured server, or writes it into the outbox where none is configured.</summary>
/// <param name="server">Null: the outbox.</param>
public sealed class MailDelivery(MailServer? server, MailOutbox outbox, TimeProvider clock, ILogger<MailDelivery> log)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    /// <summary>A mail that is on its way when the portal stops is given so long: broken off, it might come twice.</summary>
    static readonly TimeSpan AtTheEnd = TimeSpan.FromSeconds(3);
    /// <summary>The sign-in is wrong or missing: that is the configuration's fault, and the mail is still good when it is mended.</summary>
    static readonly int[] SignIn = [530, 534, 535, 538];

    public async Task<MailOutcome> Send(OutgoingMail mail, CancellationToken ct)
    {
        try
        {
            using var message = Compose(mail);
            if (server is null) return new MailWritten(await outbox.Write(message, mail.Id, ct));
            await Hand(server, message, ct);
            return new MailSent();
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            return new MailRefused($"\"{mail.To}\" is no address that mail can be sent to.");
        }
        catch (SmtpException e) when ((int)e.StatusCode is var code and >= 400 and < 600)
        {
            var words = $"{server!.Host} answered {code}: {e.Message}";
            if (SignIn.Contains(code)) return new MailNotNow($"{words} Check Smtp:User and Smtp:Password.", IsServer: true);
            return code >= 500 ? new MailRefused(words) : new MailNotNow(words, IsServer: code == 421);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new MailNotNow($"{server!.Host} did not take it within {Patience.TotalSeconds:0} s.", IsServer: true);
        }
        catch (Exception e) when (e is SmtpException or IOException or UnauthorizedAccessException or SocketException or AuthenticationException)
        {
            return new MailNotNow(server is null ? $"The outbox cannot be written to: {e.Message}" : $"{server.Host} cannot be reached: {Words(e)}", IsServer: true);
        }
    }

    async Task Hand(MailServer to, MailMessage message, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(Patience, clock);
        await using var stopping = ct.UnsafeRegister(static l => ((CancellationTokenSource)l!).CancelAfter(AtTheEnd), limit);
        var client = new SmtpClient(to.Host, to.Port)
        {
            EnableSsl = to.Tls,
            UseDefaultCredentials = false,
            Credentials = to.User is { } user ? new NetworkCredential(user, to.Password) : null,
            Timeout = (int)Patience.TotalMilliseconds,
        };
        try
        {
            // It may not hear of a cancellation before somebody answers.
            await client.SendMailAsync(message, limit.Token).WaitAsync(limit.Token);
        }
        finally
        {
            Leave(client);
        }
    }

    /// <summary>Taking leave is answered by the server too, in its own time: the mail is taken already.</summary>
    void Leave(SmtpClient client) => _ = Task.Run(() =>
    {
        try
        {
            client.Dispose();
        }
        catch (Exception e)
        {
            log.LogDebug(e, "The mail server did not take leave");
        }
    });

    MailMessage Compose(OutgoingMail mail)
    {
        var from = new MailAddress(server?.From ?? "portal@localhost");
        var text = mail.Address is { } address ? $"{mail.Body.TrimEnd()}\n\n{address}\n" : $"{mail.Body.TrimEnd()}\n";
        var message = new MailMessage(from, new MailAddress(mail.To))
        {
            Subject = mail.Subject,
            SubjectEncoding = Encoding.UTF8,
            // As mail breaks lines; the encoding leaves them as they are.
            Body = text.ReplaceLineEndings("\r\n"),
            BodyEncoding = Encoding.UTF8,
            BodyTransferEncoding = TransferEncoding.QuotedPrintable,
        };
        message.Headers.Add("Message-ID", $"<{mail.Id:N}@{from.Host}>");
        // Nobody's holiday shall answer it.
        message.Headers.Add("Auto-Submitted", "auto-generated");
        var html = AlternateView.CreateAlternateViewFromString(Html(mail), Encoding.UTF8, MediaTypeNames.Text.Html);
        html.TransferEncoding = TransferEncoding.QuotedPrintable;
        message.AlternateViews.Add(html);
        return message;
    }

    static string Html(OutgoingMail mail)
    {
        var paragraphs = mail.Body.ReplaceLineEndings("\n").Split("\n\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(p => $"<p>{WebUtility.HtmlEncode(p).Replace("\n", "<br>", StringComparison.Ordinal)}</p>");
        var link = mail.Address is { } address ? $"<p><a href=\"{WebUtility.HtmlEncode(address)}\">{WebUtility.HtmlEncode(address)}</a></p>" : "";
        return $"<!doctype html><html><body>{string.Concat(paragraphs)}{link}</body></html>";
    }

    static string Words(Exception e) => e.InnerException is { } inner && !e.Message.Contains(inner.Message, StringComparison.Ordinal) ? $"{e.Message} {Words(inner)}" : e.Message;
}
