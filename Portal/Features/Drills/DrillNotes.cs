using Portal.Domain.Backups;
using Portal.Domain.Drills;
using Portal.Features.Jobs;

namespace Portal.Features.Drills;

/// <summary>What a drill finds out while it runs, so that one that fails has its evidence too.</summary>
public sealed class DrillNotes(RunContext run, TimeProvider clock)
{
    readonly List<DrillLogLine> log = [];
    readonly List<DrillPhase> phases = [];
    readonly List<string> commands = [];

    /// <summary>From here the time to recover counts.</summary>
    public long Began { get; private set; }
    public DateTimeOffset FailedAt { get; private set; }
    public (Backup Row, string Store)? Backup { get; set; }
    public DrillVersions Versions { get; set; } = new(Hosting.PortalVersion.Text, null, null, null);
    public IReadOnlyList<ComparedLine> Compared { get; set; } = [];
    public IReadOnlyList<CheckedAnswer> Checks { get; set; } = [];
    public DateTimeOffset? Canary { get; set; }
    /// <summary>What would have been lost; null while nothing has come back.</summary>
    public TimeSpan? Loss { get; set; }
    public IReadOnlyList<DrillPhase> Phases => phases;
    public IReadOnlyList<string> Commands => commands;
    public IReadOnlyList<DrillLogLine> Log => log;
    /// <summary>From the failure to data that was looked at; the phases are its parts. Zero while nothing has come back.</summary>
    public TimeSpan Recovery { get; private set; }

    public void Lost(DateTimeOffset at) => (FailedAt, Began) = (at, clock.GetTimestamp());

    /// <summary>Everything was looked at: what is in no phase yet was spent on that.</summary>
    public void Recovered()
    {
        Recovery = TimeSpan.FromMilliseconds(Math.Round(clock.GetElapsedTime(Began).TotalMilliseconds));
        Took("Check the data", Recovery - TimeSpan.FromSeconds(phases.Sum(p => p.Seconds)));
    }

    public void Say(string text)
    {
        log.Add(new(clock.GetUtcNow(), text));
        run.Say(text);
    }

    public void Phase(string name, string doing)
    {
        log.Add(new(clock.GetUtcNow(), $"{name}: {doing}"));
        run.Phase(name, doing);
    }

    public void Report(double? share, string doing) => run.Report(share, doing);

    public void Took(string phase, TimeSpan span) => phases.Add(new(phase, Math.Round(span.TotalSeconds, 3)));

    /// <summary>A program that was run, as a person would type it.</summary>
    public void Ran(string command) => commands.Add(command);
}
