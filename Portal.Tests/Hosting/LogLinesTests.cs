using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Portal.Features.Access;
using Portal.Hosting.Logs;
using Portal.Infrastructure;
using Portal.Infrastructure.Persistence;
using Portal.Live;
using Portal.Tests.Support;

namespace Portal.Tests.Hosting;

/// <summary>What a running process writes, read as whoever collects its logs does.</summary>
[Trait("Category", "Slow")]
public sealed class LogLinesTests : IDisposable
{
    const string Email = "alice@example.com", Password = "correct horse battery", Key = "log-lines-0123456789abcdef0123456789abcdef";
    readonly ScratchFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Every_line_is_JSON_with_time_level_and_node_and_those_of_a_request_carry_its_id_and_user()
    {
        var connection = await PostgresServer.Empty();
        var settings = new Dictionary<string, string>
        {
            ["Database:ConnectionString"] = connection,
            ["Logging:Format"] = "json",
            ["Bootstrap:AdminEmail"] = Email,
            ["Bootstrap:AdminPassword"] = Password,
            ["Bootstrap:ApiKey"] = Key,
        };
        await using var portal = PortalProcess.Serve(folder.Path, settings);
        var address = await portal.Ready();
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = address };

        var stranger = await client.GetAsync(new Uri("/nothing-here", UriKind.Relative));
        using var asked = new HttpRequestMessage(HttpMethod.Get, "/api/v1/components") { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", Key) } };
        asked.Headers.Add("X-Request-Id", "chosen-by-somebody-else");
        var robot = await client.SendAsync(asked);
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.OK), (stranger.StatusCode, robot.StatusCode));
        var signedIn = await new Browser(client).Post("/login", new() { ["email"] = Email, ["password"] = Password });
        using var visit = new HttpRequestMessage(HttpMethod.Get, "/account");
        visit.Headers.Add("Cookie", signedIn.Headers.GetValues("Set-Cookie").Single(c => c.StartsWith(SessionCookie.PlainName, StringComparison.Ordinal)).Split(';')[0]);
        var person = await client.SendAsync(visit);
        Assert.Equal(HttpStatusCode.OK, person.StatusCode);
        await portal.Line(IdOf(person));
        await portal.Stop();

        var (personId, keyId) = await Known(connection);
        await PostgresServer.Drop(connection);
        Assert.Equal($"Portal is ready at {address.ToString().TrimEnd('/')}", Assert.Single(portal.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), l => !l.StartsWith('{')));
        var lines = portal.Output.Split('\n').Where(l => l.StartsWith('{')).Select(l => JsonDocument.Parse(l).RootElement).ToList();
        Assert.All(lines, line =>
        {
            Assert.True(line.GetProperty("time").GetDateTimeOffset() > DateTimeOffset.UnixEpoch);
            Assert.Contains(line.GetProperty("level").GetString(), new[] { "info", "warning", "error" });
            Assert.NotEmpty(line.GetProperty("category").GetString()!);
            Assert.NotEmpty(line.GetProperty("message").GetString()!);
            Assert.True(line.TryGetProperty("requestId", out _) && line.TryGetProperty("user", out _));
        });
        Assert.NotEmpty(Assert.Single(lines.Select(l => l.GetProperty("node").GetString()).Distinct())!);
        Assert.Equal((null, "/nothing-here", 404), RequestLine(lines, stranger));
        Assert.Equal((keyId, "/api/v1/components", 200), RequestLine(lines, robot));
        Assert.Equal((personId, "/account", 200), RequestLine(lines, person));
        Assert.Contains(lines, l => l.GetProperty("requestId").ValueKind == JsonValueKind.Null);
        Assert.DoesNotContain("chosen-by-somebody-else", portal.Output, StringComparison.Ordinal);
    }

    static string IdOf(HttpResponseMessage response) => Assert.Single(response.Headers.GetValues("X-Request-Id"));

    static (string? User, string? Path, int Status) RequestLine(List<JsonElement> lines, HttpResponseMessage response)
    {
        var line = Assert.Single(lines, l => l.GetProperty("requestId").GetString() == IdOf(response) && l.GetProperty("category").GetString() == "Portal.Requests");
        return (line.GetProperty("user").GetString(), line.GetProperty("data").GetProperty("path").GetString(), line.GetProperty("data").GetProperty("status").GetInt32());
    }

    static async Task<(string Person, string Key)> Known(string connection)
    {
        await using var source = Database.Connect(connection);
        await using var db = new PortalDbContext(Database.OptionsFor(source));
        return ((await db.People.SingleAsync()).Id.ToString(), (await db.ApiKeys.SingleAsync()).Id.ToString());
    }
}

