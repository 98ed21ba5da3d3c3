using Microsoft.Playwright;

namespace Portal.E2E.Support;

/// <summary>The one Chromium of the run. Each window is a context of its own: own cookies, own storage.</summary>
static class Browser
{
    static readonly Lazy<Task<IBrowser>> Shared = new(Launch);
    static readonly string[] Flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps", "--no-default-browser-check"];

    static readonly string[] Places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    static async Task<IBrowser> Launch()
    {
        // Generous, since a promise of one second is measured by ./bench and must not fail here because the machine is busy.
        Assertions.SetDefaultExpectTimeout(15_000);
        var playwright = await Playwright.CreateAsync();
        var path = Places.FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException("Chromium is missing: ./test installs it.");
        // People's browsers keep the pages that they leave; Playwright's would not.
        return await playwright.Chromium.LaunchAsync(new() { ExecutablePath = path, Args = Flags, IgnoreDefaultArgs = ["--disable-back-forward-cache"] });
    }

    public static async Task<Window> Open(PortalProcess portal, ColorScheme scheme = ColorScheme.Light, bool script = true, bool phone = false, string locale = "en-GB", bool bypassPolicy = false)
    {
        var browser = await Shared.Value;
        var context = await browser.NewContextAsync(new()
        {
            BaseURL = portal.Url,
            ColorScheme = scheme,
            JavaScriptEnabled = script,
            ViewportSize = phone ? new() { Width = 390, Height = 844 } : new() { Width = 1440, Height = 1000 },
            HasTouch = phone,
            IsMobile = phone,
            Locale = locale,
            TimezoneId = "Europe/Berlin",
            ReducedMotion = ReducedMotion.Reduce,
            BypassCSP = bypassPolicy,
        });
        context.SetDefaultTimeout(15_000);
        return new Window(context, await context.NewPageAsync());
    }
}

/// <summary>One browser window of one person; it remembers what the page complained about.</summary>
sealed class Window : IAsyncDisposable
{
    readonly IBrowserContext context;

    public Window(IBrowserContext context, IPage page)
    {
        (this.context, Page) = (context, page);
        page.Console += (_, message) => { if (message.Type == "error") Complain(message.Text); };
        page.PageError += (_, error) => Complain(error);
    }

    public IPage Page { get; }
    public List<string> Complaints { get; } = [];

    void Complain(string what)
    {
        Told.ByBrowser(what);
        lock (Complaints) Complaints.Add(what);
    }

    public async Task<IPage> Another() => await context.NewPageAsync();

    public Task Offline(bool offline) => context.SetOfflineAsync(offline);

    public async ValueTask DisposeAsync() => await context.CloseAsync();
}
