using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Features.Access;
using Portal.Tests.Access;
using Portal.Tests.Support;

namespace Portal.Tests.Hosting;

/// <summary>Who asks, and whether they asked over https: believed of a trusted proxy, of the connection itself, and of nobody else.</summary>
public class ProxyTests
{
    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("10.0.0.0/8, 127.0.0.0/8", true)]
    [InlineData("10.0.0.5", false)]
    [InlineData("", false)]
    public async Task Forwarded_headers_are_believed_of_trusted_proxies_only(string trusted, bool believed)
    {
        await using var host = await PortalHost.Start(new() { ["Network:TrustedProxies"] = trusted });
        using var settlers = new Settlers(host.Database.Contexts, TimeProvider.System);
        var alice = await settlers.Settle("Alice", Role.Admin);
        using var client = host.Client();
        // What a visitor wrote into the header stands before what the proxy added.
        client.DefaultRequestHeaders.Add("X-Forwarded-For", "198.51.100.66, 203.0.113.9");
        client.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");
        client.DefaultRequestHeaders.Add("X-Forwarded-Host", "evil.example");
        var answer = await new Browser(client).Post("/login", new() { ["email"] = alice.Email, ["password"] = Settlers.Password });
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        Assert.Equal(believed, answer.Headers.Contains("Strict-Transport-Security"));
        var cookie = answer.Headers.GetValues("Set-Cookie").Single(c => c.Contains(SessionCookie.PlainName, StringComparison.Ordinal));
        Assert.StartsWith(believed ? $"{SessionCookie.SecureName}=" : $"{SessionCookie.PlainName}=", cookie, StringComparison.Ordinal);
        Assert.Equal(believed, cookie.Contains("; secure", StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain("evil.example", $"{answer.Headers.Location}{cookie}{await client.GetStringAsync(new Uri("/", UriKind.Relative))}", StringComparison.Ordinal);
        await using var db = host.Database.Open();
        Assert.Equal(believed ? "203.0.113.9" : "127.0.0.1", (await db.Sessions.SingleAsync(s => s.PersonId == alice.Id)).From);
    }
}

/// <summary>Kestrel itself with a certificate, as somebody without a proxy runs it.</summary>
[Trait("Category", "Slow")]
public sealed class HttpsTests : IDisposable
{
    const string Email = "alice@example.com", Password = "correct horse battery";
    readonly ScratchFolder folder = new();
    readonly string certificateFile = Path.GetTempFileName();

    public void Dispose()
    {
        folder.Dispose();
        File.Delete(certificateFile);
    }

    [Fact]
    public async Task Over_https_the_session_is_bound_to_this_host_and_browsers_are_told_to_stay()
    {
        using var certificate = SelfSigned();
        await File.WriteAllBytesAsync(certificateFile, certificate.Export(X509ContentType.Pfx, "for this test"));
        var connection = await PostgresServer.Empty();
        await using (var portal = PortalProcess.Start(folder.Path, new()
        {
            ["Database:ConnectionString"] = connection,
            ["Bootstrap:AdminEmail"] = Email,
            ["Bootstrap:AdminPassword"] = Password,
            ["Kestrel:Certificates:Default:Path"] = certificateFile,
            ["Kestrel:Certificates:Default:Password"] = "for this test",
        }, "--urls", "https://127.0.0.1:0"))
        {
            var address = await portal.Ready();
            Assert.Equal("https", address.Scheme);
            using var client = new HttpClient(new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.GetCertHashString() == certificate.GetCertHashString() },
            })
            { BaseAddress = address };
            string[] paths = ["/", "/login", "/nothing-here", "/api/v2/status.json", "/health/live"];
            var told = await Task.WhenAll(paths.Select(async path => (await client.GetAsync(new Uri(path, UriKind.Relative))).Headers.TryGetValues("Strict-Transport-Security", out var value) ? $"{path} {string.Join(',', value)}" : path));
            Assert.Equal(paths.Select(p => $"{p} max-age=31536000"), told);

            var signedIn = await new Browser(client).Post("/login", new() { ["email"] = Email, ["password"] = Password });
            var cookie = signedIn.Headers.GetValues("Set-Cookie").Single(c => c.Contains(SessionCookie.PlainName, StringComparison.Ordinal));
            var words = cookie.Split("; ").Select(w => w.ToLowerInvariant()).ToList();
            Assert.StartsWith("__Host-", cookie, StringComparison.Ordinal);
            Assert.Contains("secure", words);
            Assert.Contains("httponly", words);
            Assert.Contains("path=/", words);
            Assert.DoesNotContain(words, w => w.StartsWith("domain", StringComparison.Ordinal));
            var form = (await client.GetAsync(new Uri("/login", UriKind.Relative))).Headers.GetValues("Set-Cookie").Single();
            Assert.Contains("secure", form, StringComparison.OrdinalIgnoreCase);

            var secret = cookie.Split(';')[0].Split('=', 2)[1];
            Assert.Equal(HttpStatusCode.OK, await Visit(client, $"{SessionCookie.SecureName}={secret}"));
            Assert.Equal(HttpStatusCode.Redirect, await Visit(client, $"{SessionCookie.PlainName}={secret}"));
            Assert.Equal(0, await portal.Stop());
        }
        await PostgresServer.Drop(connection);
    }

    static async Task<HttpStatusCode> Visit(HttpClient client, string cookie)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/account") { Headers = { { "Cookie", cookie } } };
        return (await client.SendAsync(request)).StatusCode;
    }

    static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=status.example.com", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }
}
