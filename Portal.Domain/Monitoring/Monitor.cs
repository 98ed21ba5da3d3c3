using Portal.Domain.Shared;
using Portal.Domain.StatusPages;

namespace Portal.Domain.Monitoring;

public readonly record struct MonitorId(Guid Value) : IId<MonitorId>
{
    public static MonitorId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");

    /// <summary>Which of the <see cref="ShardCount"/> shards runs this monitor: the last byte of the id, which is random.</summary>
    public int Shard => Value.ToByteArray(bigEndian: true)[15];

    public const int ShardCount = 256;
}

/// <summary>What an administrator or a member of staff may set of a monitor.</summary>
/// <param name="Target">An address of the kind (<see cref="MonitorTarget"/>), or a built-in one, <c>self:/…</c>, resolved to this node at check time.</param>
/// <param name="Interval">10 s to 1 day.</param>
/// <param name="Timeout">1 s to 60 s, and not longer than the interval.</param>
/// <param name="FailuresBeforeDown">N: this many of the last <paramref name="Window"/> checks must fail; 1 to 10.</param>
/// <param name="Window">M: at least N, at most 20.</param>
/// <param name="SuccessesBeforeUp">Successes in a row that end an outage; 1 to 10.</param>
/// <param name="Impact">The status that the component gets while the monitor is down.</param>
/// <param name="ExpectStatus">Accepted HTTP status codes: "200-399", "200,204".</param>
/// <param name="AllowPrivate">An administrator consented that this target's own host may be a private address.</param>
/// <param name="Critical">Customers cannot do without what it watches: it stands first in lists.</param>
/// <param name="PublicChart">What customers read above its response times; null shows them no chart.</param>
/// <param name="Options">What only some kinds know.</param>
/// <param name="DampFlapping">Whether a target that goes up and down is down until it has held: see <see cref="MonitorState.IsFlapping"/>.</param>
/// <param name="DependsOn">Monitors of what this target needs, at most five: while one of them is down, that is the cause and this is no second one.</param>
/// <param name="Places">Other machines that look as well, at most ten.</param>
/// <param name="FromHere">Whether the portal itself looks; false only where other places do.</param>
/// <param name="PlacesBeforeDown">So many places must find it down, each by its own N of M; 1 up to as many as look.</param>
/// <param name="Tags">Labels to find it by; null is none.</param>
public sealed record MonitorSettings(
    string Name, MonitorKind Kind, string Target, TimeSpan Interval, TimeSpan Timeout, ComponentId? Component,
    int FailuresBeforeDown = 2, int Window = 2, int SuccessesBeforeUp = 1, ComponentStatus Impact = ComponentStatus.MajorOutage,
    string ExpectStatus = "200-399", bool AllowPrivate = false, bool Critical = false, string? PublicChart = null, MonitorOptions? Options = null,
    bool DampFlapping = true, IReadOnlyList<MonitorId>? DependsOn = null, MonitorTags? Tags = null,
    IReadOnlyList<ProbePlaceId>? Places = null, bool FromHere = true, int PlacesBeforeDown = 1);

/// <summary>What is checked, how often and how it is judged: configuration only. What was found is in <see cref="MonitorState"/>.</summary>
public sealed class Monitor
{
    public static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan LongestInterval = TimeSpan.FromDays(1);
    public static readonly TimeSpan LongestTimeout = TimeSpan.FromSeconds(60);
    /// <summary>So many charts the status page has room for.</summary>
    public const int MostPublicCharts = 6;
    /// <summary>A target's causes are looked for in at most so many other monitors.</summary>
    public const int MostDependencies = 5;
    public const int MostPlaces = 10;
    /// <summary>So many outages within <see cref="FlapWindow"/> are flapping.</summary>
    public const int FlapOutages = 3;

    Monitor() { }

    public Monitor(MonitorSettings settings, DateTimeOffset now, bool builtIn = false)
    {
        Id = Shared.Id.New<MonitorId>(now);
        CreatedAt = now;
        BuiltIn = builtIn;
        Change(settings, now);
        Shard = Id.Shard;
    }

