using System.Globalization;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Backups;
using Portal.Tests.Support;

namespace Portal.Tests.Persistence;

public sealed class RecoveryEpochTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    /// <param name="newer">By how many major versions the server that answers now is newer than the one that was known.</param>
    [Theory]
    [InlineData(1, true, false)]
    [InlineData(2, true, false)]
    [InlineData(0, true, true)]
    [InlineData(-1, true, true)]
    // A dump that was restored on a newer server: the database has another number there.
    [InlineData(1, false, true)]
    public async Task An_upgraded_server_is_no_restore_and_every_other_server_is(int newer, bool sameNumber, bool isRestored)
    {
        await using var source = Database.Connect(database.ConnectionString);
        await using var connection = await source.OpenConnectionAsync();
        await RecoveryEpoch.Run(connection, default);
        var own = ((string)(await Ask($"select value from settings where key = '{RecoveryEpoch.IdentitySetting}'"))!).Split('/');
        await Ask("delete from outbox; insert into outbox (id, topic, payload, created_at, due_at, attempts) values (gen_random_uuid(), 'thing.done', '{}', now(), now(), 0)");
        await Ask($"update settings set value = '1/{(sameNumber ? own[1] : "2")}/{int.Parse(own[2], CultureInfo.InvariantCulture) - newer}' where key = '{RecoveryEpoch.IdentitySetting}'");
        Assert.Equal(isRestored, await RecoveryEpoch.Run(connection, default) is not null);
        // What would be sent is held after a restore only.
        Assert.Equal(isRestored ? 1L : 0L, await Ask("select count(*) from outbox where due_at = 'infinity'"));
        Assert.Equal(string.Join('/', own), await Ask($"select value from settings where key = '{RecoveryEpoch.IdentitySetting}'"));
        Assert.Null(await RecoveryEpoch.Run(connection, default));
    }

    Task<object?> Ask(string sql) => OddDatabase.Execute(database.ConnectionString, sql);
}
