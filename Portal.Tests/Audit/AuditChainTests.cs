using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Persistence.Audit;
using Portal.Tests.Backups;
using Portal.Tests.Support;

namespace Portal.Tests.Audit;

public sealed class AuditChainTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    AuditRig rig = null!;

    public async Task InitializeAsync() => rig = await AuditRig.Make(database);

    public Task DisposeAsync()
    {
        rig.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task A_row_that_is_committed_late_comes_after_those_that_were_sealed_before_it_could_be_seen()
    {
        await using var late = rig.Database.Open();
        await using var transaction = await late.Database.BeginTransactionAsync();
        await late.Commit(rig.Entry(), default);
        await rig.Write(2);
        await transaction.CommitAsync();
        Assert.Equal(1, await rig.Sealer.Seal(default));
        Assert.Equal("2 3 1", await rig.Scalar("select string_agg((sequence - first)::text, ' ' order by position) from audit, (select min(sequence) - 1 as first from audit) f"));
        Assert.Equal(new AuditVerdict(3, 0, 0, 0, null), await rig.Verify());
        Assert.Equal(3, (await rig.Chain.Head(default))!.Sequence);
    }

    [Fact]
    public async Task Seals_are_made_again_with_nothing_but_SQL()
    {
        await rig.Write(3);
        const string again = """
            select string_agg((hash = sha256(before || convert_to((select string_agg(coalesce(octet_length(f) || ':' || f || ',', '-,'), '' order by n)
                from unnest(array[position::text, sequence::text, id::text, to_char(at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), actor_kind, actor_id::text, actor_name, address, action, subject, summary]) with ordinality as u(f, n)), 'UTF8')))::text, ' ')
            from (select *, lag(hash, 1, decode(repeat('00', 32), 'hex')) over (order by position) as before from audit) a
            """;
        Assert.Equal("true true true", await rig.Scalar(again));
        await rig.Tamper("update audit set actor_name = 'Mallory' where position = 2");
        Assert.Equal("true false true", await rig.Scalar(again));
    }

    [Fact]
    public async Task The_database_refuses_to_change_and_to_remove_what_was_written()
    {
        await rig.Write(2);
        await using (var db = rig.Database.Open()) await db.Commit(rig.Entry(), default);
        foreach (var sql in new[]
        {
            "update audit set summary = 'x' where position = 1", "update audit set position = null, hash = null where position = 2", "update audit set summary = 'x' where position is null", "delete from audit where position = 1",
            "delete from audit where position is null", "update audit set position = 9, hash = '\\x00', summary = 'x' where position is null", "truncate audit",
        })
            Assert.Equal("23001", (await Assert.ThrowsAsync<PostgresException>(() => rig.Run(sql))).SqlState);
        Assert.Equal(1, await rig.Sealer.Seal(default));
        Assert.Equal(3, (await rig.Verify()).Rows);
    }

    [Theory]
    [InlineData("delete from audit where position = 4", "Row 4 of the audit log is missing.")]
    [InlineData("delete from audit where position <= 2", "Rows 1 to 2 of the audit log are missing.")]
    [InlineData("update audit set summary = 'nothing' where position = 5", "Row 5 of the audit log (thing.done, 2026-03-02T10:00:05.000000Z) is not as it was sealed")]
    [InlineData("update audit set address = null where position = 5", "Row 5 of the audit log")]
    [InlineData("update audit set at = 'infinity' where position = 5", "Row 5 of the audit log")]
    [InlineData("update audit set hash = null where position = 6", "Row 6 of the audit log")]
    [InlineData("delete from audit where position > 4", "The end of the audit log is missing: it ends with row 4, but the anchor of 2026-03-02 11:00:00 UTC saw row 6.")]
    [InlineData("delete from audit", "The end of the audit log is missing: it is empty")]
    [InlineData("delete from settings where key = 'audit.chain'", "The name of the audit log is missing")]
    [InlineData("update settings set value = repeat('a', 32) where key = 'audit.chain'", "There are 2 anchors, but none is of this log")]
    public async Task Whatever_is_removed_or_changed_is_said(string tampering, string words)
    {
        await rig.Write(3);
        await rig.Anchor();
        await rig.Write(3);
        await rig.Anchor();
        await rig.Tamper(tampering);
        Assert.StartsWith(words, (await rig.Verify()).Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, "The whole audit log was rewritten: its seals fit each other, but row 3 is another one than the anchor of 2026-03-02 10:00:00 UTC saw.")]
    [InlineData(5, "The audit log was rewritten after row 3, which is still as the anchor of 2026-03-02 10:00:00 UTC saw it: row 6 is another one than the anchor of 2026-03-02 11:00:00 UTC saw.")]
    public async Task A_chain_that_was_made_anew_fits_in_itself_and_not_to_its_anchors(int from, string words)
    {
        await rig.Write(3);
        await rig.Anchor();
        await rig.Write(3);
        await rig.Anchor();
        await rig.Tamper($"update audit set position = null, hash = null, summary = 'nothing happened' where position >= {from}");
        Assert.Equal(7 - from, await rig.Sealer.Seal(default));
        Assert.Equal(new AuditVerdict(6, 0, 0, 0, null), await rig.Chain.Verify([], default));
        Assert.Equal(words, (await rig.Verify()).Problem);
        // It is noticed within the hour too, and the anchors stay as they are.
        var before = await rig.Anchors.All(default);
        Assert.Equal(BackupFailure.Damaged, (await Assert.ThrowsAsync<BackupFailedException>(rig.Anchor)).Kind);
        Assert.Equal(before, await rig.Anchors.All(default));
    }

    [Fact]
    public async Task An_end_that_was_cut_off_is_noticed_also_when_the_log_has_grown_again()
    {
        await rig.Write(4);
        await rig.Anchor();
        await rig.Tamper("delete from audit where position > 2");
        await rig.Write(3);
        Assert.StartsWith("The whole audit log was rewritten: its seals fit each other, but row 4", (await rig.Verify()).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_head_is_anchored_once_and_anchors_of_other_logs_in_the_same_store_are_left_alone()
    {
        Assert.Null(await rig.Anchors.Keep(rig.Chain, rig.Clock.GetUtcNow(), default));
        await rig.Write(2);
        var first = await rig.Anchor();
        Assert.Equal(first, await rig.Anchor());
        Assert.Equal(first, Assert.Single(await rig.Anchors.All(default)));
        var other = new AuditAnchor(new string('b', 32), 5, "ff", rig.Clock.GetUtcNow());
        Directory.CreateDirectory(Path.Combine(rig.Folder, "audit", other.Log));
        await File.WriteAllTextAsync(Path.Combine(rig.Folder, "audit", other.Log, $"{other.Sequence:D20}.json"), System.Text.Json.JsonSerializer.Serialize(other, System.Text.Json.JsonSerializerOptions.Web));
        await rig.Write(1);
        await rig.Anchor();
        Assert.Equal(3, (await rig.Anchors.All(default)).Count);
        Assert.Equal(new AuditVerdict(3, 0, 2, 0, null), await rig.Verify());
    }

    [Fact]
    public async Task A_restored_copy_goes_on_under_a_name_of_its_own_and_is_not_held_against_what_it_lost()
    {
        await rig.Write(3);
        await rig.Anchor();
        await rig.Write(3);
        await rig.Anchor();
        await rig.Tamper("delete from audit where position > 4");
        Assert.NotNull((await rig.Verify()).Problem);
        Assert.Equal(4, await rig.Chain.Recover(default));
        Assert.Equal(new AuditVerdict(4, 0, 1, 1, null), await rig.Verify());
        await rig.Write(3);
        await rig.Anchor();
        Assert.Equal(new AuditVerdict(7, 0, 2, 1, null), await rig.Verify());
        // What came before the restore is still vouched for.
        await rig.Tamper("update audit set position = null, hash = null, summary = 'x' where position >= 2");
        await rig.Sealer.Seal(default);
        Assert.StartsWith("The whole audit log was rewritten", (await rig.Verify()).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Manifests_of_the_portals_own_database_are_anchors_too()
    {
        using var backups = new BackupRig();
        await rig.Write(3);
        await backups.Write(new GivenBytes("one"), backups.Order("portal") with { Audit = await rig.Chain.Head(default) });
        await backups.Write(new GivenBytes("other"), backups.Order("shop") with { Audit = new AuditHead(1, "other") });
        File.WriteAllText(backups.FileOf($"backups/{new string('a', 32)}.json"), "broken");
        var lineage = (await rig.Chain.Lineage(default))!;
        var anchors = await new AuditAnchors(backups.Store).InManifests("portal", lineage, default);
        Assert.Equal(new AuditVerdict(3, 0, 1, 0, null), await rig.Chain.Verify(anchors, default));
        await rig.Tamper("update audit set position = null, hash = null, summary = 'x'");
        await rig.Sealer.Seal(default);
        Assert.StartsWith("The whole audit log was rewritten", (await rig.Chain.Verify(anchors, default)).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_nodes_seal_what_many_write_at_once_without_a_gap_and_without_a_row_twice()
    {
        const int writers = 4, each = 30;
        using var done = new CancellationTokenSource();
        var entries = Enumerable.Range(0, writers * each).Select(_ => rig.Entry()).ToList();
        var sealing = Enumerable.Range(0, 2).Select(async _ =>
        {
            var count = 0;
            while (!done.IsCancellationRequested) count += await rig.Sealer.Seal(default);
            return count;
        }).ToList();
        await Task.WhenAll(Enumerable.Range(0, writers).Select(async writer =>
        {
            for (var i = 0; i < each; i++)
            {
                await using var db = rig.Database.Open();
                await db.Commit(entries[writer * each + i], default);
            }
        }));
        await done.CancelAsync();
        var total = (await Task.WhenAll(sealing)).Sum() + await rig.Sealer.Seal(default);
        Assert.Equal(writers * each, total);
        Assert.Equal(new AuditVerdict(writers * each, 0, 0, 0, null), await rig.Verify());
    }

    [Fact]
    public async Task Rows_of_an_older_version_are_sealed_in_parts_and_an_idle_second_costs_next_to_nothing()
    {
        const int rows = 4 * AuditSealer.AtOnce + 7;
        await rig.Run($"insert into audit (id, at, actor_kind, actor_name, action, subject, summary) select gen_random_uuid(), now(), 'System', 'Portal', 'thing.done', n::text, repeat('x', 200) from generate_series(1, {rows}) n");
        Assert.Equal(rows, await rig.Sealer.Seal(default));
        Assert.Equal(new AuditVerdict(rows, 0, 0, 0, null), await rig.Verify());
        await rig.Run("vacuum analyze audit");
        Assert.InRange(await Buffers(), 1, 6);

        async Task<long> Buffers()
        {
            await using var command = rig.Database.Database.Source.CreateCommand($"explain (analyze, buffers, timing off, format json) {AuditSealer.PendingSql}");
            command.Parameters.Add(new() { Value = 0L });
            using var plan = System.Text.Json.JsonDocument.Parse((string)(await command.ExecuteScalarAsync())!);
            var node = plan.RootElement[0].GetProperty("Plan");
            return node.GetProperty("Shared Hit Blocks").GetInt64() + node.GetProperty("Shared Read Blocks").GetInt64();
        }
    }

    [Fact]
    public async Task The_chain_survives_a_way_down_and_what_an_older_version_wrote_meanwhile_comes_after_it()
    {
        await rig.Write(3);
        await rig.Anchor();
        var source = rig.Database.Database.Source;
        MigrationState state;
        await using (var db = rig.Database.Open()) state = await Migrator.State(db, default);
        var migrator = new Migrator(NullLogger<Migrator>.Instance);
        await migrator.Down(source, state.Applied.TakeWhile(m => !m.EndsWith("_AuditAndNotices", StringComparison.Ordinal)).Last(), _ => Task.CompletedTask, default);
        await rig.Run("insert into audit (id, at, actor_kind, actor_name, action, subject, summary) values (gen_random_uuid(), now(), 'System', 'Portal', 'thing.done', 'x', 'x')");
        await migrator.Up(source, _ => Task.CompletedTask, (_, _) => Task.CompletedTask, default);
        Assert.Equal(1, await rig.Sealer.Seal(default));
        Assert.Equal(new AuditVerdict(4, 0, 1, 0, null), await rig.Verify());
        Assert.Equal("23001", (await Assert.ThrowsAsync<PostgresException>(() => rig.Run("delete from audit"))).SqlState);
    }
}
