using Npgsql;
using Portal.Domain.Monitoring;
using Portal.Infrastructure.Metrics;
using Portal.Infrastructure.Monitoring;
using Portal.Tests.Support;

namespace Portal.Tests.Metrics;

public sealed class PartitionsTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    static readonly DateTimeOffset Noon = new(2026, 3, 2, 12, 0, 0, TimeSpan.Zero);
    readonly Partitions partitions = new(database.Database);
    readonly Rollups rollups = new(database.Database);
    readonly MonitorId monitor = new(Guid.CreateVersion7());

    public async Task InitializeAsync()
    {
        await partitions.Retire(DateTimeOffset.MaxValue.AddYears(-1), default);
        await Execute("truncate check_results, metric_minutes, metric_hours, metric_days, rollups_due");
    }

    public Task DisposeAsync() => Task.CompletedTask;

    async Task Execute(string sql)
    {
        await using var command = database.Database.Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    async Task<string> Read(string sql)
    {
        await using var command = database.Database.Source.CreateCommand(sql);
        return (await command.ExecuteScalarAsync())?.ToString() ?? "";
    }

    Task<string> Of(string table) => Read($"select string_agg(c.relname, ' ' order by c.relname) from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = '{table}'::regclass");

    Task Store(params DateTimeOffset[] times) => new CheckStore(database.Database, "node-a").Store(
        [.. times.Select(at => new FoundCheck(new CheckResult(monitor, at, TimeSpan.FromMilliseconds(20), CheckOutcome.Up, 200, null), monitor.Shard, 0))], [], default);

    [Fact]
    public async Task The_days_ahead_have_partitions_and_results_lie_in_them()
    {
        await partitions.MakeAhead(Noon, default);
        await partitions.MakeAhead(Noon, default);
        Assert.Equal("check_results_20260302 check_results_20260303 check_results_20260304 check_results_20260305 check_results_rest", await Of("check_results"));
        Assert.Equal("metric_hours_20260301 metric_hours_20260401 metric_hours_rest", await Of("metric_hours"));
        await Store(Noon, Noon.AddDays(1), Noon.AddYears(1));
        Assert.Equal("1 1 1", await Read("select concat_ws(' ', (select count(*) from check_results_20260302), (select count(*) from check_results_20260303), (select count(*) from check_results_rest))"));
    }

    [Fact]
    public async Task Without_partitions_nothing_is_lost_and_a_day_that_has_begun_in_the_rest_stays_there()
    {
        await Store(Noon);
        await partitions.MakeAhead(Noon, default);
        Assert.Equal("check_results_20260303 check_results_20260304 check_results_20260305 check_results_rest", await Of("check_results"));
        await Store(Noon.AddMinutes(1));
        Assert.Equal("2", await Read("select count(*) from check_results_rest"));
    }

    [Fact]
    public async Task Results_of_seven_days_are_kept_and_older_ones_dropped_wherever_they_lie()
    {
        await partitions.MakeAhead(Noon, default);
        await Store(Noon, Noon.AddDays(1), Noon.AddDays(-30), Noon.AddDays(-1));
        Assert.Empty(await partitions.Retire(Noon.AddDays(6), default));
        Assert.Equal("3", await Read("select count(*) from check_results"));
        // The whole of 2 March is older than seven days from the midnight of 10 March on.
        Assert.Empty(await partitions.Retire(new(2026, 3, 9, 23, 59, 59, TimeSpan.Zero), default));
        Assert.Equal(["check_results_20260302", "metric_points_20260302"], await partitions.Retire(new(2026, 3, 10, 0, 0, 0, TimeSpan.Zero), default));
        Assert.Equal("1", await Read("select count(*) from check_results"));
    }

    [Fact]
    public async Task Two_nodes_at_once_make_and_drop_the_same_partitions()
    {
        await using var second = new Infrastructure.Persistence.Database();
        second.Open(Infrastructure.Persistence.Database.Connect(database.ConnectionString));
        var other = new Partitions(second);
        for (var day = 0; day < 3; day++)
        {
            var now = Noon.AddDays(day);
            await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(() => (i % 2 == 0 ? partitions : other).MakeAhead(now, default))));
            await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(() => (i % 2 == 0 ? partitions : other).Retire(now, default))));
        }
        Assert.Contains("check_results_20260307", await Of("check_results"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_reads_for_long_keeps_the_old_but_stops_nobody_who_writes()
    {
        await partitions.MakeAhead(Noon, default);
        await Store(Noon);
        await using var connection = await database.Database.Source.OpenConnectionAsync();
        await using (var reading = await connection.BeginTransactionAsync())
        {
            await using var read = new NpgsqlCommand("select count(*) from check_results", connection);
            await read.ExecuteScalarAsync();
            var stuck = await Assert.ThrowsAsync<PostgresException>(() => partitions.Retire(Noon.AddDays(30), default));
            Assert.Equal(PostgresErrorCodes.LockNotAvailable, stuck.SqlState);
            await Store(Noon.AddMinutes(1));
        }
        Assert.NotEmpty(await partitions.Retire(Noon.AddDays(30), default));
    }

    [Fact]
    public async Task A_year_run_by_the_clock_stays_bounded()
    {
        // Two months day by day, then every month one day: what has been kept for long enough goes all the same.
        var days = Enumerable.Range(0, 60).Concat(Enumerable.Range(1, 13).Select(month => 60 + month * 30)).ToList();
        foreach (var day in days)
        {
            var now = Noon.AddDays(day);
            await partitions.MakeAhead(now, default);
            await Store(now);
            await rollups.Make(now.AddDays(1), e => throw e, default);
            await partitions.Retire(now, default);
        }
        for (var minute = 0; minute < 3; minute++) await rollups.Make(Noon.AddDays(460).AddMinutes(minute), e => throw e, default);
        Assert.Equal("0 0 0", await Read("select concat_ws(' ', (select count(*) from check_results_rest), (select count(*) from metric_minutes_rest), (select count(*) from metric_hours_rest))"));
        // The rest, the present day and three ahead, and what is not wholly over; of hours thirteen months.
        Assert.Equal(5, (await Of("check_results")).Split(' ').Length);
        Assert.InRange((await Of("metric_minutes")).Split(' ').Length, 5, 10);
        Assert.InRange((await Of("metric_hours")).Split(' ').Length, 15, 17);
        Assert.Equal("1", await Read("select count(*) from check_results"));
        Assert.Equal($"{days.Count}", await Read("select count(*) from metric_days"));
        Assert.Equal("0", await Read("select count(*) from rollups_due"));
    }
}
