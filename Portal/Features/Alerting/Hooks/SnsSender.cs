using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Portal.Domain.Shared;
using Portal.Infrastructure.Monitoring;

namespace Portal.Features.Alerting.Hooks;

/// <summary>Whether Amazon sent it: its certificates are fetched from Amazon alone, and kept for a day.</summary>
sealed class SnsSender(GuardedFetch fetch, TimeProvider clock)
{
    static readonly TimeSpan Kept = TimeSpan.FromDays(1);
    const int LargestCertificate = 64 * 1024, MostKept = 50;

    readonly ConcurrentDictionary<string, (X509Certificate2 Certificate, long At)> known = new();

    /// <exception cref="ForbiddenException">The signature is not Amazon's, or the message is old.</exception>
    public async Task Verify(SnsMessage message, CancellationToken ct)
    {
        if ((clock.GetUtcNow() - message.Timestamp).Duration() > SnsMessage.Oldest) throw new ForbiddenException("The message is older than an hour, or the clock of this machine is wrong.");
        if (!message.IsSignedBy(await Certificate(message.Certificate, ct))) throw new ForbiddenException("The signature is not that of Amazon SNS.");
    }

    /// <summary>Only for a message that was verified.</summary>
    public async Task Confirm(SnsMessage message, CancellationToken ct) => await fetch(message.Subscribe!, LargestCertificate, ct);

    async Task<X509Certificate2> Certificate(Uri from, CancellationToken ct)
    {
        if (known.TryGetValue(from.AbsoluteUri, out var found) && clock.GetElapsedTime(found.At) < Kept) return found.Certificate;
        X509Certificate2 certificate;
        try
        {
            certificate = X509Certificate2.CreateFromPem(System.Text.Encoding.ASCII.GetString(await fetch(from, LargestCertificate, ct)));
        }
        catch (CryptographicException)
        {
            throw new ForbiddenException("The signing certificate cannot be read.");
        }
        var now = clock.GetUtcNow();
        if (certificate.NotBefore.ToUniversalTime() > now || certificate.NotAfter.ToUniversalTime() < now) throw new ForbiddenException("The signing certificate is not valid now.");
        if (known.Count >= MostKept) known.Clear();
        known[from.AbsoluteUri] = (certificate, clock.GetTimestamp());
        return certificate;
    }
}
