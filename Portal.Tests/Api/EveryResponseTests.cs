using System.Collections.Concurrent;
using System.Net;
using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Hosting;
using Portal.Hosting.Logs;
using Portal.Infrastructure;
using Portal.Tests.Support;

namespace Portal.Tests.Api;

public class EveryResponseTests(EveryResponseTests.Logged logged) : IClassFixture<EveryResponseTests.Logged>
{
    readonly PortalHost host = logged.Host;

    [Theory]
    [InlineData("/", 200)]
    [InlineData("/api/v2/summary.json", 200)]
    [InlineData("/api/v1/nothing", 401)]
    [InlineData("/no/such/page", 404)]
    [InlineData("/admin/components", 302)]
    [InlineData("/login", 200)]
    [InlineData("/docs", 200)]
    [InlineData("/health/live", 200)]
    [InlineData("/metrics", 200)]
    public async Task Carries_its_id_its_time_and_no_name_of_the_server(string path, int status)
    {
        using var client = host.Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "X-Request-Id", "chosen-by-a-stranger" }, { "Accept", "text/html" } } };
        using var answer = await client.SendAsync(request);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.NotEqual("chosen-by-a-stranger", answer.Headers.GetValues("X-Request-Id").Single());
        Assert.True(double.Parse(answer.Headers.GetValues("X-Process-Time").Single(), System.Globalization.CultureInfo.InvariantCulture) >= 0);
        Assert.False(answer.Headers.Contains("Server"));
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        if (answer.Content.Headers.ContentType?.MediaType != "text/html") return;
        var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.True(answer.Headers.Contains("Referrer-Policy") && answer.Headers.Contains("Permissions-Policy") && answer.Headers.Contains("Cross-Origin-Opener-Policy"));
    }

    [Fact]
    public async Task A_person_who_errs_gets_a_page_with_the_request_id_and_a_program_gets_problem_details()
    {
        using var client = host.Client();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/history") { Headers = { { "Accept", "text/html,*/*" } } };
        using var answer = await client.SendAsync(request);
        var html = await answer.Content.ReadAsStringAsync();
        Assert.Equal(405, (int)answer.StatusCode);
        Assert.Contains(answer.Headers.GetValues("X-Request-Id").Single(), html, StringComparison.Ordinal);
        Assert.Contains("The request was not carried out", html, StringComparison.Ordinal);
        using var lost = new HttpRequestMessage(HttpMethod.Get, "/no/such/page") { Headers = { { "Accept", "text/html,*/*" } } };
        Assert.Contains("There is no such page", await (await client.SendAsync(lost)).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var program = new HttpRequestMessage(HttpMethod.Get, "/no/such/page") { Headers = { { "Accept", "application/json" } } };
        Assert.Equal("application/problem+json", (await client.SendAsync(program)).Content.Headers.ContentType?.MediaType);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/api/v2/summary.json")]
    [InlineData("/history.rss")]
    [InlineData("/history.atom")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/openapi/v2.json")]
    [InlineData("/login")]
    [InlineData("/no/such/page")]
    public async Task A_forged_host_is_nowhere_repeated(string path)
    {
        using var client = host.Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Host = "evil.example" } };
        request.Headers.Add("X-Forwarded-Host", "evil.example");
        using var answer = await client.SendAsync(request);
        Assert.DoesNotContain("evil.example", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain("evil.example", answer.Headers.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_is_logged_without_the_capability_in_its_path_and_a_published_page_is_not()
    {
        using var client = host.Client();
        await client.GetAsync("/api/v1/heartbeats/s3cr3t-capability?also=hidden");
        await client.GetAsync("/history.rss?marker");
        var line = Assert.Single(logged.Lines, l => l.Contains("heartbeats", StringComparison.Ordinal));
        Assert.Matches(@"^GET /api/v1/heartbeats/\[redacted\] 404 in [0-9.]+ ms$", line);
        Assert.DoesNotContain(logged.Lines, l => l.Contains("s3cr3t", StringComparison.Ordinal) || l.Contains("hidden", StringComparison.Ordinal) || l.Contains("history.rss", StringComparison.Ordinal));
    }

    public sealed class Logged : IAsyncLifetime, ILoggerProvider
    {
        public ConcurrentQueue<string> Lines { get; } = new();
        public PortalHost Host { get; } = new();

        public async Task InitializeAsync()
        {
            Host.Replace = services => services.AddSingleton<ILoggerProvider>(this);
            await Host.InitializeAsync();
        }

        public ILogger CreateLogger(string categoryName) => categoryName == "Portal.Requests" ? new Keeper(Lines) : NullLogger.Instance;

        public async Task DisposeAsync() => await Host.DisposeAsync();

        public void Dispose() { }

        sealed class Keeper(ConcurrentQueue<string> lines) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
            public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;
            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => lines.Enqueue(formatter(state, exception));
        }
    }
}

public class LogLineTests
{
    static JsonElement Line(HttpContext? http, Action<ILogger> write)
    {
        var current = new CurrentRequest();
        var formatter = new JsonLines(current, new NodeName("node-1"), new FakeClock());
        using var output = new StringWriter();
        if (http is null) write(new Writer(formatter, output));
        else
        {
            var request = current.During(http, _ =>
            {
                write(new Writer(formatter, output));
                return Task.CompletedTask;
            });
            Assert.True(request.IsCompletedSuccessfully);
        }
        return JsonDocument.Parse(Assert.Single(output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries))).RootElement;
    }

    [Fact]
    public void Every_line_has_time_level_category_message_node_request_id_and_user()
    {
        var http = new DefaultHttpContext { TraceIdentifier = "request-7", User = new ClaimsPrincipal(new ClaimsIdentity([new(ClaimTypes.NameIdentifier, "0198")], "test")) };
        var line = Line(http, log => log.LogWarning("{Count} of {Name} failed", 3, "it\nforged"));
        Assert.Equal(["time", "level", "category", "message", "requestId", "user", "node", "data"], line.EnumerateObject().Select(p => p.Name));
        Assert.Equal(("2026-03-02T09:00:00.000Z", "warning", "Portal.Test", "request-7", "0198", "node-1", 3),
            (line.GetProperty("time").GetString(), line.GetProperty("level").GetString(), line.GetProperty("category").GetString(), line.GetProperty("requestId").GetString(),
                line.GetProperty("user").GetString(), line.GetProperty("node").GetString(), line.GetProperty("data").GetProperty("count").GetInt32()));
        Assert.Equal("3 of it\nforged failed", line.GetProperty("message").GetString());
    }

    [Fact]
    public void Outside_a_request_the_same_fields_are_there_and_an_exception_is_one_line()
    {
        var line = Line(null, log => log.LogError(new InvalidOperationException("why"), "It failed"));
        Assert.Equal(JsonValueKind.Null, line.GetProperty("requestId").ValueKind);
        Assert.Equal(JsonValueKind.Null, line.GetProperty("user").ValueKind);
        Assert.Equal("node-1", line.GetProperty("node").GetString());
        Assert.Contains("why", line.GetProperty("exception").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/incidents/1", "/incidents/1")]
    [InlineData("/requests/new", "/requests/new")]
    [InlineData("/requests/abc", "/requests/[redacted]")]
    [InlineData("/subscriptions/abc/confirm", "/subscriptions/[redacted]/confirm")]
    [InlineData("/api/v1/hooks/grafana/abc", "/api/v1/hooks/grafana/[redacted]")]
    [InlineData("/API/V1/Heartbeats/abc", "/API/V1/Heartbeats/[redacted]")]
    public void Capabilities_are_redacted_from_paths(string path, string safe) => Assert.Equal(safe, SafePath.Of(path));

    sealed class Writer(JsonLines formatter, TextWriter output) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => true;
        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> writer) =>
            formatter.Write(new LogEntry<TState>(logLevel, "Portal.Test", eventId, state, exception, writer), null, output);
    }
}
