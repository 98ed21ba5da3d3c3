using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Portal.Infrastructure;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Persistence.Outbox;
using Portal.Tests.Support;

namespace Portal.Tests.Persistence;

public sealed class OutboxTests : IAsyncLifetime
{
    static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    readonly TestDatabase database = new();

    public Task InitializeAsync() => database.InitializeAsync();

    public Task DisposeAsync() => database.DisposeAsync();

    OutboxDispatcher Node(string name, OutboxHandler handler, TimeSpan? lease = null) =>
        new(database.Database, [handler], new NodeName(name), TimeProvider.System, lease ?? Lease, NullLogger<OutboxDispatcher>.Instance);

    async Task Owe(int count, string topic = "thing.done")
    {
        await using var db = database.Open();
        db.AddRange(Enumerable.Range(0, count).Select(i => new OutboxMessage(topic, $"{{\"n\": {i}}}", TimeProvider.System.GetUtcNow().AddSeconds(-1))));
        await db.SaveChangesAsync();
    }

    [Fact]
    public async Task Two_dispatchers_handle_every_message_once_and_none_at_the_same_time()
    {
        await Owe(60);
        var (inside, handled, overlaps) = (new ConcurrentDictionary<string, byte>(), new ConcurrentBag<string>(), 0);
        var handler = new OutboxHandler("thing.done", async (payload, ct) =>
        {
            if (!inside.TryAdd(payload, 0)) Interlocked.Increment(ref overlaps);
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, ct);
            handled.Add(payload);
            inside.TryRemove(payload, out _);
        });
        await Task.WhenAll(Node("a", handler).Drain(default), Node("b", handler).Drain(default));
        Assert.Equal(0, overlaps);
        Assert.Equal(60, handled.Count);
        Assert.Equal(60, handled.Distinct().Count());
        Assert.Equal(0L, await Scalar("select count(*) from outbox where done_at is null"));
    }

    [Fact]
    public async Task A_message_that_throws_is_pushed_away_and_the_others_go_on()
    {
        await Owe(5);
        var handled = 0;
        var handler = new OutboxHandler("thing.done", (payload, _) =>
        {
            if (payload.Contains('2', StringComparison.Ordinal)) throw new InvalidOperationException("the mail server is closed");
            Interlocked.Increment(ref handled);
            return Task.CompletedTask;
        });
        Assert.Equal(5, await Node("a", handler).Drain(default));
        Assert.Equal(4, handled);
        Assert.Equal("the mail server is closed", await Scalar("select last_error from outbox where done_at is null and due_at > clock_timestamp() and attempts = 1"));
        Assert.Equal(0, await Node("a", handler).Drain(default));

        await Scalar("update outbox set due_at = clock_timestamp() where done_at is null");
        Assert.Equal(1, await Node("a", handler).Drain(default));
        Assert.Equal(true, await Scalar("select due_at > clock_timestamp() + interval '1.5 seconds' from outbox where done_at is null and attempts = 2"));
    }

    [Fact]
    public async Task A_message_of_a_node_that_died_is_taken_over_after_the_lease_and_not_before()
    {
        await Owe(1);
        await Scalar("update outbox set claimed_by = 'dead', attempts = 1, due_at = clock_timestamp() + interval '1 hour'");
        var handler = new OutboxHandler("thing.done", (_, _) => Task.CompletedTask);
        Assert.Equal(0, await Node("b", handler).Drain(default));
        await Scalar("update outbox set due_at = clock_timestamp() - interval '1 second'");
        Assert.Equal(1, await Node("b", handler).Drain(default));
        Assert.Equal("b", await Scalar("select claimed_by from outbox where done_at is not null"));
    }

    [Fact]
    public async Task A_handler_that_outlasts_its_lease_keeps_it_by_renewing()
    {
        await Owe(1);
        var (started, finish) = (new TaskCompletionSource(), new TaskCompletionSource());
        var slow = Node("a", new OutboxHandler("thing.done", async (_, ct) =>
        {
            started.TrySetResult();
            await finish.Task.WaitAsync(ct);
        }), TimeSpan.FromSeconds(1.5));
        var draining = slow.Drain(default);
        await started.Task;
        var first = (DateTime)(await Scalar("select due_at from outbox"))!;
        await PortalProcess.Until(() => (DateTime)Scalar("select due_at from outbox").GetAwaiter().GetResult()! > first.AddSeconds(1.5), "the lease to be renewed beyond its first end");
        Assert.Equal(0, await Node("b", new OutboxHandler("thing.done", (_, _) => Task.CompletedTask)).Drain(default));
        finish.SetResult();
        Assert.Equal(1, await draining);
    }

    [Fact]
    public async Task A_handler_whose_message_was_taken_by_another_node_is_cancelled_and_marks_nothing()
    {
        await Owe(1);
        var (started, cancelled) = (new TaskCompletionSource(), false);
        var robbed = Node("a", new OutboxHandler("thing.done", async (_, ct) =>
        {
            started.TrySetResult();
            try { await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct); }
            finally { cancelled = ct.IsCancellationRequested; }
        }), TimeSpan.FromSeconds(0.6));
        var draining = robbed.Drain(default);
        await started.Task;
        await Scalar("update outbox set claimed_by = 'thief', attempts = attempts + 1, due_at = clock_timestamp() + interval '1 hour'");
        await draining.WaitAsync(PortalProcess.Patience);
        Assert.True(cancelled);
        Assert.Equal("thief", await Scalar("select claimed_by from outbox where done_at is null"));
    }

    [Fact]
    public async Task Nobody_claims_what_they_cannot_handle_and_done_messages_go_after_a_week()
    {
        await Owe(1, "unheard.of");
        await Owe(1);
        var node = Node("a", new OutboxHandler("thing.done", (_, _) => Task.CompletedTask));
        Assert.Equal(1, await node.Drain(default));
        Assert.Equal(0, await Scalar("select attempts from outbox where topic = 'unheard.of'"));
        await node.Tidy(default);
        Assert.Equal(2L, await Scalar("select count(*) from outbox"));
        await Scalar("update outbox set done_at = done_at - interval '8 days'");
        await node.Tidy(default);
        Assert.Equal("unheard.of", await Scalar("select string_agg(topic, ',') from outbox"));
    }

    async Task<object?> Scalar(string sql)
    {
        await using var command = database.Database.Source.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }
}
