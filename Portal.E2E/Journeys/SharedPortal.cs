using Microsoft.Playwright;
using Portal.E2E.Pages;
using Portal.E2E.Support;

namespace Portal.E2E.Journeys;

/// <summary>One portal with demonstration data for all journeys that do it no harm.</summary>
public sealed class SharedPortal : IAsyncLifetime
{
    internal PortalProcess Portal { get; private set; } = null!;

    public async Task InitializeAsync() => Portal = await PortalProcess.Start(demo: true);

    public async Task DisposeAsync() => await Portal.DisposeAsync();

    internal async Task<Window> Staff(ColorScheme scheme = ColorScheme.Light, bool phone = false, bool bypassPolicy = false)
    {
        var window = await Browser.Open(Portal, scheme, phone: phone, bypassPolicy: bypassPolicy);
        await LoginPage.SignIn(window.Page);
        return window;
    }
}

[CollectionDefinition(Name)]
public sealed class OnePortal : ICollectionFixture<SharedPortal>
{
    public const string Name = "One portal";
}
