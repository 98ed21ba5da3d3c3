using Portal.Domain.Shared;

namespace Portal.Domain.Monitoring;

public readonly record struct MonitorImportId(Guid Value) : IId<MonitorImportId>
{
    public static MonitorImportId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>What a file is written in: a table, or the backup of another tool.</summary>
public enum ImportFormat { Csv, UptimeKuma }

/// <summary>A file whose monitors were taken in, so that it can be taken back.</summary>
public sealed class MonitorImport
{
    public static readonly TimeSpan UndoFor = TimeSpan.FromDays(90);
    public const int FileNameLength = 200;

    MonitorImport() { }

    public MonitorImport(string? fileName, ImportFormat format, byte[] fingerprint, Actor actor, DateTimeOffset now)
    {
        (Id, At, By, Format, Fingerprint) = (Shared.Id.New<MonitorImportId>(now), now, actor.Name, format, fingerprint);
        FileName = Named(fileName);
    }

    public MonitorImportId Id { get; private set; }
    /// <summary>What it made or changed bears this time until somebody edits it.</summary>
    public DateTimeOffset At { get; private set; }
    public string By { get; private set; } = "";
    public string FileName { get; private set; } = "";
    public ImportFormat Format { get; private set; }
    /// <summary>SHA-256 of the file.</summary>
    public byte[] Fingerprint { get; private set; } = [];
    public int Created { get; private set; }
    public int Changed { get; private set; }
    /// <summary>When all of it was taken back; null while something of it can be.</summary>
    public DateTimeOffset? UndoneAt { get; private set; }
    public string? UndoneBy { get; private set; }

    public ImportedMonitor Made(Monitor monitor)
    {
        Created++;
        return new(Id, monitor, null);
    }

    /// <summary>To be called before the monitor is changed.</summary>
    public ImportedMonitor WillChange(Monitor monitor)
    {
        Changed++;
        return new(Id, monitor, monitor.Settings);
    }

    /// <exception cref="DomainException">It was taken back already, or is too old.</exception>
    public void MayBeUndone(DateTimeOffset now)
    {
        if (UndoneAt is not null) throw new DomainException($"{UndoneBy} took this import back already.");
        if (now - At > UndoFor) throw new DomainException($"This import is older than {UndoFor.Days} days and can no longer be taken back at once. Delete its monitors from the list.");
    }

    public void Undone(Actor actor, DateTimeOffset now) => (UndoneAt, UndoneBy) = (now, actor.Name);

    /// <summary>Whether nobody edited it since this import did.</summary>
    public bool IsAsLeft(Monitor monitor) => monitor.UpdatedAt == At;

    /// <summary>The last part of a path, in one line: it is shown to staff.</summary>
    static string Named(string? fileName)
    {
        var name = new string([.. (fileName ?? "").Split('/', '\\')[^1].Where(c => !char.IsControl(c) && !char.IsSurrogate(c))]).Trim();
        return name.Length == 0 ? "pasted text" : name.Length <= FileNameLength ? name : name[..FileNameLength];
    }
}

/// <summary>One monitor that an import made, or changed: then with what it was before.</summary>
public sealed class ImportedMonitor
{
    ImportedMonitor() { }

    internal ImportedMonitor(MonitorImportId import, Monitor monitor, MonitorSettings? before)
    {
        (ImportId, MonitorId, Name, Before) = (import, monitor.Id, monitor.Name, before);
        if (before is not null) (WasPaused, SecretNames, SealedSecrets) = (monitor.PausedAt is not null, monitor.SecretNames, monitor.SealedSecrets);
    }

    public MonitorImportId ImportId { get; private set; }
    public MonitorId MonitorId { get; private set; }
    public string Name { get; private set; } = "";
    /// <summary>Null for one that the import made.</summary>
    public MonitorSettings? Before { get; private set; }
    public bool WasPaused { get; private set; }
    public IReadOnlyList<string> SecretNames { get; private set; } = [];
    public byte[]? SealedSecrets { get; private set; }

    /// <summary>Whether it would bring back a consent to private addresses that does not stand: another target, or another place, is another machine.</summary>
    public bool BringsBackConsent(Monitor monitor) => Before is { AllowPrivate: true } before
        && !(monitor.AllowPrivate && monitor.Target == before.Target && monitor.Options.Resolver == before.Options?.Resolver && (before.Places ?? []).All(monitor.Places.Contains) && (monitor.FromHere || !before.FromHere));

    /// <summary>As it was before the import, which says nothing of what it depends on.</summary>
    /// <param name="component">The one it had, unless that is gone.</param>
    /// <param name="places">Those that there are; where none of its own is left the portal itself looks.</param>
    public void Restore(Monitor monitor, StatusPages.ComponentId? component, IReadOnlySet<ProbePlaceId> places, DateTimeOffset now)
    {
        if (Before is not { } before) return;
        var left = (before.Places ?? []).Where(places.Contains).ToList();
        var fromHere = before.FromHere || left.Count == 0;
        monitor.Change(before with
        {
            Component = component,
            DependsOn = monitor.DependsOn,
            Places = left,
            FromHere = fromHere,
            PlacesBeforeDown = Math.Min(before.PlacesBeforeDown, left.Count + (fromHere ? 1 : 0)),
        }, now);
        monitor.Keep(SecretNames, SealedSecrets, now);
        if (WasPaused) monitor.Pause(now);
        else if (monitor.PausedAt is not null) monitor.Resume(now);
    }
}
