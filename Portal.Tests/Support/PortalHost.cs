using System.Net.Http.Headers;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Portal.Hosting;

namespace Portal.Tests.Support;

/// <summary>The whole portal in this process, on a real Kestrel at a free port, with a database and a data folder of its own.</summary>
/// <remarks><c>await using var host = await PortalHost.Start();</c> or, shared by a class, <c>IClassFixture&lt;PortalHost&gt;</c>.</remarks>
public sealed class PortalHost : IAsyncLifetime, IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    readonly TestDatabase database = new();
    readonly string folder = Directory.CreateTempSubdirectory("portal-host-").FullName;
    readonly LogLines log = new();
    Factory? factory;

    /// <summary>Set before the start: configuration keys with their values, and services to replace.</summary>
    public Dictionary<string, string?> Configuration { get; } = [];
    public Action<IServiceCollection>? Replace { get; set; }
    /// <summary>False starts the portal with a database that cannot be reached.</summary>
    public bool WithDatabase { get; set; } = true;

    public TestDatabase Database => database;
    public string DataFolder => folder;
    /// <summary>What it had to complain about so far, for the words of a test that failed.</summary>
    public string Complaints => string.Join('\n', log.All.Where(l => l.Level >= LogLevel.Warning).TakeLast(30).Select(l => l.Text));
    public IServiceProvider Services => factory!.Services;
    public Uri Address { get; private set; } = new("http://127.0.0.1/");

    public static async Task<PortalHost> Start(Dictionary<string, string?>? configuration = null, Action<IServiceCollection>? replace = null)
    {
        var host = new PortalHost { Replace = replace };
        foreach (var (key, value) in configuration ?? []) host.Configuration[key] = value;
        await host.InitializeAsync();
        return host;
    }

    public async Task InitializeAsync()
    {
        await database.InitializeAsync();
        var settings = new Dictionary<string, string?>
        {
            ["Database:ConnectionString"] = WithDatabase ? database.ConnectionString : "Host=127.0.0.1;Port=1;Username=nobody;Database=nothing;Timeout=1",
            ["Data:Path"] = folder,
        };
        foreach (var (key, value) in Configuration) settings[key] = value;
        factory = new Factory(settings, Replace, log);
        factory.UseKestrel(0);
        factory.StartServer();
        Address = factory.ClientOptions.BaseAddress;
        var state = Services.GetRequiredService<StartupState>();
        if (WithDatabase) await Task.WhenAll(state.Prepared, state.Serving).WaitAsync(Patience);
    }

    /// <summary>A client that follows no redirects and keeps no cookies unless asked to.</summary>
    public HttpClient Client(string? apiKey = null, bool cookies = false, bool redirects = false)
    {
        var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = redirects, UseCookies = cookies }) { BaseAddress = Address };
        if (apiKey is not null) client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", apiKey);
        return client;
    }

    public T Get<T>() where T : notnull => Services.GetRequiredService<T>();

    public async Task DisposeAsync()
    {
        if (factory is not null) await factory.DisposeAsync();
        await database.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    async ValueTask IAsyncDisposable.DisposeAsync() => await DisposeAsync();

    sealed class Factory(Dictionary<string, string?> settings, Action<IServiceCollection>? replace, LogLines log) : WebApplicationFactory<Program>
    {
        protected override void ConfigureWebHost(IWebHostBuilder builder)
        {
            // As installed: the development error page would hide what users see.
            builder.UseEnvironment("Production");
            foreach (var (key, value) in settings) builder.UseSetting(key, value);
            builder.ConfigureServices(services => services.AddSingleton<ILoggerProvider>(log));
            if (replace is not null) builder.ConfigureServices(replace);
        }
    }
}
