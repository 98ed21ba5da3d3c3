namespace Portal.Hosting;

/// <summary>Something that is done once at each start, as soon as the database is open: a seed, the first administrator.</summary>
/// <remarks>Runs again at the next start (and on every node): it must find out by itself whether there is anything to do. A step that fails is tried again.</remarks>
public interface IStartupStep
{
    /// <summary>Lower ones first: 100 seeds, 200 people, 300 what needs both.</summary>
    int Order { get; }

    Task Run(CancellationToken ct);
}