    public MonitorId Id { get; private set; }
    /// <summary>0 to 255; copied from the id so that the database can select by it.</summary>
    public int Shard { get; private set; }
    public string Name { get; private set; } = "";
    public MonitorKind Kind { get; private set; }
    public string Target { get; private set; } = "";
    public TimeSpan Interval { get; private set; }
    public TimeSpan Timeout { get; private set; }
    public ComponentId? ComponentId { get; private set; }
    public int FailuresBeforeDown { get; private set; }
    public int Window { get; private set; }
    public int SuccessesBeforeUp { get; private set; }
    public ComponentStatus Impact { get; private set; }
    public string ExpectStatus { get; private set; } = "";
    public MonitorOptions Options { get; private set; } = MonitorOptions.None;
    /// <summary>As <see cref="MonitorTags"/> has them.</summary>
    public IReadOnlyList<string> Tags { get; private set; } = [];
    /// <summary>Which secrets there are: names of headers, or "password".</summary>
    public IReadOnlyList<string> SecretNames { get; private set; } = [];
    /// <summary>Their values, which only a check opens; null when there are none.</summary>
    public byte[]? SealedSecrets { get; private set; }
    public bool AllowPrivate { get; private set; }
    public bool Critical { get; private set; }
    /// <summary>The title of its chart on the status page; null while customers are shown none. Its name is for the team alone.</summary>
    public string? PublicChart { get; private set; }
    /// <summary>Whether an outage of a flapping target ends only when the target has held.</summary>
    public bool DampFlapping { get; private set; } = true;
    /// <summary>Monitors of what its target needs; a fault of theirs is the cause of its own.</summary>
    public IReadOnlyList<MonitorId> DependsOn { get; private set; } = [];
    /// <summary>Other machines from which it is looked at.</summary>
    public IReadOnlyList<ProbePlaceId> Places { get; private set; } = [];
    /// <summary>Whether the portal itself looks.</summary>
    public bool FromHere { get; private set; } = true;
    public int PlacesBeforeDown { get; private set; } = 1;
    /// <summary>One of those that exist from the first start; its target is not edited.</summary>
    public bool BuiltIn { get; private set; }
    /// <summary>Since when nothing is checked by a person's wish; null while it runs.</summary>
    public DateTimeOffset? PausedAt { get; private set; }
    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset UpdatedAt { get; private set; }
    public uint Version { get; private set; }

    public bool IsBuiltInTarget => IsSelf(Target);

    public static bool IsSelf(string target) => target.StartsWith("self:/", StringComparison.Ordinal);

    /// <summary>The longest time from the beginning of a failure to its confirmation: interval × N + time-out. Of a heartbeat: from when a ping was due, its grace included.</summary>
    public TimeSpan DetectsWithin => DetectionTime(Interval, Timeout, FailuresBeforeDown, TimeSpan.FromSeconds(Options.GraceSeconds ?? 0));

    public static TimeSpan DetectionTime(TimeSpan interval, TimeSpan timeout, int failures, TimeSpan grace = default) => grace + interval * failures + timeout;

    /// <summary>Outages that began within this time count as flapping together: an hour, or 60 intervals where those are longer.</summary>
    public TimeSpan FlapWindow => Interval * 60 > TimeSpan.FromHours(1) ? Interval * 60 : TimeSpan.FromHours(1);

    /// <summary>So long a flapping target must answer without a failure until its outage counts as ended: 5 minutes, or 5 intervals where those are longer.</summary>
    public TimeSpan FlapQuiet => Interval * 5 > TimeSpan.FromMinutes(5) ? Interval * 5 : TimeSpan.FromMinutes(5);

