using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Portal.Tests.HouseRules;
using Portal.Tests.Monitoring;
using Portal.Tests.Support;

namespace Portal.Tests.Notices;

/// <summary>A real mail server (npm's smtp-server) whose recipients decide what it does: <c>later-N@</c> is put off N times, <c>never@</c> refused, <c>hang@</c> never answered; <c>slow@</c> is answered late.</summary>
sealed class MailServerProcess : IAsyncDisposable
{
    const string Script = """
        const { SMTPServer } = require('smtp-server');
        const { SMTP_KEY: key, SMTP_CERT: cert, SMTP_PORT: port, SMTP_AUTH: auth } = process.env;
        const later = new Map();
        const refuse = (code, text) => Object.assign(new Error(text), { responseCode: code });
        const server = new SMTPServer({
          key, cert, authOptional: auth !== 'yes', logger: false, disableReverseLookup: true,
          onAuth: (a, session, done) => a.username === 'portal' && a.password === 's3cret word' ? done(null, { user: 'portal' }) : done(new Error('Invalid username or password')),
          onRcptTo: ({ address }, session, done) => {
            const [name] = address.split('@');
            if (name.startsWith('later-')) { const tries = (later.get(address) ?? 0) + 1; later.set(address, tries); return tries > +name.slice(6) ? done() : done(refuse(451, 'Greylisted')); }
            if (name === 'never') return done(refuse(550, 'No such user'));
            if (name === 'hang') return;
            if (name === 'slow') return setTimeout(done, 400);
            done();
          },
          onData: (stream, session, done) => {
            const parts = [];
            stream.on('data', part => parts.push(part));
            stream.on('end', () => { console.log(JSON.stringify({ from: session.envelope.mailFrom.address, to: session.envelope.rcptTo.map(r => r.address), secure: session.secure, user: session.user ?? null, raw: Buffer.concat(parts).toString('utf8') })); done(); });
          },
        });
        server.on('error', () => {});
        server.listen(+port, '127.0.0.1', () => console.log('listening ' + server.server.address().port));
        """;

    readonly Process process;
    readonly ConcurrentQueue<Letter> letters = new();
    Task reading = Task.CompletedTask;

    public sealed record Letter(string From, IReadOnlyList<string> To, bool Secure, string? User, string Raw);

    MailServerProcess(Process process, X509Certificate2 certificate) => (this.process, Certificate) = (process, certificate);

    public int Port { get; private set; }
    public X509Certificate2 Certificate { get; }
    public IReadOnlyList<Letter> Letters => [.. letters];

    /// <param name="port">0: any that is free.</param>
    public static async Task<MailServerProcess> Start(int port = 0, bool mustSignIn = false)
    {
        var now = TimeProvider.System.GetUtcNow();
        var certificate = TargetServer.Certificate(now.AddDays(-1), now.AddDays(20));
        var start = new ProcessStartInfo("node", ["-e", Script]) { RedirectStandardOutput = true, WorkingDirectory = Repository.Root };
        (start.Environment["SMTP_KEY"], start.Environment["SMTP_CERT"]) = (certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem(), certificate.ExportCertificatePem());
        (start.Environment["SMTP_PORT"], start.Environment["SMTP_AUTH"]) = (port.ToString(CultureInfo.InvariantCulture), mustSignIn ? "yes" : "no");
        var server = new MailServerProcess(Process.Start(start)!, certificate);
        var line = await server.process.StandardOutput.ReadLineAsync().WaitAsync(PortalProcess.Patience);
        server.Port = int.Parse(line!["listening ".Length..], CultureInfo.InvariantCulture);
        server.reading = server.Read();
        return server;
    }

    async Task Read()
    {
        while (await process.StandardOutput.ReadLineAsync() is { } line) letters.Enqueue(JsonSerializer.Deserialize<Letter>(line, JsonSerializerOptions.Web)!);
    }

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        await reading;
        process.Dispose();
        Certificate.Dispose();
    }
}
