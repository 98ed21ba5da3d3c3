using System.Security.Claims;
using AngleSharp.Dom;
using Bunit;
using Bunit.TestDoubles;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portal.Domain.Access;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Hosting;
using Portal.Live;
using Portal.Tests.Monitoring;
using Portal.Tests.Support;

namespace Portal.Tests.Access;

public sealed class AccessScreensTests : IAsyncLifetime, IDisposable
{
    readonly TestDatabase database = new();
    readonly BunitContext screen = new();
    Settlers settlers = null!;
    Person alice = null!;

    public async Task InitializeAsync()
    {
        await database.InitializeAsync();
        settlers = new Settlers(database.Contexts, TimeProvider.System);
        alice = await settlers.Settle("Alice", Role.Admin);
        screen.JSInterop.Mode = JSRuntimeMode.Loose;
        screen.Services.AddSingleton(TimeProvider.System).AddSingleton<ChangeFeed>().AddSingleton(Settlers.Address);
        screen.Services.AddSingleton(settlers.AddPerson).AddSingleton(settlers.IssueLink).AddSingleton(settlers.ChangePerson).AddSingleton(settlers.People);
        screen.Services.AddSingleton(database.Contexts).AddSingleton<CreateApiKey>().AddSingleton<RevokeApiKey>().AddSingleton<ApiKeyList>();
        var identity = screen.AddAuthorization();
        identity.SetAuthorized("Alice");
        identity.SetClaims(new(ClaimTypes.NameIdentifier, alice.Id.Value.ToString()), new(ActorSource.KindClaim, nameof(ActorKind.Person)), new(ClaimTypes.Role, nameof(Role.Admin)));
    }

    public void Dispose()
    {
        screen.Dispose();
        settlers.Dispose();
    }

    public async Task DisposeAsync()
    {
        await screen.DisposeAsync();
        await database.DisposeAsync();
    }

    static IElement Button(IRenderedComponent<Microsoft.AspNetCore.Components.IComponent> page, string words) =>
        page.FindAll("button").First(b => b.TextContent.Trim() == words || b.GetAttribute("aria-label") == words);

    static void Eventually(IRenderedComponent<Microsoft.AspNetCore.Components.IComponent> page, string words) =>
        page.WaitForAssertion(() => Assert.Contains(words, page.Markup, StringComparison.Ordinal));

    [Fact]
    public async Task Somebody_is_added_and_the_link_is_shown_until_it_is_done()
    {
        var page = screen.Render<PeoplePage>();
        Eventually(page, "Only you so far");
        await Button(page, "Add somebody").ClickAsync(new());
        await page.Find("#name").ChangeAsync(new() { Value = "Bob <i>" });
        await page.Find("#email").ChangeAsync(new() { Value = "not an address" });
        await page.Find("form").SubmitAsync();
        Eventually(page, "must look like name@example.com");
        Assert.Equal("Bob <i>", page.Find("#name").GetAttribute("value"));
        Assert.Equal(("email-hint email-error", "true"), (page.Find("#email").GetAttribute("aria-describedby"), page.Find("#email").GetAttribute("aria-invalid")));
        Assert.Empty(page.FindAll(".notice.error"));
        await Button(page, "Cancel").ClickAsync(new());
        Assert.Empty(page.FindAll("[role=alert]"));
        await Button(page, "Add somebody").ClickAsync(new());
        await page.Find("#email").ChangeAsync(new() { Value = "bob@example.com" });
        await page.Find("form").SubmitAsync();
        Eventually(page, "https://status.example.com/setup?token=");
        Eventually(page, "Bob &lt;i&gt;");
        Eventually(page, "Link open until");
        await Button(page, "Done").ClickAsync(new());
        Assert.DoesNotContain("setup?token=", page.Markup, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("https://status.example.com", false)]
    public void Who_gives_out_links_is_warned_while_their_beginning_is_only_guessed(string address, bool warned)
    {
        screen.Services.AddSingleton(new PortalAddress(Configured.With(("Public:BaseUrl", address), ("Urls", "http://0.0.0.0:9000")), new EngineRig.NoServer()));
        var page = screen.Render<PeoplePage>();
        Eventually(page, "Only you so far");
        Assert.Equal(warned, page.Markup.Contains("begin with http://127.0.0.1:9000, where it listens itself", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_reset_and_a_deactivation_are_asked_for_first()
    {
        var bob = await settlers.Settle("Bob", Role.Staff);
        var page = screen.Render<PeoplePage>();
        Eventually(page, bob.Email);
        await Button(page, "Reset the password for Bob").ClickAsync(new());
        Assert.Contains("The old password stops working", page.Find("dialog").TextContent, StringComparison.Ordinal);
        await Button(page, "Cancel").ClickAsync(new());
        Assert.DoesNotContain("setup?token=", page.Markup, StringComparison.Ordinal);
        await Button(page, "Deactivate Bob").ClickAsync(new());
        await page.Find("dialog form").SubmitAsync();
        Eventually(page, "Deactivated");
        await Button(page, "Reactivate Bob").ClickAsync(new());
        page.WaitForAssertion(() => Assert.NotNull(Button(page, "Deactivate Bob")));
    }

    [Fact]
    public async Task The_last_administrator_is_told_why_they_must_stay_and_cannot_shut_themselves_out()
    {
        var page = screen.Render<PeoplePage>();
        Eventually(page, alice.Email);
        Assert.DoesNotContain(page.FindAll("button"), b => b.TextContent is "Deactivate" or "Reset the password");
        await page.Find("select[aria-label='Role of Alice']").ChangeAsync(new() { Value = nameof(Role.Staff) });
        Eventually(page, "the last administrator");
        await using var db = database.Open();
        Assert.Equal(Role.Admin, (await db.People.SingleAsync(p => p.Id == alice.Id)).Role);
    }

    [Fact]
    public async Task A_key_is_created_with_chosen_scopes_shown_once_and_revoked_after_a_question()
    {
        var page = screen.Render<ApiKeysPage>();
        Eventually(page, "Create the first key");
        await Button(page, "Create the first key").ClickAsync(new());
        foreach (var scope in Permissions.Scopes) Assert.Contains(Permissions.WordsFor(scope), page.Markup, StringComparison.Ordinal);
        await page.Find("#name").ChangeAsync(new() { Value = "Deployments" });
        await page.Find("form").SubmitAsync();
        Eventually(page, "Choose at least one scope");
        await page.FindAll("input[type=checkbox]")[1].ChangeAsync(new() { Value = true });
        await page.Find("form").SubmitAsync();
        Eventually(page, "portal_");
        page.WaitForAssertion(() => Assert.NotEmpty(page.FindAll("input[data-secret]")));
        var secret = page.Find("input[data-secret]").GetAttribute("value")!;
        await using (var db = database.Open())
        {
            var key = await db.ApiKeys.SingleAsync();
            Assert.Equal(Secret.HashOf(secret), key.SecretHash);
            Assert.Equal([Permissions.Scopes.ElementAt(1)], key.Scopes);
        }
        await Button(page, "Done").ClickAsync(new());
        Assert.DoesNotContain(secret, page.Markup, StringComparison.Ordinal);
        await Button(page, "Revoke Deployments").ClickAsync(new());
        await page.Find("dialog form").SubmitAsync();
        Eventually(page, "Revoked");
        await using var after = database.Open();
        Assert.NotNull((await after.ApiKeys.SingleAsync()).RevokedAt);
    }
}
