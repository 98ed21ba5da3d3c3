using Npgsql;
using Portal.Components;
using Portal.Hosting;
using Portal.Infrastructure.Persistence;

namespace Portal.Live;

/// <summary>Brings the changes of all nodes to this one: by notification at once, and by the page's version, read every few seconds, when a notification was lost.</summary>
public sealed class ChangeListener(Database database, ChangeFeed feed, PortalOptions options, TimeProvider clock, ILogger<ChangeListener> log) : BackgroundService
{
    static readonly TimeSpan Wait = TimeSpan.FromSeconds(1);
    long pageHints;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await database.Opened.WaitAsync(stoppingToken);
        await Task.WhenAll(Forever(Listen, stoppingToken), Forever(Follow, stoppingToken));
    }

    async Task Forever(Func<CancellationToken, Task> work, CancellationToken ct)
    {
        var failed = false;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await work(ct);
                failed = false;
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested) { return; }
            catch (Exception e) when (Refusal.IsDatabaseAway(e) || e is IOException)
            {
                if (!failed) log.LogWarning("Changes of other nodes are not heard: {Reason}; trying again", e.Message);
                failed = true;
                await Task.Delay(Wait, clock, ct);
            }
        }
    }

    async Task Listen(CancellationToken ct)
    {
        await using var connection = await database.Source.OpenConnectionAsync(ct);
        connection.Notification += (_, heard) => Hear(heard.Payload);
        await using (var listen = new NpgsqlCommand($"listen {Changes.Channel}", connection)) await listen.ExecuteNonQueryAsync(ct);
        feed.PublishAll();
        while (true) await connection.WaitAsync(ct);
    }

    void Hear(string payload)
    {
        var topics = payload.Split(',');
        if (topics.Contains("page")) Interlocked.Increment(ref pageHints);
        feed.Publish(topics);
    }

    /// <summary>Each change of the page raises its version by one and is notified once: more steps than notifications means that one was lost.</summary>
    async Task Follow(CancellationToken ct)
    {
        var seen = await Version(ct);
        Interlocked.Exchange(ref pageHints, 0);
        feed.Publish("page");
        while (true)
        {
            await Task.Delay(options.Timing.Follow, clock, ct);
            var now = await Version(ct);
            if (now - seen > Interlocked.Exchange(ref pageHints, 0)) feed.Publish("page");
            seen = now;
        }
    }

    async Task<long> Version(CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand("select version from page_versions where id = 1");
        return (long)(await command.ExecuteScalarAsync(ct) ?? 0L);
    }
}
