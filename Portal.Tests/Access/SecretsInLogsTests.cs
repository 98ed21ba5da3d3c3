using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Portal.Domain.Access;
using Portal.Features.Access;
using Portal.Tests.Support;

namespace Portal.Tests.Access;

public class SecretsInLogsTests
{
    [Fact]
    public async Task No_password_link_key_or_cookie_is_written_anywhere_on_the_way()
    {
        using var lines = new Everything();
        await using var host = await PortalHost.Start(replace: services => services.AddSingleton<ILoggerProvider>(lines));
        using var settlers = new Settlers(host.Database.Contexts, TimeProvider.System);
        var alice = await settlers.Settle("Alice", Role.Admin);
        var link = await host.Get<AddPerson>().Execute(new("Bob", "bob@example.com", Role.Staff), Settlers.ActorOf(alice), default);
        var token = Settlers.TokenOf(link.Url);

        var browser = new Browser(host.Client());
        await browser.Get($"/setup?token={token}");
        var first = await browser.Post("/setup", new() { ["token"] = token, ["password"] = "the new long password", ["repeated"] = "the new long password" }, from: $"/setup?token={token}");
        browser = new Browser(host.Client());
        await browser.Post("/login", new() { ["email"] = "bob@example.com", ["password"] = "a wrong long password" });
        var answer = await browser.Post("/login", new() { ["email"] = "bob@example.com", ["password"] = "the new long password" });
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        static string Cookie(HttpResponseMessage of) => of.Headers.GetValues("Set-Cookie").Single(c => c.StartsWith(SessionCookie.PlainName, StringComparison.Ordinal)).Split('=', 2)[1].Split(';')[0];
        var key = (await host.Get<CreateApiKey>().Execute(new("Robot", [.. Permissions.Scopes]), Settlers.ActorOf(alice), default)).Secret;
        using var robot = host.Client(key);
        var made = await (await robot.PostAsJsonAsync(new Uri("/api/v1/api-keys", UriKind.Relative), new { name = "Second", scopes = new[] { "ops:read" } })).Content.ReadFromJsonAsync<JsonElement>();
        using var stranger = host.Client("portal_mistyped-but-still-secret");
        Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.GetAsync(new Uri("/api/v1/people", UriKind.Relative))).StatusCode);

        Assert.NotEmpty(lines.Written);
        await using var db = host.Database.Open();
        var audit = await db.Audit.AsNoTracking().ToListAsync();
        Assert.True(audit.Count >= 5);
        var written = string.Join('\n', lines.Written.Concat(audit.Select(a => $"{a.Action} {a.Subject} {a.Summary} {a.ActorName}")));
        foreach (var secret in new[] { token, "the new long password", "a wrong long password", Cookie(first), Cookie(answer), key, made.GetProperty("key").GetString()!, "portal_mistyped-but-still-secret" })
            Assert.DoesNotContain(secret, written, StringComparison.Ordinal);
    }

    sealed class Everything : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Written { get; } = new();
        public ILogger CreateLogger(string categoryName) => this;
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => true;
        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Written.Enqueue(formatter(state, exception) + exception);
        public void Dispose() { }
    }
}
