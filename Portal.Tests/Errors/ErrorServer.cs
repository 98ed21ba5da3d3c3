using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Portal.Tests.Errors;

/// <summary>Takes envelopes and keeps every byte of them, headers too.</summary>
sealed class ErrorServer : IAsyncDisposable
{
    readonly WebApplication app;
    readonly ConcurrentQueue<Received> received = new();

    public sealed record Received(string Path, string Headers, string Body)
    {
        public JsonElement Event => JsonDocument.Parse(Body.Split('\n')[2]).RootElement;
    }

    ErrorServer(WebApplication app) => this.app = app;

    /// <summary>What is answered; nothing for as long as the task takes.</summary>
    public Func<HttpContext, Task> Answer { get; set; } = _ => Task.CompletedTask;

    public IReadOnlyList<Received> All => [.. received];
    public string Dsn => $"http://abc123@127.0.0.1:{new Uri(app.Urls.First()).Port}/7";

    public static async Task<ErrorServer> Start(int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        var app = builder.Build();
        var server = new ErrorServer(app);
        app.Run(async http =>
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body);
            var got = new Received(http.Request.Path, string.Join('\n', http.Request.Headers.Select(h => $"{h.Key}: {h.Value}")), Encoding.UTF8.GetString(body.ToArray()));
            http.Items[typeof(Received)] = got;
            server.received.Enqueue(got);
            await server.Answer(http);
        });
        await app.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        using var impatient = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await app.StopAsync(impatient.Token);
        await app.DisposeAsync();
    }
}
