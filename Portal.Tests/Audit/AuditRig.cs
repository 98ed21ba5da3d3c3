using Npgsql;
using Portal.Domain.Audit;
using Portal.Infrastructure.Backups;
using Portal.Infrastructure.Persistence.Audit;
using Portal.Tests.Support;

namespace Portal.Tests.Audit;

/// <summary>An empty audit log with its sealer, and a store for anchors.</summary>
sealed class AuditRig : IDisposable
{
    readonly ScratchFolder scratch = new();
    int written;

    AuditRig(TestDatabase database) => Database = database;

    public TestDatabase Database { get; }
    public FakeClock Clock { get; } = new();
    public AuditSealer Sealer => new(Database.Database);
    public AuditChain Chain => new(Database.Database);
    public string Folder => scratch["store"];
    public string Data => scratch["data"];
    public AuditAnchors Anchors => new(new LocalStore(Folder));

    public static async Task<AuditRig> Make(TestDatabase database)
    {
        var rig = new AuditRig(database);
        await rig.Run($"set session_replication_role = replica; truncate audit restart identity; delete from settings where key = '{AuditChain.NameSetting}'");
        return rig;
    }

    public AuditEntry Entry() => new(Cast.Alice, "thing.done", $"thing-{++written}", $"Überblick {written}", Clock.GetUtcNow().AddSeconds(written));

    /// <summary>So many rows in a commit each, and all of them sealed.</summary>
    public async Task Write(int rows)
    {
        for (var i = 0; i < rows; i++)
        {
            await using var db = Database.Open();
            await db.Commit(Entry(), default);
        }
        Assert.Equal(rows, await Sealer.Seal(default));
    }

    public async Task<AuditAnchor> Anchor()
    {
        Clock.FastForward(TimeSpan.FromHours(1));
        return (await Anchors.Keep(Chain, Clock.GetUtcNow(), default))!;
    }

    public async Task<AuditVerdict> Verify() => await Chain.Verify(await Anchors.All(default), default);

    /// <summary>As somebody would who owns the server.</summary>
    public async Task Tamper(string sql)
    {
        Assert.Null((await Verify()).Problem);
        await Run($"set session_replication_role = replica; {sql}");
    }

    public async Task Run(string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(Database.ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<object?> Scalar(string sql)
    {
        await using var command = Database.Database.Source.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    public void Dispose() => scratch.Dispose();
}
