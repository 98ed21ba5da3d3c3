using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.AspNetCore.Components.Server.Circuits;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Portal.Infrastructure.Sentry;
using Portal.Tests.Support;

namespace Portal.Tests.Errors;

/// <summary>What a running portal tells of its faults, and what it keeps to itself.</summary>
public class ErrorLogTests
{
    static readonly string[] Secrets = ["hunter2", "bob.planted", "192.0.2.77", "planted-cookie", "planted-query", "Jane Planted"];

    static async Task Sql(PortalHost host, string sql)
    {
        await using var connection = new NpgsqlConnection(host.Database.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    static Task<PortalHost> Host(ErrorServer server, Action<IServiceCollection>? replace = null) =>
        PortalHost.Start(new() { ["Sentry:Dsn"] = server.Dsn, ["Sentry:Environment"] = "staging" }, replace);

    static string? Tag(JsonElement e, string name) => e.GetProperty("tags").TryGetProperty(name, out var tag) ? tag.GetString() : null;

    static Task<ErrorServer.Received> Told(ErrorServer server, Func<JsonElement, bool> which, string what) =>
        Soon.Reads(() => Task.FromResult(server.All.FirstOrDefault(r => which(r.Event))), r => r is not null, what)!;

    /// <summary>Null for a fault that was not logged: other tests of this process leave tasks behind, too.</summary>
    static string? Message(JsonElement e) => e.TryGetProperty("logentry", out var entry) ? entry.GetProperty("formatted").GetString() : null;

    static bool Says(JsonElement e, string text) => e.GetRawText().Contains(text, StringComparison.Ordinal);

    [Fact]
    public async Task Faults_of_requests_background_work_and_screens_arrive_without_the_secrets_that_were_about()
    {
        await using var server = await ErrorServer.Start();
        await using var host = await Host(server, services => services.AddHostedService<FailingLoop>());
        var loop = await Told(server, e => Says(e, "The loop met"), "the fault of background work");
        Assert.Equal(("background", "staging"), (Tag(loop.Event, "origin"), loop.Event.GetProperty("environment").GetString()));
        Assert.StartsWith("portal@", loop.Event.GetProperty("release").GetString(), StringComparison.Ordinal);

        var log = host.Get<ILoggerFactory>().CreateLogger("Portal.Planted");
        await Sql(host, "alter table api_keys rename to api_keys_gone");
        await Sql(host, "alter table people rename to people_gone");
        using (var robot = host.Client("portal_hunter2hunter2hunter2"))
        {
            robot.DefaultRequestHeaders.Add("Cookie", "portal-session=planted-cookie");
            robot.DefaultRequestHeaders.Add("X-Forwarded-For", "192.0.2.77");
            Assert.Equal(HttpStatusCode.InternalServerError, (await robot.GetAsync(new Uri("/api/v1/incidents/0198c0de00007000800000000000000a?token=planted-query", UriKind.Relative))).StatusCode);
        }
        var request = (await Told(server, e => Tag(e, "endpoint") == "/api/v1/incidents/{id}", "the fault of a request")).Event;
        Assert.Equal(("request", "GET", "GET /api/v1/incidents/{id}"), (Tag(request, "origin"), Tag(request, "method"), request.GetProperty("transaction").GetString()));
        Assert.Equal(("PostgresException", "42P01: relation \"api_keys\" does not exist"), (request.GetProperty("exception").GetProperty("values")[0].GetProperty("type").GetString(), request.GetProperty("exception").GetProperty("values")[0].GetProperty("value").GetString()));
        Assert.Matches("^[0-9a-f]{32}$", request.GetProperty("contexts").GetProperty("trace").GetProperty("trace_id").GetString()!);
        Assert.NotEqual("", Tag(request, "request_id"));
        Assert.NotNull(Tag(request, "response_time_ms"));

        var browser = new Browser(host.Client());
        await browser.Post("/login", new() { ["email"] = "bob.planted@example.com", ["password"] = "hunter2 hunter2 hunter2" });
        await Told(server, e => Tag(e, "endpoint") == "/login" && Tag(e, "method") == "POST", "the fault of a form");

        await using (var scope = host.Services.CreateAsyncScope())
        {
            var circuit = scope.ServiceProvider.GetServices<CircuitHandler>().Single(h => h.GetType().Name == "CircuitTrail").CreateInboundActivityHandler(_ =>
            {
                log.LogInformation("{Person} types {Password} {Times} times", "Jane Planted", "hunter2", 3);
                log.LogError(new InvalidOperationException("A screen met bob.planted@example.com"), "A staff screen failed; the person was shown the number {Number}", "hunter2");
                return Task.CompletedTask;
            });
            await circuit(null!);
        }
        var screen = (await Told(server, e => Tag(e, "origin") == "circuit", "the fault of a screen")).Event;
        var crumb = Assert.Single(screen.GetProperty("breadcrumbs").GetProperty("values").EnumerateArray());
        Assert.Equal(("{Person} types {Password} {Times} times", "3"), (crumb.GetProperty("message").GetString(), crumb.GetProperty("data").GetProperty("Times").GetString()));
        Assert.Equal("A screen met [email]", screen.GetProperty("exception").GetProperty("values")[0].GetProperty("value").GetString());

        foreach (var sent in server.All)
            foreach (var secret in Secrets.Append("0198c0de"))
                Assert.DoesNotContain(secret, sent.Headers + sent.Path + sent.Body, StringComparison.OrdinalIgnoreCase);
        await Sql(host, "alter table api_keys_gone rename to api_keys");
        await Sql(host, "alter table people_gone rename to people");
    }

    sealed class FailingLoop(ILogger<FailingLoop> log) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Yield();
            log.LogInformation("Begins for {Who} with {Secret}", "bob.planted@example.com", "hunter2");
            throw new InvalidOperationException("The loop met Password=hunter2; from 192.0.2.77 at https://bob.planted:hunter2@example.com/planted-query?x=planted-query");
        }
    }

