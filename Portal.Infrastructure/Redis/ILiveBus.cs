using Portal.Infrastructure.Persistence;

namespace Portal.Infrastructure.Redis;

/// <summary>Tells other nodes at once what this one committed. A hint beside PostgreSQL's own notices: with it gone every node still finds each change by asking the database.</summary>
public interface ILiveBus
{
    /// <summary>Returns at once, whatever becomes of it.</summary>
    void Tell(Announcement announcement);

    /// <summary>Told of what others said, from the time on when Redis is there.</summary>
    event Action<Announcement>? Heard;

    BusFigures Figures { get; }
}

/// <param name="Sent">Announcements that Redis took.</param>
/// <param name="Received">Messages that came, our own among them.</param>
/// <param name="Lost">Announcements that Redis did not take, or that were too many to wait for it.</param>
public readonly record struct BusFigures(long Sent, long Received, long Lost);

/// <summary>Without Redis: the database alone carries the news.</summary>
public sealed class DatabaseOnlyBus : ILiveBus
{
    public void Tell(Announcement announcement) { }

    public event Action<Announcement>? Heard { add { } remove { } }

    public BusFigures Figures => default;
}