    /// <summary>A name for what a check asks, the same on every machine: results of another look are not counted.</summary>
    public string Look => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(
        [.. System.Text.Encoding.UTF8.GetBytes($"{Target}\n{ExpectStatus}\n{Options}\n"), .. SealedSecrets ?? []]))[..32];

    /// <summary>Whether a check by these settings asks something else than one by those: its result says nothing of them.</summary>
    public bool LooksOtherwiseThan(Monitor other) => (Target, ExpectStatus, Options) != (other.Target, other.ExpectStatus, other.Options) || !(SealedSecrets ?? []).AsSpan().SequenceEqual(other.SealedSecrets);

    public MonitorSettings Settings => new(Name, Kind, Target, Interval, Timeout, ComponentId, FailuresBeforeDown, Window, SuccessesBeforeUp, Impact, ExpectStatus, AllowPrivate, Critical, PublicChart, Options,
        DampFlapping, new Listed<MonitorId>(DependsOn), new MonitorTags(Tags), new Listed<ProbePlaceId>(Places), FromHere, PlacesBeforeDown);

    /// <summary>Whether this place has a voice; null is the portal itself.</summary>
    public bool LooksFrom(ProbePlaceId? place) => place is { } there ? Places.Contains(there) : FromHere;

    /// <exception cref="DomainException">A value outside its bounds; the field is named.</exception>
    public void Change(MonitorSettings settings, DateTimeOffset now)
    {
        var name = Text.Required(settings.Name, "name", "The name", Text.NameLength);
        var target = BuiltIn && Target.Length > 0 ? Target : MonitorTarget.Valid(settings.Kind, settings.Target, BuiltIn);
        if (settings.Interval < ShortestInterval || settings.Interval > LongestInterval)
            throw new DomainException("The interval must lie between 10 seconds and 1 day.", "intervalSeconds");
        if (settings.Timeout < TimeSpan.FromSeconds(1) || settings.Timeout > LongestTimeout || settings.Timeout > settings.Interval)
            throw new DomainException("The time-out must lie between 1 and 60 seconds and not exceed the interval.", "timeoutSeconds");
        if (settings.FailuresBeforeDown is < 1 or > 10)
            throw new DomainException("Between 1 and 10 failures confirm an outage.", "failuresBeforeDown");
        if (settings.Window < settings.FailuresBeforeDown || settings.Window > 20)
            throw new DomainException("The window must hold at least as many checks as failures are needed, and at most 20.", "window");
        if (settings.SuccessesBeforeUp is < 1 or > 10)
            throw new DomainException("Between 1 and 10 successes end an outage.", "successesBeforeUp");
        if (settings.Impact is not (ComponentStatus.DegradedPerformance or ComponentStatus.PartialOutage or ComponentStatus.MajorOutage))
            throw new DomainException("A failing monitor means degraded performance, a partial or a major outage.", "impact");
        var needs = settings.DependsOn?.Distinct().ToList() ?? [];
        if (needs.Count > MostDependencies) throw new DomainException($"A monitor depends on at most {MostDependencies} others: name the nearest ones.", "dependsOn");
        if (needs.Contains(Id)) throw new DomainException("A monitor cannot depend on itself.", "dependsOn");
        var places = ValidPlaces(settings, target);
        var chart = ChartTitle(settings.PublicChart);
        var expect = StatusRanges.Parse(settings.ExpectStatus);
        var tags = MonitorTags.Of(settings.Tags?.All ?? []);
        var options = (settings.Options ?? MonitorOptions.None).For(settings.Kind, expect);
        (Name, Kind, Target, Interval, Timeout, ComponentId) = (name, settings.Kind, target, settings.Interval, settings.Timeout, settings.Component);
        (FailuresBeforeDown, Window, SuccessesBeforeUp) = (settings.FailuresBeforeDown, settings.Window, settings.SuccessesBeforeUp);
        (Impact, ExpectStatus, AllowPrivate, Critical, PublicChart, UpdatedAt) = (settings.Impact, expect.ToString(), settings.AllowPrivate, settings.Critical, chart, now);
        (Options, DampFlapping, DependsOn) = (options, settings.DampFlapping, needs);
        (Places, FromHere, PlacesBeforeDown) = (places, settings.FromHere, settings.PlacesBeforeDown);
        if (!tags.Equals(new MonitorTags(Tags))) Tags = tags.All;
    }

    static List<ProbePlaceId> ValidPlaces(MonitorSettings settings, string target)
    {
        var places = settings.Places?.Distinct().ToList() ?? [];
        if (places.Count > 0 && (settings.Kind == MonitorKind.Heartbeat || IsSelf(target))) throw new DomainException("A heartbeat and the portal's own parts are looked at from the portal alone.", "places");
        if (places.Count > MostPlaces) throw new DomainException($"At most {MostPlaces} other places look at one target.", "places");
        if (places.Count == 0 && !settings.FromHere) throw new DomainException("Somebody must look: choose a place, or let the portal itself look.", "places");
        var all = places.Count + (settings.FromHere ? 1 : 0);
        if (settings.PlacesBeforeDown < 1 || settings.PlacesBeforeDown > all)
            throw new DomainException($"Between 1 and {all} of the places that look must find it down.", "placesBeforeDown");
        return places;
    }

    /// <summary>Takes the place of whatever secrets there were.</summary>
    public void Keep(IEnumerable<string> names, byte[]? sealedValues, DateTimeOffset now) => (SecretNames, SealedSecrets, UpdatedAt) = ([.. names], sealedValues, now);

    /// <summary>The part of the portal that it looks at has another address now.</summary>
    public void Follow(string target, DateTimeOffset now)
    {
        if (!BuiltIn) throw new DomainException("Only a built-in monitor follows its part.", "target");
        (Target, UpdatedAt) = (MonitorTarget.Valid(Kind, target, builtIn: true), now);
    }

    public void Pause(DateTimeOffset now)
    {
        if (PausedAt is null) (PausedAt, UpdatedAt) = (now, now);
    }

    public void Resume(DateTimeOffset now) => (PausedAt, UpdatedAt) = (null, now);

    /// <summary>The component is gone; the monitor stays and watches for nobody.</summary>
    public void Detach(DateTimeOffset now) => (ComponentId, UpdatedAt) = (null, now);

    /// <summary>What it needed is not watched any more.</summary>
    public void Forget(MonitorId needed, DateTimeOffset now) => (DependsOn, UpdatedAt) = ([.. DependsOn.Where(d => d != needed)], now);

    /// <summary>The place is gone; where no other is left the portal itself looks.</summary>
    /// <param name="looksHereNow">It was not looked at from the portal before.</param>
    public void Leave(ProbePlaceId place, DateTimeOffset now, out bool looksHereNow)
    {
        looksHereNow = !FromHere;
        (Places, UpdatedAt) = ([.. Places.Where(p => p != place)], now);
        FromHere |= Places.Count == 0;
        looksHereNow &= FromHere;
        PlacesBeforeDown = Math.Min(PlacesBeforeDown, Places.Count + (FromHere ? 1 : 0));
    }

    /// <summary>One line: it stands above a chart and at the head of a table's column.</summary>
    static string? ChartTitle(string? title)
    {
        var text = Text.Optional(title, "publicChart", "The chart's title", Text.NameLength);
        return text?.AsSpan().ContainsAny('\n', '\t') == true ? throw new DomainException("The chart's title must be one line without tabs.", "publicChart") : text;
    }
}

