using Microsoft.EntityFrameworkCore;
using Portal.Infrastructure.Persistence;

namespace Portal.Tests.Support;

/// <summary>A migrated database of its own for one test class: <c>IClassFixture&lt;TestDatabase&gt;</c>.</summary>
public sealed class TestDatabase : IAsyncLifetime
{
    public string ConnectionString { get; private set; } = "";
    public Database Database { get; } = new();
    public IDbContextFactory<PortalDbContext> Contexts => Database;

    public async Task InitializeAsync()
    {
        ConnectionString = await PostgresServer.Clone();
        Database.Open(Database.Connect(ConnectionString));
    }

    public PortalDbContext Open() => Database.CreateDbContext();

    public async Task DisposeAsync()
    {
        await Database.DisposeAsync();
        await PostgresServer.Drop(ConnectionString);
    }
}
