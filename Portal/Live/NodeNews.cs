using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Redis;

namespace Portal.Live;

/// <summary>Carries what this process committed to its own watchers and to the other nodes, and what those said to ours. PostgreSQL's notices (<see cref="ChangeListener"/>) say the same once more.</summary>
public sealed class NodeNews(Database database, ILiveBus bus, ChangeFeed feed) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        database.Committed += Told;
        bus.Heard += feed.Hear;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        database.Committed -= Told;
        bus.Heard -= feed.Hear;
        return Task.CompletedTask;
    }

    void Told(Announcement announcement)
    {
        feed.Hear(announcement);
        bus.Tell(announcement);
    }
}
