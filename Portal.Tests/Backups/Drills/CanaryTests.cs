using Npgsql;
using Portal.Domain.Backups;
using Portal.Infrastructure.Backups.Drills;
using Portal.Tests.Support;

namespace Portal.Tests.Backups.Drills;

public sealed class CanaryTests : IAsyncLifetime
{
    string connection = "";

    public async Task InitializeAsync() => connection = await PostgresServer.Empty();

    public Task DisposeAsync() => PostgresServer.Drop(connection);

    Canary Bird(string? to = null) => new(to ?? connection);

    async Task<object?> Ask(string sql)
    {
        await using var opened = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connection) { Pooling = false }.ConnectionString);
        await opened.OpenAsync();
        await using var command = new NpgsqlCommand(sql, opened);
        return await command.ExecuteScalarAsync();
    }

    [Fact]
    public async Task It_makes_its_table_beats_once_however_many_write_keeps_few_rows_and_goes_away()
    {
        Assert.Null(await Canary.Newest(connection, default));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Bird().Beat(default)));
        var first = (await Canary.Newest(connection, default))!;
        await Bird().Beat(default);
        var second = (await Canary.Newest(connection, default))!;
        // On a machine that took very long it was time for the next one.
        Assert.True(second == first || second.At - first.At >= TimeSpan.FromSeconds(12), $"{first} {second}");
        Assert.Matches("^[0-9A-F]+/[0-9A-F]+$", first.Wal);
        await Ask($"insert into portal_canary.beats (at, lsn) select now() - interval '1 day', '0/0' from generate_series(1, {2 * Canary.Kept})");
        await Bird().Beat(default);
        var newest = (await Canary.Newest(connection, default))!;
        Assert.True(newest.Id > first.Id && newest.At >= first.At);
        Assert.Equal((long)Canary.Kept, await Ask("select count(*) from portal_canary.beats"));
        await Bird().Leave(default);
        Assert.Null(await Canary.Newest(connection, default));
    }

    [Fact]
    public async Task A_beat_is_believed_that_came_shortly_before_the_snapshot_and_before_the_failure()
    {
        var failed = await Bird().Now(default);
        Assert.InRange((TimeProvider.System.GetUtcNow() - failed).Duration(), TimeSpan.Zero, TimeSpan.FromMinutes(1));
        var snapshot = new SnapshotPosition("0/0", failed.AddMinutes(-20));
        bool Believed(DateTimeOffset at, DateTimeOffset? taken = null) => Canary.IsBelievable(new CanaryBeat(1, at, "0/0"), snapshot with { TakenAt = taken ?? snapshot.TakenAt }, failed);
        Assert.True(Believed(snapshot.TakenAt.AddSeconds(-14)));
        Assert.False(Believed(snapshot.TakenAt.AddDays(-20)), "nobody wrote it for weeks");
        Assert.False(Believed(snapshot.TakenAt.AddMinutes(2)), "it is of after the snapshot");
        Assert.False(Believed(failed.AddSeconds(1), failed), "it is of after the failure");
    }

    [Fact]
    public async Task A_database_that_is_not_there_or_that_it_may_not_write_to_is_said_in_words()
    {
        var refused = await Assert.ThrowsAsync<BackupFailedException>(() => Bird(to: new NpgsqlConnectionStringBuilder(connection) { Database = "not there" }.ConnectionString).Beat(default));
        Assert.Equal(BackupFailure.Refused, refused.Kind);
        Assert.Equal(BackupFailure.Refused, (await Assert.ThrowsAsync<BackupFailedException>(() => Canary.Newest(new NpgsqlConnectionStringBuilder(connection) { Database = "not there" }.ConnectionString, default))).Kind);
        var away = await Assert.ThrowsAsync<BackupFailedException>(() => Bird(to: "Host=127.0.0.1;Port=1;Username=x;Database=x").Beat(default));
        Assert.Equal(BackupFailure.Passing, away.Kind);
        var role = $"canary_{Environment.ProcessId}";
        await Ask($"create role {role} login password 'x'");
        try
        {
            var forbidden = await Assert.ThrowsAsync<BackupFailedException>(() => Bird(to: new NpgsqlConnectionStringBuilder(connection) { Username = role, Password = "x" }.ConnectionString).Beat(default));
            Assert.Equal(BackupFailure.Refused, forbidden.Kind);
        }
        finally
        {
            await Ask($"drop role {role}");
        }
    }
}
