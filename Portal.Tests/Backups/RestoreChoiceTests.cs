using System.Text;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Features.Backups;
using Portal.Hosting;
using Portal.Infrastructure;
using Portal.Infrastructure.Backups;
using Portal.Tests.Support;

namespace Portal.Tests.Backups;

/// <summary><c>portal restore</c> before it begins, and what it says when it is done.</summary>
public sealed class RestoreChoiceTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    readonly BackupNode node = new(database);
    readonly StringWriter said = new();
    string empty = "";

    public async Task InitializeAsync()
    {
        await node.Clear();
        await node.Start();
        empty = await PostgresServer.Empty();
    }

    public async Task DisposeAsync()
    {
        await node.DisposeAsync();
        await PostgresServer.Drop(empty);
        await said.DisposeAsync();
    }

    async Task<Backup> Backed()
    {
        var run = await node.Back("portal");
        Assert.Equal((RunState.Succeeded, null), (run.State, run.Error));
        return (await node.All()).Single(b => b.RunId == run.Id);
    }

    async Task Restore(string masterKey, string[] words, params (string Key, string? Value)[] settings)
    {
        using var tools = new Toolbox(Configured.With(("Data:Path", node["restored"]), ("Database:ConnectionString", empty), ("Storage:Backups:Path", node.Folder), ("Security:MasterKeyFile", masterKey)));
        await new RestoreCommand(tools, settings.ToDictionary(s => s.Key, s => s.Value), said).Run(words, default);
    }

    async Task<string> Refusal(string masterKey, string[] words, params (string Key, string? Value)[] settings) =>
        (await Assert.ThrowsAsync<CannotStartException>(() => Restore(masterKey, words, [(RestoreCommand.Confirm, ""), .. settings]))).Message;

    [Fact]
    public async Task The_newest_is_not_taken_by_itself_while_others_open_with_another_key_and_a_wrong_passphrase_opens_none()
    {
        var mine = await Backed();
        // Of a portal that was begun anew on this store, and whose master key somebody else has.
        var (store, key) = (new LocalStore(node.Folder), DataKey.Make(Id.New<BackupKeyId>(TimeProvider.System.GetUtcNow())));
        var order = new ArtifactWriter.Order(Id.New<BackupId>(TimeProvider.System.GetUtcNow().AddMinutes(1)), BackupTarget.Own, key, 1, "0.1.0");
        var theirs = await new ArtifactWriter(TimeProvider.System).Write(order, new GivenBytes("newer"), store, BackupRig.Ignored, default);
        await store.Put(ArtifactNames.Key(key.Id), Encoding.ASCII.GetBytes(await key.Wrap("the passphrase of somebody else", default)), default);

        Assert.Contains("1 backups in the folder", await Refusal(node["master.key"], []), StringComparison.Ordinal);
        Assert.Contains($"{theirs.Id}  cannot be used", said.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("shows", said.ToString(), StringComparison.Ordinal);
        // Whoever names one means it; what there is can be listed.
        Assert.Contains("Nothing was changed", await Refusal(node["master.key"], [mine.Id.ToString()]), StringComparison.Ordinal);
        Assert.Contains($"Backup {mine.Id} shows", said.ToString(), StringComparison.Ordinal);
        await Restore(node["master.key"], ["list"]);
        Assert.Contains($"{mine.Id}  shows", said.ToString(), StringComparison.Ordinal);

        await File.WriteAllTextAsync(node["passphrase"], "a wrong passphrase of nobody");
        Assert.Contains("The passphrase opens no key", await Refusal(node["no.key"], [], (RestoreCommand.PassphraseFile, node["passphrase"])), StringComparison.Ordinal);
        Assert.Equal(0L, await OddDatabase.Execute(empty, "select count(*) from pg_class where relname = 'settings'"));
    }

    [Fact]
    public async Task Roles_that_are_missing_and_what_was_not_granted_again_are_said_at_the_end()
    {
        var role = $"reporter_{Guid.CreateVersion7():N}";
        await OddDatabase.Execute(database.ConnectionString, $"create role {role}; grant select on settings to {role}");
        var backup = await Backed();
        await OddDatabase.Execute(database.ConnectionString, $"drop owned by {role}; drop role {role}");
        await Restore(node["master.key"], [backup.Id.ToString()], (RestoreCommand.Confirm, QueueRestore.Word));
        Assert.Contains("all are equal", said.ToString(), StringComparison.Ordinal);
        Assert.Contains($"Roles that the server does not have: {role}.", said.ToString(), StringComparison.Ordinal);
        Assert.Contains($"Not granted again: grant select on table public.settings to {role}: the role is missing", said.ToString(), StringComparison.Ordinal);
        Assert.True((bool)(await OddDatabase.Execute(empty, "select count(*) > 0 from job_runs"))!);
    }
}
