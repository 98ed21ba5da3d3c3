using Npgsql;
using Portal.Domain.Metrics;
using Portal.Domain.Monitoring;
using Portal.Infrastructure.Metrics;
using Portal.Infrastructure.Monitoring;
using Portal.Tests.Support;

namespace Portal.Tests.Metrics;

public sealed class RollupsTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    static readonly DateTimeOffset Noon = new(2026, 3, 2, 12, 0, 0, TimeSpan.Zero);
    readonly Random random = new(11);
    readonly Rollups rollups = new(database.Database);
    readonly CheckStore store = new(database.Database, "node-a");

    /// <summary>Hours and days that were over before their parts came rest a moment.</summary>
    async Task Make(DateTimeOffset now)
    {
        for (var minute = 0; minute < 3; minute++) await rollups.Make(now.AddMinutes(minute), e => throw e, default);
    }

    static CheckResult Check(MonitorId monitor, DateTimeOffset at, double ms, CheckOutcome outcome = CheckOutcome.Up) => new(monitor, at, TimeSpan.FromMilliseconds(ms), outcome, null, null);

    Task Store(params CheckResult[] results) => store.Store([.. results.Select(r => new FoundCheck(r, r.Monitor.Shard, 0))], [], default);

    async Task<List<Bucket>> Load(MonitorId monitor, DateTimeOffset from, DateTimeOffset to, TimeSpan step)
    {
        await using var db = database.Open();
        return [.. (await SeriesHistory.Load(db, [monitor.Value], from, to, step, default))[monitor.Value]];
    }

    async Task<T> Read<T>(string sql, MonitorId monitor)
    {
        await using var command = database.Database.Source.CreateCommand(sql);
        command.Parameters.Add(new() { Value = monitor.Value });
        return (T)(await command.ExecuteScalarAsync())!;
    }

    [Fact]
    public async Task The_database_sorts_values_into_the_same_buckets_as_the_domain()
    {
        var monitor = new MonitorId(Guid.CreateVersion7());
        var values = Enumerable.Range(0, 600).Select(_ => (double)(float)Math.Exp(random.NextDouble() * 20 - 6)).Append(0).Append(1e9).ToArray();
        await Store([.. values.Select((v, i) => Check(monitor, Noon.AddMilliseconds(i * 90), v))]);
        await Make(Noon.AddHours(1));
        var exact = new Histogram();
        foreach (var ms in await Stored(monitor)) exact.Add(ms);
        Assert.Equal(exact.Pack(), await Read<long[]>("select histogram from metric_minutes where series_id = $1", monitor));
    }

    [Fact]
    public async Task A_planner_that_knows_nothing_yet_of_the_newest_results_does_not_compare_each_series_with_each_other()
    {
        // As after a standstill: many series, and statistics from before.
        const int series = 10_000;
        var minute = Noon.AddDays(20);
        await using (var fill = database.Database.Source.CreateCommand($"""
            analyze check_results;
            insert into check_results (monitor_id, at, milliseconds, outcome, node, epoch)
            select ('c0000000-0000-7000-8000-' || lpad(to_hex(n % {series}), 12, '0'))::uuid, timestamptz '{minute:O}' + n * interval '1 ms', 20 + n % 300, 0, 'a', 0 from generate_series(0, {2 * series - 1}) n;
            insert into rollups_due (width, at, ready_at) values (0, '{minute:O}', '{minute:O}')
            """)) await fill.ExecuteNonQueryAsync();
        var began = TimeProvider.System.GetTimestamp();
        await rollups.Make(minute.AddMinutes(2), e => throw e, default);
        var took = TimeProvider.System.GetElapsedTime(began);
        await using var count = database.Database.Source.CreateCommand($"select count(*), sum(count)::bigint from metric_minutes where at = '{minute:O}'");
        await using var reader = await count.ExecuteReaderAsync();
        await reader.ReadAsync();
        Assert.Equal((series, 2 * series), (reader.GetInt64(0), reader.GetInt64(1)));
        // A tenth of it on an idle machine; a hundred million comparisons take ten times as long.
        Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    async Task<List<double>> Stored(MonitorId monitor)
    {
        await using var db = database.Open();
        return [.. db.Checks.Where(c => c.MonitorId == monitor).Select(c => (double)c.Milliseconds)];
    }

    [Fact]
    public async Task Every_resolution_says_the_same_of_three_days_and_so_do_all_of_them_mixed()
    {
        var monitor = new MonitorId(Guid.CreateVersion7());
        var begin = Noon.AddHours(-12);
        var checks = Enumerable.Range(0, 3 * 24 * 60 * 2).Select(i => Check(monitor, begin.AddSeconds(i * 30), 20 + random.NextDouble() * 400, i % 50 == 7 ? CheckOutcome.Down : i % 91 == 3 ? CheckOutcome.NotConfigured : CheckOutcome.Up)).ToArray();
        await Store(checks);
        var good = checks.Where(c => c.Outcome == CheckOutcome.Up).Select(c => c.Duration.TotalMilliseconds).Order().ToList();
        async Task AllTell(TimeSpan step)
        {
            var buckets = await Load(monitor, begin, begin.AddDays(3), step);
            Assert.Equal(3 * 24 * 60 / (int)step.TotalMinutes, buckets.Count);
            var whole = Bucket.Merge(begin, buckets);
            Assert.Equal((good.Count, checks.Count(c => c.Outcome == CheckOutcome.Down)), (whole.Count, whole.Failed));
            Assert.Equal(good.Sum(), whole.Sum, good.Sum() * 1e-4);
            Assert.Equal((good[0], good[^1]), (whole.Min, whole.Max), new Near(0.01));
            var p95 = good[(int)Math.Ceiling(good.Count * 0.95) - 1];
            Assert.InRange(whole.Percentile(0.95)!.Value, p95 * 0.975, p95 * 1.025);
        }
        // The days are made up to a moment in the middle of the third: the rest is read from what is finer.
        await Make(begin.AddDays(2).AddHours(10).AddMinutes(30));
        Assert.Equal(2L, await Read<long>("select count(*) from metric_days where series_id = $1", monitor));
        await AllTell(TimeSpan.FromDays(1));
        await Make(begin.AddDays(4));
        Assert.Equal((4320L, 72L, 3L), (await Read<long>("select count(*) from metric_minutes where series_id = $1", monitor),
            await Read<long>("select count(*) from metric_hours where series_id = $1", monitor), await Read<long>("select count(*) from metric_days where series_id = $1", monitor)));
        foreach (var step in new[] { TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromHours(1), TimeSpan.FromHours(6), TimeSpan.FromDays(1) }) await AllTell(step);
        Assert.Equal(0, await rollups.Make(begin.AddDays(5), e => throw e, default));
    }

    sealed class Near(double by) : IEqualityComparer<(double A, double B)>
    {
        public bool Equals((double A, double B) x, (double A, double B) y) => Math.Abs(x.A - y.A) < by && Math.Abs(x.B - y.B) < by;
        public int GetHashCode((double A, double B) obj) => 0;
    }

    [Fact]
    public async Task What_comes_late_is_in_the_minute_the_hour_and_the_day()
    {
        var monitor = new MonitorId(Guid.CreateVersion7());
        await Store(Check(monitor, Noon.AddDays(-3), 10));
        await Make(Noon);
        Assert.Equal(1L, await Read<long>("select count from metric_days where series_id = $1", monitor));
        await Store(Check(monitor, Noon.AddDays(-3).AddSeconds(20), 30), Check(monitor, Noon.AddDays(-3).AddHours(1), 50));
        await Make(Noon.AddHours(1));
        foreach (var (table, count) in new[] { ("metric_minutes", 2L), ("metric_hours", 2L), ("metric_days", 3L) })
            Assert.Equal(count, await Read<long>($"select max(count) from {table} where series_id = $1", monitor));
    }

    [Fact]
    public async Task A_minute_is_not_made_while_a_node_still_stores_into_it_and_is_complete_afterwards()
    {
        var monitor = new MonitorId(Guid.CreateVersion7());
        var at = Noon.AddDays(40);
        await Store(Check(monitor, at, 10));
        await using var connection = await database.Database.Source.OpenConnectionAsync();
        await using (var slow = await connection.BeginTransactionAsync())
        {
            await using var insert = new NpgsqlCommand("insert into check_results (monitor_id, at, milliseconds, outcome, node, epoch) values ($1, $2, 99, 0, 'node-b', 1)", connection);
            insert.Parameters.Add(new() { Value = monitor.Value });
            insert.Parameters.Add(new() { Value = at.AddSeconds(5).UtcDateTime });
            await insert.ExecuteNonQueryAsync();
            await Rollups.Mark(connection, [at.AddSeconds(5)], default);
            await Make(at.AddHours(1));
            Assert.Equal(0L, await Read<long>("select count(*) from metric_minutes where series_id = $1", monitor));
            await slow.CommitAsync();
        }
        await Make(at.AddHours(1));
        Assert.Equal(2L, await Read<long>("select count from metric_minutes where series_id = $1", monitor));
    }

    [Fact]
    public async Task Nodes_that_roll_up_at_once_share_the_work_and_end_in_the_same_figures()
    {
        var monitor = new MonitorId(Guid.CreateVersion7());
        var begin = Noon.AddDays(80);
        await Store([.. Enumerable.Range(0, 12 * 60).Select(i => Check(monitor, begin.AddMinutes(i), 5))]);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Make(begin.AddDays(2)))));
        // Whoever found everything claimed has left.
        await Make(begin.AddDays(3));
        Assert.Equal((720L, 12L), (await Read<long>("select sum(count)::bigint from metric_minutes where series_id = $1", monitor), await Read<long>("select count(*) from metric_hours where series_id = $1", monitor)));
        Assert.Equal(720L, await Read<long>("select sum(count)::bigint from metric_days where series_id = $1", monitor));
    }

    [Fact]
    public async Task What_cannot_be_made_is_pushed_away_and_told_and_the_others_are_made()
    {
        var (bad, good) = (new MonitorId(Guid.CreateVersion7()), new MonitorId(Guid.CreateVersion7()));
        var at = Noon.AddDays(120);
        await using (var break_ = database.Database.Source.CreateCommand($"alter table metric_minutes add constraint no_such check (series_id <> '{bad.Value}') not valid")) await break_.ExecuteNonQueryAsync();
        try
        {
            await Store(Check(bad, at, 5));
            var told = 0;
            await rollups.Make(at.AddMinutes(2), _ => told++, default);
            await Store(Check(good, at.AddMinutes(2), 5));
            await rollups.Make(at.AddMinutes(4), _ => told++, default);
            Assert.Equal(1, told);
            Assert.Equal(1L, await Read<long>("select count(*) from metric_minutes where series_id = $1", good));
        }
        finally
        {
            await using var mend = database.Database.Source.CreateCommand("alter table metric_minutes drop constraint no_such");
            await mend.ExecuteNonQueryAsync();
        }
        await Make(at.AddMinutes(8));
        Assert.Equal(1L, await Read<long>("select count(*) from metric_minutes where series_id = $1", bad));
    }
}
