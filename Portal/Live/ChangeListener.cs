using Npgsql;
using Portal.Infrastructure.Persistence;

namespace Portal.Live;

/// <summary>Hears from PostgreSQL what any node saved and hands the topics to whoever watches them here. A hint, never the truth: what is missed is found by <see cref="PagePulse"/>.</summary>
public sealed class ChangeListener(Database database, ChangeFeed feed, TimeProvider clock, ILogger<ChangeListener> log) : BackgroundService
{
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await database.Opened.WaitAsync(stoppingToken);
        var contact = new DatabaseContact("Whoever listens for changes", clock, log);
        var wasLost = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Listen(wasLost, contact, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { return; }
            catch (Exception e) when (e is NpgsqlException or System.Net.Sockets.SocketException or InvalidOperationException or TimeoutException)
            {
                contact.Lost(e);
                wasLost = true;
                await Task.Delay(Pause, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    async Task Listen(bool again, DatabaseContact contact, CancellationToken ct)
    {
        await using var connection = await database.Source.OpenConnectionAsync(ct);
        connection.Notification += (_, notice) => feed.Hear(Announcement.Read(notice.Payload));
        await using (var listen = new NpgsqlCommand($"listen {Changes.Channel}", connection)) await listen.ExecuteNonQueryAsync(ct);
        contact.Found();
        if (again) feed.PublishAll();
        await Database.Hear(connection, ct);
    }
}
