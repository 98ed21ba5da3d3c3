using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Npgsql;
using Portal.Tests.Support;

namespace Portal.Tests.Errors;

/// <summary>A portal as a process of its own, and a receiver that others wrote: Spotlight, from npm, with its own parser of envelopes.</summary>
[Trait("Category", "Slow")]
public class RealReceiverTests
{
    // As a library, which unlike its command tells nobody that it runs.
    const string Script = "import { startServer } from '@spotlightjs/spotlight'; const server = await startServer({ port: 0 }); console.log('listening ' + server.address().port);";

    [Fact]
    public async Task An_unhandled_fault_of_a_process_is_read_back_from_spotlight()
    {
        using var folder = new ScratchFolder();
        var connection = await PostgresServer.Empty();
        var start = new ProcessStartInfo("node", ["--input-type=module", "-e", Script]) { WorkingDirectory = Root, RedirectStandardOutput = true, RedirectStandardError = true };
        using var spotlight = Process.Start(start)!;
        try
        {
            var port = await Listening(spotlight);
            await using var portal = PortalProcess.Serve(folder.Path, new()
            {
                ["Database:ConnectionString"] = connection,
                ["SENTRY_DSN"] = $"http://abc123@localhost:{port}/1",
                ["SENTRY_ENVIRONMENT"] = "staging",
                ["Logging:Format"] = "plain",
            });
            using var client = new HttpClient { BaseAddress = await portal.Ready(), DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", "portal_hunter2") } };
            await using (var open = new NpgsqlConnection(connection))
            {
                await open.OpenAsync();
                await using var rename = new NpgsqlCommand("alter table api_keys rename to api_keys_gone", open);
                await rename.ExecuteNonQueryAsync();
            }
            var reading = Read(port);
            Assert.Equal(HttpStatusCode.InternalServerError, (await client.GetAsync(new Uri("/api/v1/incidents?limit=1", UriKind.Relative))).StatusCode);
            var told = await reading;
            Assert.Equal(("staging", "GET /api/v1/incidents"), (told.GetProperty("environment").GetString(), told.GetProperty("transaction").GetString()));
            Assert.Equal("PostgresException", told.GetProperty("exception").GetProperty("values")[0].GetProperty("type").GetString());
            Assert.DoesNotContain("hunter2", told.GetRawText(), StringComparison.Ordinal);
            Assert.Equal(0, await portal.Stop());
            Assert.DoesNotContain("abc123", portal.Output, StringComparison.Ordinal);
        }
        finally
        {
            spotlight.Kill();
            await spotlight.WaitForExitAsync();
            await PostgresServer.Drop(connection);
        }
    }

    static string Root
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(folder!.FullName, "Portal.sln"))) folder = folder.Parent;
            return folder.FullName;
        }
    }

    static async Task<int> Listening(Process spotlight)
    {
        using var patience = new CancellationTokenSource(PortalProcess.Patience);
        _ = spotlight.StandardError.ReadToEndAsync(patience.Token);
        while (await spotlight.StandardOutput.ReadLineAsync(patience.Token) is { } line)
            if (line.StartsWith("listening ", StringComparison.Ordinal)) return int.Parse(line["listening ".Length..], System.Globalization.CultureInfo.InvariantCulture);
        throw new InvalidOperationException("Spotlight ended before it listened.");
    }

    /// <summary>The first event of a request, as Spotlight hands it on to whoever listens.</summary>
    static async Task<JsonElement> Read(int port)
    {
        using var patience = new CancellationTokenSource(PortalProcess.Patience);
        using var client = new HttpClient();
        await using var stream = await client.GetStreamAsync(new Uri($"http://localhost:{port}/stream"), patience.Token);
        using var reader = new StreamReader(stream);
        while (await reader.ReadLineAsync(patience.Token) is { } line)
            if (line.StartsWith("data:", StringComparison.Ordinal) && JsonDocument.Parse(line[5..]).RootElement is var envelope)
                foreach (var item in envelope[1].EnumerateArray())
                    if (item[0].GetProperty("type").GetString() == "event" && item[1].TryGetProperty("transaction", out _)) return item[1];
        throw new InvalidOperationException("Spotlight closed the stream.");
    }
}
