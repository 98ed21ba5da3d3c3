using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Portal.Domain.Access;
using Portal.Features.Access;
using Portal.Tests.Access;
using Portal.Tests.Support;

namespace Portal.Tests.Hosting;

/// <summary>A proxy that ends https and speaks to the portal under another name, as many do unless told otherwise.</summary>
public class RewritingProxyTests
{
    const string Outside = "https://status.example.com", Inside = "portal.internal";

    [Fact]
    public async Task People_sign_in_and_out_through_it_and_no_answer_leads_to_the_inner_name()
    {
        await using var host = await PortalHost.Start(new() { ["Public:BaseUrl"] = Outside, ["Network:TrustedProxies"] = "127.0.0.1" });
        await using var proxy = await Proxy.Before(host.Address);
        using var settlers = new Settlers(host.Database.Contexts, TimeProvider.System);
        var alice = await settlers.Settle("Alice", Role.Admin);
        using var client = proxy.Client();
        var browser = new Browser(client);

        using var sentAway = await client.GetAsync(new Uri("/account", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Redirect, sentAway.StatusCode);
        Assert.StartsWith("/login?", PathOf(sentAway), StringComparison.Ordinal);
        using var signedIn = await browser.Post("/login", new() { ["email"] = alice.Email, ["password"] = Settlers.Password });
        Assert.Equal((HttpStatusCode.SeeOther, "/ops"), (signedIn.StatusCode, PathOf(signedIn)));
        Assert.Contains(alice.Email, await browser.Get("/account"), StringComparison.Ordinal);

        // Another site has the person's cookies sent along: whatever it says of itself, nothing happens.
        foreach (var (name, value) in ((string, string)[])[("Origin", "https://evil.example"), ("Origin", "null"), ("Origin", $"{Outside}.evil.example"), ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site")])
        {
            using var refused = await SignOut(client, CookieOf(signedIn), (name, value));
            Assert.Equal((value, HttpStatusCode.Forbidden), (value, refused.StatusCode));
        }
        Assert.Contains(alice.Email, await browser.Get("/account"), StringComparison.Ordinal);

        // As a browser without Sec-Fetch-Site sends it: only the origin, which is not the name that the portal is asked under.
        using var signedOut = await SignOut(client, CookieOf(signedIn), ("Origin", Outside));
        Assert.Equal((HttpStatusCode.SeeOther, "/login?done"), (signedOut.StatusCode, PathOf(signedOut)));
        using var after = await SignOut(client, CookieOf(signedIn), ("Origin", Outside));
        Assert.Equal(HttpStatusCode.Redirect, after.StatusCode);
        Assert.StartsWith("/login", PathOf(after), StringComparison.Ordinal);
        Assert.True(proxy.Answered >= 12, "the proxy was not asked: nothing was proved");
        Assert.DoesNotContain(proxy.Said, s => s.Contains(Inside, StringComparison.OrdinalIgnoreCase));
    }

    static string PathOf(HttpResponseMessage answer) => answer.Headers.Location!.OriginalString.Replace(Outside, "", StringComparison.Ordinal);

    static string CookieOf(HttpResponseMessage signedIn) =>
        signedIn.Headers.GetValues("Set-Cookie").Single(c => c.StartsWith(SessionCookie.SecureName, StringComparison.Ordinal)).Split(';')[0];

    static async Task<HttpResponseMessage> SignOut(HttpClient client, string cookie, (string Name, string Value) sender)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/logout") { Headers = { { "Cookie", cookie }, { sender.Name, sender.Value } }, Content = new FormUrlEncodedContent([]) };
        return await client.SendAsync(request);
    }

    sealed class Proxy : IAsyncDisposable
    {
        readonly WebApplication app;
        readonly HttpClient portal;
        readonly List<string> said = [];

        Proxy(Uri to)
        {
            portal = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = to };
            var builder = WebApplication.CreateSlimBuilder();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            builder.Logging.ClearProviders();
            app = builder.Build();
            app.Run(Forward);
        }

        public int Answered;

        /// <summary>All heads and texts of all answers.</summary>
        public IReadOnlyList<string> Said { get { lock (said) return [.. said]; } }

        public static async Task<Proxy> Before(Uri portal)
        {
            var proxy = new Proxy(portal);
            await proxy.app.StartAsync();
            return proxy;
        }

        public HttpClient Client()
        {
            var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
            var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = new Uri(address) };
            client.DefaultRequestHeaders.Host = new Uri(Outside).Host;
            return client;
        }

        async Task Forward(HttpContext http)
        {
            using var request = new HttpRequestMessage(new HttpMethod(http.Request.Method), $"{http.Request.Path}{http.Request.QueryString}");
            if (http.Request.ContentLength is not null) request.Content = new StreamContent(http.Request.Body);
            foreach (var (name, value) in http.Request.Headers)
                if (name is not "Host" && !request.Headers.TryAddWithoutValidation(name, [.. value])) request.Content?.Headers.TryAddWithoutValidation(name, [.. value]);
            request.Headers.Host = Inside;
            request.Headers.TryAddWithoutValidation("X-Forwarded-For", "203.0.113.9");
            request.Headers.TryAddWithoutValidation("X-Forwarded-Proto", "https");
            using var answer = await portal.SendAsync(request, http.RequestAborted);
            var text = await answer.Content.ReadAsStringAsync(http.RequestAborted);
            lock (said) said.Add($"{answer.Headers}{answer.Content.Headers}{text}");
            Interlocked.Increment(ref Answered);
            http.Response.StatusCode = (int)answer.StatusCode;
            foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers))
                if (name is not ("Transfer-Encoding" or "Content-Length")) http.Response.Headers[name] = values.ToArray();
            await http.Response.WriteAsync(text, http.RequestAborted);
        }

        public async ValueTask DisposeAsync()
        {
            await app.DisposeAsync();
            portal.Dispose();
        }
    }
}