    [Fact]
    public async Task Noise_is_not_told_a_repetition_a_few_times_and_a_lost_database_once_a_minute()
    {
        await using var server = await ErrorServer.Start();
        await using var host = await Host(server);
        var log = host.Get<ILoggerFactory>().CreateLogger("Portal.Planted");
        using (var client = host.Client()) Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync(new Uri("/api/v1/people", UriKind.Relative))).StatusCode);
        log.LogError(new OperationCanceledException("noise"), "Somebody left");
        log.LogError(new Microsoft.AspNetCore.Connections.ConnectionResetException("noise"), "Somebody left");
        log.LogError(new Portal.Domain.Shared.DomainException("noise"), "Somebody was refused");
        log.LogWarning(new InvalidOperationException("noise"), "It works all the same");
        for (var i = 0; i < 300; i++) log.LogError(new InvalidOperationException("again"), "A loop failed");
        for (var i = 0; i < 50; i++) log.LogWarning("{What} cannot reach the database: {Reason}", "Test", i);
        for (var i = 0; i < 50; i++) log.LogError(new NpgsqlException("away"), "The outbox failed");
        var same = new InvalidOperationException("the same one");
        for (var i = 0; i < 5; i++) log.LogError(same, "Logged on its way {Place}", i);
        log.LogError("The last {Word}", "word");

        await Told(server, e => Says(e, "The last {Word}"), "the last one");
        Assert.DoesNotContain(server.All, r => r.Body.Contains("\"noise\"", StringComparison.Ordinal));
        Assert.Equal(20, server.All.Count(r => Message(r.Event) == "A loop failed"));
        Assert.Single(server.All, r => Message(r.Event) == "The database cannot be reached.");
        Assert.Single(server.All, r => Says(r.Event, "the same one"));
        using var health = host.Client();
        var part = JsonDocument.Parse(await health.GetStringAsync(new Uri("/health/parts/error-reports", UriKind.Relative))).RootElement;
        Assert.Equal("ok", part.GetProperty("state").GetString());
        Assert.True(part.GetProperty("figures").GetProperty("sent").GetInt64() >= 23);
        Assert.Contains("portal_error_reports_total{result=\"sent\"}", await health.GetStringAsync(new Uri("/metrics", UriKind.Relative)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_task_that_nobody_awaited_is_told()
    {
        await using var server = await ErrorServer.Start();
        await using var host = await Host(server);
        await Soon.Comes(() =>
        {
            Forget();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return server.All.Any(r => Says(r.Event, "nobody awaited"));
        }, "the fault arrived");
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    static void Forget() => _ = Task.FromException(new InvalidOperationException("nobody awaited"));

    [Fact]
    public async Task A_server_that_hangs_changes_nothing_for_those_who_ask_and_little_for_memory()
    {
        await using var server = await ErrorServer.Start();
        var never = new TaskCompletionSource();
        server.Answer = _ => never.Task;
        await using var host = await Host(server);
        await Sql(host, "alter table api_keys rename to api_keys_gone");
        using var client = host.Client();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "portal_x");
        await client.GetAsync(new Uri("/api/v1/incidents", UriKind.Relative));
        await Soon.Comes(() => server.All.Count == 1, "a report is on its way");
        var began = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < 100; i++) Assert.Equal(HttpStatusCode.InternalServerError, (await client.GetAsync(new Uri("/api/v1/incidents", UriKind.Relative))).StatusCode);
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(20));
        for (var i = 0; i < 2_000; i++) host.Get<IErrorReporter>().Report(new ErrorReport { At = TimeProvider.System.GetUtcNow(), Origin = "background", TraceId = new string('a', 32), Message = $"{i}" });
        await Soon.Comes(() => host.Get<IErrorReporter>().Figures is { Dropped: > 1_000, Waiting: <= 2 * EnvelopeReporter.MostWaiting }, "the rest is counted");
        await Sql(host, "alter table api_keys_gone rename to api_keys");
        never.SetResult();
    }
}
