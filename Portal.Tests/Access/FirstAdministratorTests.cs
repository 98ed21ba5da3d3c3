using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Portal.Domain.Access;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Hosting;
using Portal.Tests.Support;

namespace Portal.Tests.Access;

public sealed class FirstAdministratorTests : IAsyncLifetime, IDisposable
{
    const string Key = "unattended-key-0123456789";
    readonly TestDatabase database = new();
    readonly FakeClock clock = new();
    readonly StringWriter output = new();
    readonly LogLines log = new();
    Settlers settlers = null!;

    public async Task InitializeAsync()
    {
        await database.InitializeAsync();
        settlers = new Settlers(database.Contexts, clock);
    }

    public void Dispose()
    {
        output.Dispose();
        settlers.Dispose();
    }

    public async Task DisposeAsync() => await database.DisposeAsync();

    Task Start(BootstrapOptions? bootstrap = null) =>
        new FirstAdministrator(database.Contexts, clock, settlers.Passwords, Settlers.Address, bootstrap, log) { Output = output }.Run(default);

    string LastToken()
    {
        var line = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1].Trim();
        Assert.StartsWith("Create the first administrator at https://status.example.com/setup?token=", line, StringComparison.Ordinal);
        return Settlers.TokenOf(line);
    }

    Task Use(string token, string email = "alice@example.com") =>
        settlers.UseLink.Execute(new(token, "Alice", email, Settlers.Password, Settlers.Password), Settlers.Here, default);

    [Fact]
    public async Task Each_start_prints_a_new_link_and_withdraws_the_older_until_one_is_used()
    {
        await Start();
        var first = LastToken();
        clock.FastForward(FirstAdministrator.AtOnce + TimeSpan.FromSeconds(1));
        await Start();
        var second = LastToken();
        Assert.NotEqual(first, second);
        await Assert.ThrowsAsync<DomainException>(() => Use(first));
        await Use(second);
        var printed = output.ToString();
        await Start();
        Assert.Equal(printed, output.ToString());
        Assert.IsType<SignIn.Started>(await settlers.SignIn.Execute(new("alice@example.com", Settlers.Password), Settlers.Here, default));
        await Assert.ThrowsAsync<DomainException>(() => Use(second, "eve@example.com"));
        await using var db = database.Open();
        Assert.Equal(Role.Admin, (await db.People.SingleAsync()).Role);
    }

    [Fact]
    public async Task Nodes_that_start_at_once_each_print_a_link_that_works_and_the_first_used_ends_the_others()
    {
        await Start();
        var first = LastToken();
        clock.FastForward(TimeSpan.FromSeconds(20));
        await Start();
        var second = LastToken();
        var target = new LinkTarget(database.Contexts, clock);
        foreach (var token in (string[])[first, second]) Assert.Equal(LinkPurpose.FirstAdministrator, (await target.Load(token, default)).Purpose);
        await Use(first);
        Assert.Equal((null, true), ((await target.Load(second, default)).Purpose, (await target.Load(second, default)).HasAdministrator));
        await Assert.ThrowsAsync<DomainException>(() => Use(second, "eve@example.com"));
    }

    [Fact]
    public async Task Something_wrong_in_the_form_does_not_use_the_link_up()
    {
        await Start();
        var token = LastToken();
        Assert.Equal("password", (await Assert.ThrowsAsync<DomainException>(() => settlers.UseLink.Execute(new(token, "Alice", "a@example.com", "short", "short"), Settlers.Here, default))).Field);
        Assert.Equal("name", (await Assert.ThrowsAsync<DomainException>(() => settlers.UseLink.Execute(new(token, "", "a@example.com", Settlers.Password, Settlers.Password), Settlers.Here, default))).Field);
        Assert.Equal("email", (await Assert.ThrowsAsync<DomainException>(() => settlers.UseLink.Execute(new(token, "Alice", "a", Settlers.Password, Settlers.Password), Settlers.Here, default))).Field);
        Assert.Equal("repeated", (await Assert.ThrowsAsync<DomainException>(() => settlers.UseLink.Execute(new(token, "Alice", "a@example.com", Settlers.Password, "x"), Settlers.Here, default))).Field);
        await Use(token);
    }

    [Fact]
    public async Task Two_people_with_the_link_make_one_administrator()
    {
        await Start();
        var token = LastToken();
        var made = await Task.WhenAll(Enumerable.Range(0, 4).Select(async i =>
        {
            try { await Use(token, $"person{i}@example.com"); return true; }
            catch (Exception e) when (e is DomainException or ConflictException) { return false; }
        }));
        Assert.Single(made, true);
        await using var db = database.Open();
        Assert.Single(await db.People.ToListAsync());
    }

    [Fact]
    public async Task The_configuration_makes_the_first_administrator_and_a_key_with_all_scopes_once()
    {
        await Task.WhenAll(Start(new("Admin@Example.com", Settlers.Password, Key)), Start(new("Admin@Example.com", Settlers.Password, Key)));
        await using var db = database.Open();
        Assert.Equal("admin@example.com", (await db.People.SingleAsync()).Email);
        var key = await db.ApiKeys.SingleAsync();
        Assert.Equal(Secret.HashOf(Key), key.SecretHash);
        Assert.Equal(Permissions.Scopes.Order(), key.Scopes.Order());
        Assert.IsType<SignIn.Started>(await settlers.SignIn.Execute(new("admin@example.com", Settlers.Password), Settlers.Here, default));
        Assert.Empty(output.ToString());

        await Start(new("eve@example.com", "another long password", "another-key-0123456789"));
        Assert.Single(await db.People.AsNoTracking().ToListAsync());
        Assert.Single(await db.ApiKeys.AsNoTracking().ToListAsync());
        Assert.IsType<SignIn.Refused>(await settlers.SignIn.Execute(new("eve@example.com", "another long password"), Settlers.Here, default));
    }

    [Fact]
    public async Task No_secret_is_in_the_log_or_in_the_audit_rows()
    {
        await Start();
        var token = LastToken();
        await Start(new("admin@example.com", Settlers.Password, Key));
        await Start(new("admin@example.com", Settlers.Password, Key));
        await using var db = database.Open();
        var audit = await db.Audit.ToListAsync();
        Assert.NotEmpty(audit);
        Assert.NotEmpty(log.Lines);
        foreach (var text in audit.Select(a => a.Summary + a.Subject).Concat(log.Lines))
            foreach (var secret in new[] { token, Settlers.Password, Key })
                Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_link_from_before_the_configuration_made_an_administrator_is_dead()
    {
        await Start();
        var token = LastToken();
        await Start(new("admin@example.com", Settlers.Password, null));
        await Assert.ThrowsAsync<DomainException>(() => Use(token));
        var state = await new LinkTarget(database.Contexts, clock).Load(token, default);
        Assert.Equal((null, true), (state.Purpose, state.HasAdministrator));
    }

    sealed class LogLines : ILogger<FirstAdministrator>
    {
        public List<string> Lines { get; } = [];
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => true;
        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (Lines) Lines.Add(formatter(state, exception));
        }
    }
}
