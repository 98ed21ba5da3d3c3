using Microsoft.Extensions.Logging;
using Npgsql;

namespace Portal.Infrastructure.Persistence.Outbox;

/// <summary>Hands owed reactions to their handlers, at least once each, never one to two nodes at the same time.</summary>
/// <remarks>
/// A claim pushes the row's due time behind the lease and remembers node and attempt; while the handler works the lease is renewed, and a handler whose lease
/// was lost is cancelled. Whoever dies is followed by the next claim after the lease. All times are the database's: nodes' clocks may differ.
/// </remarks>
public sealed class OutboxDispatcher(Database database, IEnumerable<OutboxHandler> handlers, NodeName node, TimeProvider clock, TimeSpan lease, ILogger<OutboxDispatcher> log)
{
    /// <summary>So many messages are handled side by side.</summary>
    const int Width = 4;
    const int LoudAfter = 5;
    static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1), LongestWait = TimeSpan.FromMinutes(15), Kept = TimeSpan.FromDays(7);

    readonly Dictionary<string, OutboxHandler> byTopic = handlers.ToDictionary(h => h.Topic);

    sealed record Claimed(Guid Id, string Topic, string Payload, int Attempt);

    /// <summary>Handles everything that is due.</summary>
    /// <returns>How many messages were tried.</returns>
    public async Task<int> Drain(CancellationToken ct)
    {
        if (byTopic.Count == 0) return 0;
        var tried = await Task.WhenAll(Enumerable.Range(0, Width).Select(_ => Lane(ct)));
        return tried.Sum();
    }

    /// <summary>Removes what was done long ago.</summary>
    public Task Tidy(CancellationToken ct) =>
        Execute("delete from outbox where done_at < clock_timestamp() - $1", ct, Kept);

    async Task<int> Lane(CancellationToken ct)
    {
        var tried = 0;
        while (await Claim(ct) is { } message)
        {
            await Handle(message, ct);
            tried++;
        }
        return tried;
    }

    async Task<Claimed?> Claim(CancellationToken ct)
    {
        const string sql = """
            update outbox set claimed_by = $1, attempts = attempts + 1, due_at = clock_timestamp() + $2
            where id = (select id from outbox where done_at is null and due_at <= clock_timestamp() and topic = any($3) order by due_at limit 1 for update skip locked)
            returning id, topic, payload, attempts
            """;
        await using var command = Command(sql, node.Value, lease, byTopic.Keys.ToArray());
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? new Claimed(reader.GetGuid(0), reader.GetString(1), reader.GetString(2), reader.GetInt32(3)) : null;
    }

    async Task Handle(Claimed message, CancellationToken ct)
    {
        using var lost = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var renewing = Renew(message, lost);
        try
        {
            await byTopic[message.Topic].Handle(message.Payload, lost.Token);
            await Settle(message, "done_at = clock_timestamp(), last_error = null", ct);
        }
        catch (OperationCanceledException) when (lost.IsCancellationRequested)
        {
            // We stop, or another node took over: whoever claims it next does it.
            if (ct.IsCancellationRequested) await Settle(message, "due_at = clock_timestamp()", CancellationToken.None);
        }
        catch (Exception e)
        {
            await PushAway(message, e, ct);
        }
        finally
        {
            await lost.CancelAsync();
            await renewing;
        }
    }

    /// <summary>A row that throws waits longer each time, and the others go on.</summary>
    async Task PushAway(Claimed message, Exception why, CancellationToken ct)
    {
        var wait = TimeSpan.FromSeconds(Math.Min(LongestWait.TotalSeconds, FirstWait.TotalSeconds * Math.Pow(2, Math.Min(20, message.Attempt - 1))));
        log.Log(message.Attempt >= LoudAfter ? LogLevel.Error : LogLevel.Warning, why,
            "Message {Id} of {Topic} failed at attempt {Attempt}; again in {Seconds:0} s", message.Id, message.Topic, message.Attempt, wait.TotalSeconds);
        var words = why.Message.Length > 500 ? why.Message[..500] : why.Message;
        await Execute("update outbox set due_at = clock_timestamp() + $4, last_error = $5 where id = $1 and claimed_by = $2 and attempts = $3 and done_at is null",
            ct, message.Id, node.Value, message.Attempt, wait, words);
    }

    /// <summary>Keeps the lease while the handler works; what cannot be renewed in time is given up before another node may take it.</summary>
    async Task Renew(Claimed message, CancellationTokenSource lost)
    {
        var held = clock.GetTimestamp();
        while (!lost.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(lease / 3, clock, lost.Token);
                var began = clock.GetTimestamp();
                if (await Settle(message, "due_at = clock_timestamp() + $4", lost.Token, lease) == 0) await lost.CancelAsync();
                held = began;
            }
            catch (OperationCanceledException) when (lost.IsCancellationRequested) { return; }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                log.LogWarning("The lease of message {Id} could not be renewed: {Reason}", message.Id, e.Message);
                if (clock.GetElapsedTime(held) > lease * 2 / 3) await lost.CancelAsync();
            }
        }
    }

    /// <summary>Only while the claim is still ours.</summary>
    Task<int> Settle(Claimed message, string set, CancellationToken ct, params object[] more) =>
        Execute($"update outbox set {set} where id = $1 and claimed_by = $2 and attempts = $3 and done_at is null", ct, [message.Id, node.Value, message.Attempt, .. more]);

    async Task<int> Execute(string sql, CancellationToken ct, params object[] values)
    {
        await using var command = Command(sql, values);
        return await command.ExecuteNonQueryAsync(ct);
    }

    NpgsqlCommand Command(string sql, params object[] values)
    {
        var command = database.Source.CreateCommand(sql);
        foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }
}
