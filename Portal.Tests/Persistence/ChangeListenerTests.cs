using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Portal.Domain.StatusPages;
using Portal.Live;
using Portal.Tests.Support;

namespace Portal.Tests.Persistence;

public sealed class ChangeListenerTests : IAsyncLifetime
{
    readonly TestDatabase database = new();
    readonly ChangeFeed feed = new(TimeProvider.System, NullLogger<ChangeFeed>.Instance);
    ChangeListener listener = null!;
    PagePulse pulse = null!;
    int page, components;

    public async Task InitializeAsync()
    {
        await database.InitializeAsync();
        feed.Subscribe("page", () => Count(ref page), TimeSpan.Zero);
        feed.Subscribe("components", () => Count(ref components), TimeSpan.Zero);
        listener = new ChangeListener(database.Database, feed, TimeProvider.System, NullLogger<ChangeListener>.Instance);
        pulse = new PagePulse(database.Database, feed, TimeProvider.System, Configured.With(("Timing:FollowSeconds", "0.1")), NullLogger<PagePulse>.Instance);
        await listener.StartAsync(default);
        await pulse.StartAsync(default);
        await PortalProcess.Until(() => Volatile.Read(ref page) > 0, "the first hint");
        while (await Scalar("select 1 from pg_stat_activity where datname = current_database() and query like 'listen %'") is null) await Task.Yield();
    }

    public async Task DisposeAsync()
    {
        await listener.StopAsync(default);
        await pulse.StopAsync(default);
        listener.Dispose();
        pulse.Dispose();
        await database.DisposeAsync();
    }

    static Task Count(ref int counter)
    {
        Interlocked.Increment(ref counter);
        return Task.CompletedTask;
    }

    async Task AddComponent(string name)
    {
        await using var db = database.Open();
        db.Add(new Component(name, null, null, null, 0, TimeProvider.System.GetUtcNow()));
        await db.SaveChangesAsync();
    }

    [Fact]
    public async Task A_change_saved_anywhere_is_heard_with_its_topics()
    {
        var (before, pages) = (Volatile.Read(ref components), Volatile.Read(ref page));
        await AddComponent("Search");
        await PortalProcess.Until(() => Volatile.Read(ref components) > before && Volatile.Read(ref page) > pages, "the hint");
    }

    [Fact]
    public async Task A_change_of_which_nobody_told_is_found_by_the_version_and_everybody_looks_again()
    {
        var (before, others) = (Volatile.Read(ref page), Volatile.Read(ref components));
        await Scalar("update page_versions set version = version + 1");
        await PortalProcess.Until(() => Volatile.Read(ref page) > before, "the hint by the version");
        await PortalProcess.Until(() => Volatile.Read(ref components) > others, "the hint to the others");
    }

    [Fact]
    public async Task A_change_that_customers_do_not_see_and_of_which_nobody_told_is_found_by_its_audit_row()
    {
        var before = Volatile.Read(ref components);
        await Scalar("insert into audit (id, at, actor_kind, actor_name, action, subject, summary) values (gen_random_uuid(), now(), 'System', 'x', 'x.done', 'x', 'x')");
        await PortalProcess.Until(() => Volatile.Read(ref components) > before, "the hint");
    }

    [Fact]
    public async Task What_was_told_is_not_told_again_by_the_version()
    {
        var (before, pages, then) = (Volatile.Read(ref components), Volatile.Read(ref page), pulse.Last!.Version);
        await AddComponent("Once");
        await PortalProcess.Until(() => Volatile.Read(ref components) > before && Volatile.Read(ref page) > pages, "the hint");
        var beat = pulse.Last;
        await PortalProcess.Until(() => pulse.Last!.Version > then && pulse.Last != beat, "a beat with the new version");
        beat = pulse.Last;
        await PortalProcess.Until(() => pulse.Last != beat, "another beat");
        Assert.InRange(Volatile.Read(ref page) - pages, 1, 2);
    }

    [Fact]
    public async Task After_a_broken_connection_it_listens_again_and_everybody_looks_again()
    {
        var before = Volatile.Read(ref components);
        await Scalar("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");
        await PortalProcess.Until(() => Volatile.Read(ref components) > before, "the hint after listening again");
        var again = Volatile.Read(ref components);
        await AddComponent("Payments");
        await PortalProcess.Until(() => Volatile.Read(ref components) > again, "a change after listening again");
    }

    async Task<object?> Scalar(string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
