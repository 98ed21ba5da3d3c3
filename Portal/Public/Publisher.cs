using System.Collections.Frozen;
using System.Diagnostics;
using Microsoft.Extensions.Primitives;
using Portal.Features.StatusPages;
using Portal.Hosting;
using Portal.Live;

namespace Portal.Public;

/// <summary>Renders the public face once per change, not once per visitor: keeps the bytes in memory and the model on disk, and serves on when the database is gone.</summary>
public sealed class Publisher(
    StatusPageSnapshot snapshot, IEnumerable<IPublication> publications, PublicAddress address, ModelFile file, PagePulse pulse, LivePages live,
    ChangeFeed feed, StartupState state, TimeProvider clock, ILogger<Publisher> log) : BackgroundService
{
    static readonly TimeSpan ReadPatience = TimeSpan.FromSeconds(5), FirstRetry = TimeSpan.FromSeconds(1), SlowestRetry = TimeSpan.FromSeconds(15), LongestRest = TimeSpan.FromMilliseconds(500);

    readonly IPublication[] publications = [.. publications.OrderByDescending(p => p.IsUrgent)];
    readonly Dictionary<IPublication, IReadOnlyList<PublishedBytes>> rendered = [];
    readonly SemaphoreSlim wake = new(0);
    volatile FrozenDictionary<string, PublishedBytes> served = FrozenDictionary<string, PublishedBytes>.Empty;
    volatile PublishedBytes? english, german;
    StatusPageModel? model;
    DateTimeOffset asOf, published;
    DateTimeOffset? unreadSince;
    TimeSpan retry = FirstRetry;
    long lastVersion = -1, failedAt;
    bool mustRead, failureTold;
    string windows = "";

    /// <summary>The model that is being served; null before the first one.</summary>
    public StatusPageModel? Model => Volatile.Read(ref model);

    /// <summary>How long the model took to be read from the database, the last time.</summary>
    public TimeSpan LastRead { get; private set; }

    public PublishedBytes? Find(string path) =>
        served.GetValueOrDefault(path) ?? (path.StartsWith("/live/", StringComparison.Ordinal) ? live.Find(path) : null);

    /// <summary>The front page in the language that the browser prefers.</summary>
    public PublishedBytes? Front(StringValues acceptLanguage) =>
        acceptLanguage.Count > 0 && PageLanguage.Preferred(acceptLanguage.ToString()) == PageLanguage.German ? german : english;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        if (file.Load() is { } kept)
        {
            Volatile.Write(ref model, kept);
            Publish();
        }
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var changes = feed.Subscribe("page", () => Wake(read: true), TimeSpan.FromMilliseconds(25));
        using var contact = feed.Subscribe(PagePulse.Topic, () => Wake(read: false), TimeSpan.FromMilliseconds(25));
        await Wake(read: true);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var due = await Wait(stoppingToken);
                var began = Stopwatch.GetTimestamp();
                // What is due is shown before a database is waited for that did not answer the last time.
                if (due && unreadSince is not null && Model is not null) Publish();
                var wanted = Interlocked.Exchange(ref mustRead, false);
                var fresh = wanted && await Read(stoppingToken);
                // What could not be read shows nothing new until the page itself reads differently.
                if (Model is null || wanted && !fresh && !due) continue;
                Publish();
                if (fresh) file.Save(Model);
                // In real time, whatever the clock does. The first change shows at once; in a storm of them rendering leaves two thirds of a processor to others, as long as one takes less than a quarter of a second.
                var rest = 2 * Stopwatch.GetElapsedTime(began);
                await Task.Delay(rest < LongestRest ? rest : LongestRest, TimeProvider.System, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { return; }
            catch (Exception e)
            {
                // Whatever it is, the bytes that stand are better than none, and the next instant is another chance.
                log.LogError(e, "Publishing failed; what was published before is still served");
            }
        }
    }

    Task Wake(bool read)
    {
        if (read) Volatile.Write(ref mustRead, true);
        if (wake.CurrentCount == 0) wake.Release();
        return Task.CompletedTask;
    }

    /// <summary>Until something changes or the next known instant comes; at full minutes the charts are read anew.</summary>
    /// <returns>Whether the page may read differently by now although nothing was read.</returns>
    async Task<bool> Wait(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        // After what was published, not after this moment: an instant in between must not be missed. A clock set back meanwhile delays nothing.
        var after = published < now ? published : now;
        var next = Model is { } known ? PageClock.Next(known, address.Settings.Zone, DoubtedSince(known), after) : now.AddMinutes(1);
        var left = next - now;
        // What could not be read is tried again soon: the hint is spent, and the change must not wait for the next minute.
        if (unreadSince is not null && retry - clock.GetElapsedTime(failedAt) is var untilRetry && untilRetry < left) left = untilRetry;
        using var due = new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, due.Token);
        try
        {
            await wake.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            if (unreadSince is not null || next == PageClock.Minute(next)) Volatile.Write(ref mustRead, true);
        }
        return clock.GetUtcNow() >= next;
    }

    async Task<bool> Read(CancellationToken ct)
    {
        using var patience = new CancellationTokenSource(ReadPatience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        try
        {
            var began = clock.GetTimestamp();
            Volatile.Write(ref model, await snapshot.Load(Model, clock.GetUtcNow(), either.Token));
            LastRead = clock.GetElapsedTime(began);
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            Failed(e);
            return false;
        }
        if (failureTold) log.LogInformation("The page is read again, after {Seconds:0} s", (clock.GetUtcNow() - unreadSince)?.TotalSeconds);
        (unreadSince, failureTold) = (null, false);
        return true;
    }

    /// <summary>Whatever it is, the change is still wanted, ever more patiently. It is told once; that the database is away the pulse says.</summary>
    void Failed(Exception e)
    {
        var began = unreadSince is null;
        retry = began ? FirstRetry : retry * 2 < SlowestRetry ? retry * 2 : SlowestRetry;
        (unreadSince, failedAt) = (unreadSince ?? clock.GetUtcNow(), clock.GetTimestamp());
        if (failureTold || pulse.IsLost && (e is OperationCanceledException || Components.Refusal.IsDatabaseAway(e))) return;
        failureTold = true;
        log.LogError(e, "The page could not be read anew; it is tried again, at most every {Seconds} s", SlowestRetry.TotalSeconds);
    }

    /// <summary>Since when the page may differ from the database, which is away, or ahead, or cannot be read; null while they agree.</summary>
    DateTimeOffset? DoubtedSince(StatusPageModel known)
    {
        var beat = pulse.Last;
        if (!pulse.IsLost && unreadSince is null && !(beat?.Version > known.Version)) return null;
        var confirmed = beat?.Version == known.Version && beat.At > known.ReadAt ? beat.At : known.ReadAt;
        return unreadSince is { } since && since < confirmed ? since : confirmed;
    }

    void Publish()
    {
        var current = Model!;
        var now = published = clock.GetUtcNow();
        var confirmed = DoubtedSince(current) ?? now;
        var stale = now - confirmed >= PageClock.StaleAfter;
        if (stale) current = current with { ReadAt = confirmed };
        var instant = PageClock.AsOf(current, now, stale ? confirmed : null);
        // Within one version of the database time never runs backwards, whatever the clock does.
        asOf = current.Version == lastVersion && instant < asOf ? asOf : instant;
        lastVersion = current.Version;
        current = current.At(asOf);
        var context = new RenderContext(asOf, address.Settings, stale);
        foreach (var publication in publications) Render(publication, current, context);
        Serve();
        state.MarkServing();
        Announce(current);
    }

    /// <summary>Nothing is written when maintenance begins or ends: screens that show it hear of it here.</summary>
    void Announce(StatusPageModel current)
    {
        var now = string.Join(' ', current.Maintenances.Select(m => $"{m.Id}{m.Times.StatusAt(asOf)}"));
        if (now == windows) return;
        windows = now;
        feed.Publish(["components", "maintenance"]);
    }

    void Render(IPublication publication, StatusPageModel current, RenderContext context)
    {
        try
        {
            rendered[publication] = [.. publication.Render(current, context).Select(d => served.GetValueOrDefault(d.Path) is { } same && same.Says(d) ? Kept(same, d) : new PublishedBytes(d))];
        }
        catch (Exception e)
        {
            // One publication's failure leaves its last documents standing and the others untouched.
            log.LogError(e, "{Publication} could not be rendered", publication.GetType().Name);
            return;
        }
        if (!publication.IsUrgent) return;
        Serve();
        foreach (var page in rendered[publication].Select(r => r.Document).OfType<LivePage>()) live.Show(page);
    }

    /// <summary>The bytes are the same, the version of a live page may not be.</summary>
    static PublishedBytes Kept(PublishedBytes same, PublishedDocument document) => document is LivePage ? new PublishedBytes(document) : same;

    void Serve()
    {
        var all = new Dictionary<string, PublishedBytes>();
        foreach (var bytes in rendered.Values.SelectMany(r => r)) all[bytes.Document.Path] = bytes;
        foreach (var front in all.Values.Where(b => b.Document is LivePage).ToList()) all[front.Document.Path.TrimEnd('/')] = front;
        served = all.ToFrozenDictionary();
        english = all.GetValueOrDefault(PageLanguage.English.FrontPath)?.With("Accept-Language, Accept-Encoding");
        german = all.GetValueOrDefault(PageLanguage.German.FrontPath)?.With("Accept-Language, Accept-Encoding");
    }
}