/// <summary>An open screen has no request: its person comes from the circuit.</summary>
public class CircuitLinesTests
{
    static readonly AuthenticationState Alice = new(new ClaimsPrincipal(new ClaimsIdentity([new(ClaimTypes.NameIdentifier, "alice-7")], "test")));

    [Fact]
    public async Task What_a_screen_does_is_logged_with_its_person_and_so_is_what_a_change_makes_it_do_later()
    {
        await using var services = Services();
        var log = services.GetRequiredService<ILogger<CircuitLinesTests>>();
        var feed = services.GetRequiredService<ChangeFeed>();
        using var looked = new SemaphoreSlim(0);
        IDisposable? watching = null;
        var activity = new CircuitUser(new Signed(), services.GetRequiredService<ILogger<CircuitUser>>()).CreateInboundActivityHandler(async _ =>
        {
            await Task.Yield();
            log.LogWarning("clicked");
            watching = feed.Subscribe("people", () =>
            {
                log.LogWarning("looked again");
                looked.Release();
                return Task.CompletedTask;
            });
        });
        await activity(null!);
        log.LogWarning("elsewhere");
        feed.Publish("people");
        Assert.True(await looked.WaitAsync(PortalProcess.Patience));
        watching!.Dispose();
        var lines = services.GetRequiredService<Lines>().Written.Select(l => JsonDocument.Parse(l).RootElement);
        Assert.Equal([("clicked", "alice-7"), ("elsewhere", null), ("looked again", "alice-7")], lines.Select(l => (l.GetProperty("message").GetString(), l.GetProperty("user").GetString())));
    }

    /// <summary>Logging as the portal sets it up, but for the last step to the console.</summary>
    static ServiceProvider Services()
    {
        var services = new ServiceCollection().AddSingleton(TimeProvider.System).AddSingleton(new NodeName("node-1")).AddSingleton(Configured.Shipped).AddSingleton<ChangeFeed>();
        services.AddLogging(l => l.AddPortalLogs().ClearProviders());
        services.AddSingleton<Lines>().AddSingleton<ILoggerProvider>(s => s.GetRequiredService<Lines>());
        return services.BuildServiceProvider();
    }

    sealed class Signed : AuthenticationStateProvider
    {
        public override Task<AuthenticationState> GetAuthenticationStateAsync() => Task.FromResult(Alice);
    }

    sealed class Lines(IEnumerable<ConsoleFormatter> formatters) : ILoggerProvider, ILogger, ISupportExternalScope
    {
        readonly ConsoleFormatter json = formatters.OfType<JsonLines>().Single();
        IExternalScopeProvider? scopes;

        public ConcurrentQueue<string> Written { get; } = new();
        public void SetScopeProvider(IExternalScopeProvider scopeProvider) => scopes = scopeProvider;
        public ILogger CreateLogger(string categoryName) => this;
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => scopes?.Push(state);
        public bool IsEnabled(LogLevel logLevel) => true;
        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            using var line = new StringWriter();
            json.Write(new LogEntry<TState>(logLevel, "Portal.Test", eventId, state, exception, formatter), scopes, line);
            Written.Enqueue(line.ToString());
        }

        public void Dispose() { }
    }
}
