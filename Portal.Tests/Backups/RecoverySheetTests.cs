using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Features.Backups;
using Portal.Infrastructure.Backups;
using Portal.Tests.Support;

namespace Portal.Tests.Backups;

public sealed class RecoverySheetTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    readonly BackupNode node = new(database);

    public async Task InitializeAsync()
    {
        await node.Clear();
        await node.Start();
    }

    public async Task DisposeAsync() => await node.DisposeAsync();

    MakeRecoverySheet Make => new(database.Database, node.Opening, node.Master, node.Box, TimeProvider.System);

    Task Confirm(BackupStoreId store, string passphrase) =>
        new ConfirmRecoverySheet(database.Database, node.Opening, node.Box, TimeProvider.System).Execute(store, $"{passphrase.Split('-')[1].ToLowerInvariant()} - {passphrase.Split('-')[4]}", Cast.Alice, default);

    async Task<(string Key, byte[] Master)> Opened(string passphrase)
    {
        var (store, id) = (new LocalStore(node.Folder), (await node.ConfiguredStore()).KeyId);
        async Task<string> Text(string name) => System.Text.Encoding.ASCII.GetString(await store.Read(name, 10_000, default));
        return ((await DataKey.Unwrap(id, await Text(ArtifactNames.Key(id)), passphrase, default)).Hex, await DataKey.Unwrap(await Text(ArtifactNames.MasterKey(id)), passphrase, default));
    }

    [Fact]
    public async Task A_sheet_holds_once_it_is_confirmed_and_until_then_the_one_before_does()
    {
        var store = await node.ConfiguredStore();
        using var key = node.Opening.Open(store);
        var first = (await Make.Execute(store.Id, Cast.Alice, default)).Passphrase;
        Assert.Equal(BackupFailure.Missing, (await Assert.ThrowsAsync<BackupFailedException>(() => Opened(first))).Kind);
        Assert.False((await node.ConfiguredStore()).HasSheet);
        await Confirm(store.Id, first);
        var (hex, master) = await Opened(first);
        Assert.Equal(key.Key.Hex, hex);
        Assert.Equal(node.Master.Bytes.ToArray(), master);

        // Nobody kept the second one: backups that are made now still open with the first.
        var second = (await Make.Execute(store.Id, Cast.Alice, default)).Passphrase;
        await node.Back("portal");
        Assert.Equal(hex, (await Opened(first)).Key);
        var backup = Assert.Single(await node.All());
        Assert.Equal(node.Master.Bytes.ToArray(), await DataKey.Unwrap(BackupManifest.Read(System.Text.Encoding.UTF8.GetBytes(backup.Manifest!)).Carried["master.key"], first, default));
        await Confirm(store.Id, second);
        Assert.Equal(hex, (await Opened(second)).Key);
        await Assert.ThrowsAsync<BackupFailedException>(() => Opened(first));
    }

    [Fact]
    public async Task The_upkeep_that_tries_the_store_at_the_same_moment_is_no_reason_to_refuse_a_sheet()
    {
        var store = await node.ConfiguredStore();
        var probe = new ProbeStore(database.Database, node.Opening, TimeProvider.System);
        await Task.WhenAll(Enumerable.Range(0, 3).SelectMany(_ => new Task[] { Make.Execute(store.Id, Cast.Alice, default), probe.Execute(store.Id, Actor.System, default) }));
    }

    [Fact]
    public async Task Wrong_groups_confirm_nothing_and_whoever_may_not_restore_makes_no_sheet()
    {
        var store = await node.ConfiguredStore();
        await Make.Execute(store.Id, Cast.Alice, default);
        Assert.Equal("groups", (await Assert.ThrowsAsync<DomainException>(() => Confirm(store.Id, "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE-FFFFF"))).Field);
        Assert.False((await node.ConfiguredStore()).HasSheet);
        await Assert.ThrowsAsync<ForbiddenException>(() => Make.Execute(store.Id, Cast.Bob, default));
    }
}
