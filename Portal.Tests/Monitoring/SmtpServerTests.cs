using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using Portal.Domain.Monitoring;
using Portal.Infrastructure.Monitoring;
using Portal.Tests.HouseRules;
using Portal.Tests.Support;

namespace Portal.Tests.Monitoring;

/// <summary>Against a real mail server (npm's smtp-server): plain, STARTTLS, TLS from the start, sign-in.</summary>
public sealed class SmtpServerTests : IAsyncLifetime
{
    const string Script = """
        const { SMTPServer } = require('smtp-server');
        const [key, cert] = [process.env.SMTP_KEY, process.env.SMTP_CERT];
        const onAuth = (auth, session, done) => auth.username === 'monitor' && auth.password === 's3cret-word' ? done(null, { user: 'monitor' }) : done(new Error('no'));
        const servers = [false, true].map(secure => new SMTPServer({ secure, key, cert, authOptional: true, onAuth, logger: false }));
        for (const server of servers) { server.on('error', () => {}); server.listen(0, '127.0.0.1'); }
        const told = setInterval(() => { if (servers.every(s => s.server.address())) { clearInterval(told); console.log(servers.map(s => s.server.address().port).join(' ')); } }, 20);
        """;

    readonly X509Certificate2 certificate = TargetServer.Certificate(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(20));
    Process process = null!;
    int plain, secure;

    public async Task InitializeAsync()
    {
        var start = new ProcessStartInfo("node", ["-e", Script]) { RedirectStandardOutput = true, WorkingDirectory = Repository.Root };
        start.Environment["SMTP_KEY"] = certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem();
        start.Environment["SMTP_CERT"] = certificate.ExportCertificatePem();
        process = Process.Start(start)!;
        var ports = (await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)))!.Split(' ');
        (plain, secure) = (int.Parse(ports[0], System.Globalization.CultureInfo.InvariantCulture), int.Parse(ports[1], System.Globalization.CultureInfo.InvariantCulture));
    }

    public async Task DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        certificate.Dispose();
    }

    async Task<(CheckOutcome, string?)> Look(string target, bool startTls = false, string? password = null, bool trusts = true) =>
        (await new SmtpProbe(new GuardedConnector(), TimeProvider.System) { Roots = trusts ? [certificate] : null }.Look(
            ProbeRequests.For(MonitorKind.Smtp, target, new() { StartTls = startTls ? true : null }, seconds: 10, secrets: password is null ? null : new Dictionary<string, string> { ["password"] = password }), default)).Verdict();

    [Fact]
    public async Task It_is_greeted_encrypted_and_signed_in_to()
    {
        Assert.Equal((CheckOutcome.Up, null), await Look($"smtp://127.0.0.1:{plain}"));
        Assert.Equal((CheckOutcome.Up, null), await Look($"smtp://127.0.0.1:{plain}", startTls: true));
        Assert.Equal((CheckOutcome.Up, null), await Look($"smtps://127.0.0.1:{secure}"));
        Assert.Equal((CheckOutcome.Up, null), await Look($"smtp://monitor@127.0.0.1:{plain}", startTls: true, password: "s3cret-word"));
        Assert.Equal((CheckOutcome.Up, null), await Look($"smtps://monitor@127.0.0.1:{secure}", password: "s3cret-word"));
        Assert.Equal((CheckOutcome.Down, "Answered the sign-in with 535; expected 235."), await Look($"smtps://monitor@127.0.0.1:{secure}", password: "wrong"));
        Assert.Equal((CheckOutcome.Down, "The password is not sent over a connection that anybody can read: use STARTTLS or smtps://."), await Look($"smtp://monitor@127.0.0.1:{plain}", password: "s3cret-word"));
        Assert.Equal((CheckOutcome.Down, "The certificate is self-signed and not trusted."), await Look($"smtp://monitor@127.0.0.1:{plain}", startTls: true, password: "s3cret-word", trusts: false));
    }
}
