using Portal.Features.Audit;
using Portal.Hosting;
using Portal.Infrastructure;
using Portal.Infrastructure.Persistence.Audit;
using Portal.Tests.Support;

namespace Portal.Tests.Audit;

public sealed class AuditCommandTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    AuditRig rig = null!;

    public async Task InitializeAsync() => rig = await AuditRig.Make(database);

    public Task DisposeAsync()
    {
        rig.Dispose();
        return Task.CompletedTask;
    }

    async Task<(int Exit, string Said)> Verify(string? folder = null, string? configured = null)
    {
        using var output = new StringWriter();
        using var tools = new Toolbox(Configured.With(("Database:ConnectionString", rig.Database.ConnectionString), ("Data:Path", rig.Data), ("Storage:Backups:Path", configured)));
        var exit = await new AuditCommand(tools, output).Run(["verify"], folder, default);
        return (exit, output.ToString());
    }

    [Fact]
    public async Task It_says_what_was_compared_and_ends_well_or_says_what_is_wrong_and_does_not()
    {
        await rig.Write(4);
        var (exit, said) = await Verify();
        Assert.Equal(0, exit);
        Assert.Contains("holds 4 sealed rows", said, StringComparison.Ordinal);
        Assert.Contains("compared with no anchors", said, StringComparison.Ordinal);
        await rig.Anchor();
        foreach (var (folder, configured) in new[] { (rig.Folder, null), ((string?)null, rig.Folder) })
        {
            (exit, said) = await Verify(folder, configured);
            Assert.Equal(0, exit);
            Assert.Contains($"as 1 anchors in the folder {rig.Folder} saw it", said, StringComparison.Ordinal);
        }
        await rig.Tamper("delete from audit where position = 4");
        Assert.Equal(0, (await Verify()).Exit);
        (exit, said) = await Verify(rig.Folder);
        Assert.Equal(1, exit);
        Assert.StartsWith("The end of the audit log is missing: it ends with row 3", said, StringComparison.Ordinal);
        await rig.Run("set session_replication_role = replica; delete from audit where position = 2");
        (exit, said) = await Verify();
        Assert.Equal(1, exit);
        Assert.StartsWith("Row 2 of the audit log is missing.", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_anchor_that_cannot_be_read_is_said_and_a_wrong_word_or_folder_is_refused()
    {
        await rig.Write(1);
        var anchor = await rig.Anchor();
        Assert.Equal(0, (await Verify(rig.Folder)).Exit);
        await File.WriteAllTextAsync(Path.Combine(rig.Folder, "audit", anchor.Log, $"{anchor.Sequence:D20}.json"), "{}");
        var (exit, said) = await Verify(rig.Folder);
        Assert.Equal(1, exit);
        Assert.Contains("is no anchor", said, StringComparison.Ordinal);
        await Assert.ThrowsAsync<CannotStartException>(() => Verify(rig.Folder + "-not-there"));
        using var tools = new Toolbox(Configured.With(("Database:ConnectionString", rig.Database.ConnectionString), ("Data:Path", rig.Data)));
        await Assert.ThrowsAsync<CannotStartException>(() => new AuditCommand(tools, TextWriter.Null).Run(["prove"], null, default));
    }

    [Fact]
    public void Where_the_anchors_are_is_said_with_a_switch() =>
        Assert.Equal("/srv/backups", CommandLine.Parse(["audit", "verify", "--anchors", "/srv/backups"]).Settings["Audit:Anchors"]);

    [Fact]
    public async Task A_running_portal_seals_by_itself()
    {
        var (state, log) = (new StartupState(), new LogLines());
        using var sealing = new AuditSealing(new AuditSealer(rig.Database.Database), state, TimeProvider.System, new Microsoft.Extensions.Logging.Logger<AuditSealing>(log));
        await sealing.StartAsync(default);
        await using (var db = rig.Database.Open()) await db.Commit(rig.Entry(), default);
        state.MarkPrepared();
        await Soon.Comes(async () => (await rig.Chain.Head(default))?.Sequence == 1, "the first row being sealed");
        await using (var db = rig.Database.Open()) await db.Commit(rig.Entry(), default);
        await Soon.Comes(async () => (await rig.Chain.Head(default))?.Sequence == 2, "the second row being sealed");
        await sealing.StopAsync(default);
        Assert.Empty(log.All);
    }
}
