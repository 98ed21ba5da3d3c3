using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Portal.Infrastructure.Monitoring;

/// <summary>How probes look at the certificate of a target.</summary>
static class Certificates
{
    /// <param name="decide">Gets the certificate and, in words, what is wrong with it; null when nothing is.</param>
    public static SslClientAuthenticationOptions Options(string host, TimeProvider clock, Func<X509Certificate2?, string?, bool> decide) => new()
    {
        // A certificate may name an address to fetch its issuer from: that would be a way around the guard.
        CertificateChainPolicy = new X509ChainPolicy { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck },
        RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
        {
            var shown = certificate as X509Certificate2;
            return decide(shown, errors == SslPolicyErrors.None ? null : Words(shown, chain, errors, host, clock.GetUtcNow()));
        },
    };

    /// <param name="roots">Null trusts the machine's own authorities.</param>
    public static void Trust(SslClientAuthenticationOptions options, X509Certificate2Collection? roots)
    {
        if (roots is null) return;
        options.CertificateChainPolicy!.TrustMode = X509ChainTrustMode.CustomRootTrust;
        options.CertificateChainPolicy.CustomTrustStore.AddRange(roots);
    }

    /// <summary>Why it is not valid for long enough, in words; null when it is.</summary>
    public static string? EndsSoon(DateTimeOffset ends, int days, DateTimeOffset now) => ends - now >= TimeSpan.FromDays(days) ? null
        : $"The certificate expires on {Day(ends)}, in {Math.Floor((ends - now).TotalDays):0} days; at least {days} are wanted.";

    public static string Day(DateTimeOffset at) => at.UtcDateTime.ToString("d MMM yyyy, HH:mm 'UTC'", CultureInfo.InvariantCulture);

    static string Words(X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors, string host, DateTimeOffset now)
    {
        if (certificate is null) return "The server showed no certificate.";
        if (certificate.NotAfter.ToUniversalTime() < now) return $"The certificate expired on {Day(certificate.NotAfter)}.";
        if (certificate.NotBefore.ToUniversalTime() > now) return $"The certificate is valid only from {Day(certificate.NotBefore)}.";
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)) return $"The certificate is for another name than {host}.";
        if (certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData)) return "The certificate is self-signed and not trusted.";
        var why = chain?.ChainStatus.Select(s => s.Status).FirstOrDefault(s => s != X509ChainStatusFlags.NoError);
        return why == X509ChainStatusFlags.NotTimeValid ? "A certificate in the chain has expired." : "The certificate's issuer is not trusted, or its chain is incomplete.";
    }
}
