using System.Text.RegularExpressions;
using Portal.Tests.Support;

namespace Portal.Tests.Access;

[Trait("Category", "Slow")]
public sealed partial class AdminCommandTests : IDisposable
{
    readonly ScratchFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Beside_a_running_portal_the_last_administrator_gets_a_way_back_in_and_the_doctor_finds_all_well()
    {
        await using var portal = PortalProcess.Serve(folder.Path, new() { ["Bootstrap:AdminEmail"] = "alice@example.com", ["Bootstrap:AdminPassword"] = "correct horse battery staple" });
        var address = await portal.Ready();
        var server = folder.Postmaster!;
        await using (var unknown = PortalProcess.Start(folder.Path, null, "admin", "reset", "charlie@example.com"))
        {
            Assert.Equal(2, await unknown.Exit());
            Assert.Equal("Nobody here has the e-mail address charlie@example.com.", Assert.Single(unknown.Errors));
        }
        string link;
        await using (var reset = PortalProcess.Start(folder.Path, null, "admin", "reset", "Alice@example.com"))
        {
            link = Token().Match(await reset.Line("Choose a new password at ")).Value;
            Assert.Equal(0, await reset.Exit());
        }
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = address };
        Assert.Contains("Choose a new password", await client.GetStringAsync(new Uri($"/setup?{link}", UriKind.Relative)), StringComparison.Ordinal);
        var refused = await new Browser(client).Post("/login", new() { ["email"] = "alice@example.com", ["password"] = "correct horse battery staple" });
        Assert.NotEqual(System.Net.HttpStatusCode.SeeOther, refused.StatusCode);
        await using (var doctor = PortalProcess.Start(folder.Path, null, "doctor"))
        {
            Assert.Contains($"(process {portal.Id})", await doctor.Line("where a portal runs"), StringComparison.Ordinal);
            await doctor.Line("All is well.");
            Assert.Equal(0, await doctor.Exit());
        }
        Assert.True(server.LivesIn(folder.Cluster));
        Assert.Equal(0, await portal.Stop());
    }

    [GeneratedRegex("token=.+")]
    private static partial Regex Token();
}