/// <summary>Accepted HTTP status codes, written "200-299,304".</summary>
public sealed record StatusRanges(IReadOnlyList<(int From, int To)> Ranges)
{
    /// <summary>Nothing but redirects is accepted.</summary>
    public bool AreRedirects => Ranges.All(r => r is { From: >= 300, To: < 400 });

    public bool Contains(int status) => Ranges.Any(r => status >= r.From && status <= r.To);

    public override string ToString() => string.Join(",", Ranges.Select(r => r.From == r.To ? $"{r.From}" : $"{r.From}-{r.To}"));

    /// <exception cref="DomainException">Not a list of codes and ranges between 100 and 599.</exception>
    public static StatusRanges Parse(string? text)
    {
        var ranges = new List<(int, int)>();
        foreach (var part in (text ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var edges = part.Split('-', StringSplitOptions.TrimEntries);
            if (edges.Length > 2 || !edges.All(e => e.Length == 3 && e.All(char.IsAsciiDigit))) throw Wrong();
            var (from, to) = (int.Parse(edges[0], System.Globalization.CultureInfo.InvariantCulture), int.Parse(edges[^1], System.Globalization.CultureInfo.InvariantCulture));
            if (from < 100 || to > 599 || from > to) throw Wrong();
            ranges.Add((from, to));
        }
        return ranges.Count is > 0 and <= 20 ? new StatusRanges(ranges) : throw Wrong();
    }

    static DomainException Wrong() => new("Accepted status codes are written like 200-299 or 200,204; each lies between 100 and 599.", "expectStatus");
}
