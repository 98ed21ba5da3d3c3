using Portal.Domain.Monitoring;

namespace Portal.Infrastructure.Monitoring;

/// <summary>A TLS handshake for the sake of the certificate: trusted, for this name, and valid for some time yet.</summary>
public sealed class TlsProbe(GuardedConnector connector, TimeProvider clock) : ConnectionProbe(connector, clock)
{
    public override MonitorKind Kind => MonitorKind.Tls;

    protected override async Task<ProbeAnswer> Talk(Stream stream, ProbeRequest request, Progress look, CancellationToken ct)
    {
        var ends = default(DateTimeOffset);
        await using var tls = await Encrypt(stream, request, look, certificate => ends = certificate.NotAfter.ToUniversalTime(), ct);
        return Certificates.EndsSoon(ends, request.Options.ExpectCertificateDays ?? 14, Clock.GetUtcNow()) is { } soon ? Down(soon) : Up();
    }
}
