using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Npgsql;
using Portal.Domain.Backups;
using Portal.Infrastructure.Backups;
using Portal.Tests.HouseRules;
using Portal.Tests.Support;

namespace Portal.Tests.Backups;

/// <summary>Follows docs/operations/restore-without-the-portal.md to the letter: its commands, in its order, in one shell; only the lines marked "yours" are replaced.</summary>
public sealed partial class RunbookTests(OddDatabase database) : IClassFixture<OddDatabase>, IAsyncLifetime
{
    const string Passphrase = "  a passphrase of \"odd\" $signs \\ here ";
    readonly BackupRig rig = new();
    readonly string fresh = $"by hand \"{Environment.ProcessId}\"";
    readonly byte[] masterKey = RandomNumberGenerator.GetBytes(32);

    public async Task InitializeAsync() => await rig.Store.Put(ArtifactNames.Key(rig.Key.Id), System.Text.Encoding.ASCII.GetBytes(await rig.Key.Wrap(Passphrase, default)), default);

    public async Task DisposeAsync()
    {
        await OddDatabase.Execute(database.Server, $"drop database if exists {ContentsComparison.Quoted(fresh)} with (force)");
        rig.Dispose();
    }

    [Fact]
    public async Task The_page_restores_a_database_and_the_master_key_with_stock_tools_alone()
    {
        var manifest = await Backup();
        var (exit, output, error) = await Follow(Passphrase);
        Assert.True(exit == 0 && error.Length == 0, $"{exit}: {error}{output}");
        Assert.Contains($"  {manifest.Id}  shop", output, StringComparison.Ordinal);
        foreach (var words in new[] { "The manifest is as it was written.", "The content is as it was written.", "It is unpacked whole.", "public.events_2025|t", "public.Über|t" })
            Assert.Contains(words, output.Split('\n'));
        Assert.DoesNotContain("|f", output, StringComparison.Ordinal);
        Assert.Equal(Convert.ToHexStringLower(masterKey), (await File.ReadAllTextAsync(rig["seen.key"])).Trim());
        await using var snapshot = await DatabaseSnapshot.Take(new NpgsqlConnectionStringBuilder(database.Server) { Database = fresh, Pooling = false }.ConnectionString, default);
        var comparison = ContentsComparison.Of(manifest.Database!, await snapshot.Contents(default));
        Assert.True(comparison.IsEqual, string.Join('\n', comparison.Differences));
    }

    [Fact]
    public async Task The_page_notices_what_was_changed_and_a_wrong_passphrase()
    {
        var manifest = await Backup();
        Assert.DoesNotContain("as it was written", (await Follow(Passphrase + "?", lastBlock: 3)).Output, StringComparison.Ordinal);
        Assert.Equal(2, (await Follow(Passphrase, lastBlock: 3)).Output.Split("as it was written").Length - 1);
        var file = rig.FileOf(manifest.File);
        var bytes = await File.ReadAllBytesAsync(file);
        bytes[100] ^= 1;
        await File.WriteAllBytesAsync(file, bytes);
        var content = (await Follow(Passphrase, lastBlock: 3)).Output;
        Assert.Contains("The manifest is as it was written.", content, StringComparison.Ordinal);
        Assert.DoesNotContain("The content is as it was written.", content, StringComparison.Ordinal);
        var page = rig.FileOf(ArtifactNames.Manifest(manifest.Id));
        await File.WriteAllTextAsync(page, (await File.ReadAllTextAsync(page)).Replace("\"gzipLevel\":1", "\"gzipLevel\":2", StringComparison.Ordinal));
        Assert.DoesNotContain("The manifest is as it was written.", (await Follow(Passphrase, lastBlock: 3)).Output, StringComparison.Ordinal);
    }

    async Task<BackupManifest> Backup() => await rig.Write(new PostgresSource(database.ConnectionString, await PostgresTools.Find(default), rig.Scratch),
        rig.Order() with { Carried = new Dictionary<string, string> { ["master.key"] = await DataKey.Wrap(masterKey, Passphrase, default) } });

    async Task<(int Exit, string Output, string Error)> Follow(string passphrase, int lastBlock = int.MaxValue)
    {
        var page = Repository.Read("docs/operations/restore-without-the-portal.md").Text;
        var blocks = Blocks().Matches(page).Select(m => m.Groups[1].Value).ToList();
        Assert.Equal(8, blocks.Count);
        // Before the page cleans up we look at what it made.
        blocks.Insert(7, $"od -An -v -tx1 $WORK/master.key | tr -d ' \\n' > '{rig["seen.key"]}'\n");
        var way = new NpgsqlConnectionStringBuilder(database.Server);
        var ours = new Dictionary<string, string>
        {
            ["cd "] = $"cd '{rig.Folder}'",
            ["ID="] = "ID=$(basename \"$(ls backups/*.json | tail -n 1)\" .json)",
            ["export PGHOST="] = $"export PGHOST={way.Host} PGPORT={way.Port} PGUSER={way.Username} PGPASSWORD='{way.Password}'",
            ["TO="] = $"TO='{fresh}'",
        };
        var script = Yours().Replace(string.Concat(blocks.Take(lastBlock)), line => ours.Single(o => line.Value.StartsWith(o.Key, StringComparison.Ordinal)).Value);
        return await Shell.Run(script, rig.Folder, passphrase + "\n", new Dictionary<string, string> { ["TMPDIR"] = rig["."] });
    }

    [GeneratedRegex(@"^```sh\n(.*?)^```$", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Blocks();

    [GeneratedRegex("^.* # yours: .*$", RegexOptions.Multiline)]
    private static partial Regex Yours();
}
