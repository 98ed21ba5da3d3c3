using System.Globalization;
using System.Net.Mail;
using Microsoft.Extensions.Logging;
using Portal.Infrastructure.Postgres;

namespace Portal.Infrastructure.Notifications.Email;

/// <summary>The folder in which mail lies that nobody is configured to send, one <c>.eml</c> file each, for this account alone; the newest are kept.</summary>
public sealed class MailOutbox(string folder, TimeProvider clock, ILogger<MailOutbox> log)
{
    public const int Kept = 1_000;
    int said;

    public string Folder => folder;

    /// <returns>The file.</returns>
    public async Task<string> Write(MailMessage message, Guid id, CancellationToken ct)
    {
        Directory.CreateDirectory(folder, PrivateFile.FolderMode);
        var unfinished = Path.Combine(Path.GetFullPath(folder), $".{id:N}");
        // A portal that was killed just here left it.
        if (Directory.Exists(unfinished)) Directory.Delete(unfinished, recursive: true);
        Directory.CreateDirectory(unfinished, PrivateFile.FolderMode);
        try
        {
            using (var client = new SmtpClient { DeliveryMethod = SmtpDeliveryMethod.SpecifiedPickupDirectory, PickupDirectoryLocation = unfinished })
                await client.SendMailAsync(message, ct);
            var written = Directory.GetFiles(unfinished).Single();
            File.SetUnixFileMode(written, PrivateFile.Mode);
            var file = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{clock.GetUtcNow():yyyyMMdd-HHmmss-fff}-{id:N}.eml"));
            File.Move(written, file, overwrite: true);
            RemoveOld();
            if (Interlocked.Exchange(ref said, 1) == 0) log.LogWarning("Smtp:Host is empty: mail is not sent but written to {Folder}, where the newest {Kept} are kept", folder, Kept);
            return file;
        }
        finally
        {
            Directory.Delete(unfinished, recursive: true);
        }
    }

    void RemoveOld()
    {
        foreach (var old in Directory.GetFiles(folder, "*.eml").OrderDescending(StringComparer.Ordinal).Skip(Kept)) File.Delete(old);
    }
}
