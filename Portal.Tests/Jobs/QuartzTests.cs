using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Domain.Jobs;
using Portal.Infrastructure.Jobs;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Support;

namespace Portal.Tests.Jobs;

public sealed class QuartzTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    static readonly DeliverySettings Fast = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), 4);

    /// <summary>Fails when Quartz carries another script: write a migration that brings old installations there, then change this sum.</summary>
    [Fact]
    public void The_tables_that_the_migration_made_are_those_that_this_Quartz_wants() =>
        Assert.Equal("c7e6745411425f02f4464e4d33dc910b7dc93ac067f2da6ddf4690a604f4ec78", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(QuartzSchema.Script))));

    [Fact]
    public async Task What_is_handed_on_comes_to_a_node_soon_or_at_its_time_and_is_kept_once_however_often_it_was_handed_on()
    {
        var came = new ConcurrentQueue<(JobRunId Run, DateTimeOffset At)>();
        await using var connection = new Database();
        connection.Open(Database.Connect(database.ConnectionString, "quartz"));
        Task Take(JobRunId run, CancellationToken ct)
        {
            came.Enqueue((run, TimeProvider.System.GetUtcNow()));
            return Task.CompletedTask;
        }
        await using var a = new QuartzDelivery(connection, "node-a", Fast, NullLoggerFactory.Instance, Take);
        await using var b = new QuartzDelivery(connection, "node-b", Fast, NullLoggerFactory.Instance, Take);
        await Task.WhenAll(a.Start(default), b.Start(default));
        var (now, runs, later) = (TimeProvider.System.GetUtcNow(), Enumerable.Range(0, 20).Select(_ => new JobRunId(Guid.CreateVersion7())).ToList(), new JobRunId(Guid.CreateVersion7()));
        var soon = now.AddSeconds(20);
        await a.Deliver(later, soon, default);
        foreach (var run in runs)
        {
            await a.Deliver(run, now, default);
            await b.Deliver(later, soon, default);
        }
        await using (var kept = connection.Source.CreateCommand($"select count(*) from quartz.qrtz_triggers where trigger_name = '{later}'")) Assert.Equal(1L, await kept.ExecuteScalarAsync());
        await Soon.Comes(() => runs.TrueForAll(r => came.Any(c => c.Run == r)), "each has come");
        await Soon.Comes(() => came.Any(c => c.Run == later), "the later one");
        Assert.True(came.First(c => c.Run == later).At >= soon);
        Assert.Empty(came.Select(c => c.Run).Except([.. runs, later]));
    }
}
