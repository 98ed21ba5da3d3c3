using System.Diagnostics;
using System.Globalization;
using Portal.Infrastructure.Backups;
using Portal.Tests.HouseRules;
using Portal.Tests.Support;

namespace Portal.Tests.Backups;

/// <summary>A real S3 server from npm, with one bucket, in memory; one for a test class.</summary>
public sealed class S3Server : IAsyncLifetime
{
    public const string Bucket = "portal-backups";

    const string Script = $$"""
        import net from 'node:net';
        import { startFauxqs } from 'fauxqs';
        // It would listen for the whole network.
        const listen = net.Server.prototype.listen;
        net.Server.prototype.listen = function (options, ...more) { return listen.call(this, { ...options, host: '127.0.0.1' }, ...more); };
        const server = await startFauxqs({ port: 0, logger: false });
        server.createBucket('{{Bucket}}');
        console.log('listening ' + server.port);
        """;

    Process process = null!;

    public Uri Endpoint { get; private set; } = null!;

    public S3Settings Settings => new(Endpoint, Bucket, "eu-central-1", "access", "secret");

    public async Task InitializeAsync()
    {
        process = Process.Start(new ProcessStartInfo("node", ["--input-type=module", "-e", Script]) { WorkingDirectory = Repository.Root, RedirectStandardOutput = true, RedirectStandardError = true })!;
        using var patience = new CancellationTokenSource(PortalProcess.Patience);
        var complaints = process.StandardError.ReadToEndAsync(patience.Token);
        while (await process.StandardOutput.ReadLineAsync(patience.Token) is { } line)
            if (line.StartsWith("listening ", StringComparison.Ordinal))
            {
                Endpoint = new Uri($"http://127.0.0.1:{int.Parse(line["listening ".Length..], CultureInfo.InvariantCulture)}");
                return;
            }
        throw new InvalidOperationException($"The S3 server ended before it listened: {await complaints}");
    }

    public async Task DisposeAsync()
    {
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
