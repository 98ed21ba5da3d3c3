using System.Net;
using System.Net.Sockets;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Portal.Hosting;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Postgres;
using Portal.Infrastructure.Security;
using Portal.Tests.Support;

namespace Portal.Tests.Hosting;

[Trait("Category", "Slow")]
public sealed class DatabaseOpeningTests : IDisposable
{
    readonly ScratchFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_server_that_came_back_on_another_port_is_used_and_the_old_way_is_given_up_once_nobody_can_be_on_it()
    {
        var clock = new FakeClock();
        using var data = new DataFolder(folder.Path);
        data.Claim();
        using var server = new EmbeddedPostgres(data, TimeProvider.System, NullLogger<EmbeddedPostgres>.Instance);
        await using var database = new Database();
        await using var opening = Opening(data, server, database, clock);
        database.Open(Database.Connect(await opening.Connection(default)));
        var old = database.Source;
        await using var begun = database.CreateDbContext();
        var port = new NpgsqlConnectionStringBuilder(old.ConnectionString).Port;

        await server.Stop();
        await opening.Reopen(default);
        Assert.Same(old, database.Source);
        await using (await old.OpenConnectionAsync()) { }

        await server.Stop();
        using var thief = new TcpListener(IPAddress.Loopback, port);
        thief.Start();
        await opening.Reopen(default);
        Assert.NotSame(old, database.Source);
        await using (await database.Source.OpenConnectionAsync()) { }
        thief.Stop();
        // What began before hears that the database is away.
        Assert.True(Components.Refusal.IsDatabaseAway(await Assert.ThrowsAnyAsync<Exception>(() => begun.Database.OpenConnectionAsync())));
        clock.FastForward(TimeSpan.FromMinutes(1));
        await PortalProcess.Until(() => IsDisposed(old), "the old way to be given up");
        await using (await database.Source.OpenConnectionAsync()) { }
        await server.Stop();
    }

    static bool IsDisposed(NpgsqlDataSource source)
    {
        try
        {
            source.OpenConnection().Dispose();
            return false;
        }
        catch (NpgsqlException)
        {
            return false;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }

    DatabaseOpening Opening(DataFolder data, EmbeddedPostgres server, Database database, TimeProvider clock)
    {
        var configuration = new ConfigurationBuilder().AddJsonFile(ConfigurationSources.File).AddInMemoryCollection([new("Data:Path", folder.Path)]).Build();
        var key = new MasterKey(data.DefaultMasterKeyFile);
        return new DatabaseOpening(new OptionsReader(configuration, ConfigurationSources.KnownKeys()).Read().Options, server, new DatabaseDump(data, clock),
            new Migrator(NullLogger<Migrator>.Instance), new KeyCheck(key, new SecretBox(key)), database, clock, NullLogger<DatabaseOpening>.Instance);
    }
}
