using System.Collections.Frozen;
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
    static readonly TimeSpan ReadPatience = TimeSpan.FromSeconds(5), Retry = TimeSpan.FromSeconds(1);

    readonly IPublication[] publications = [.. publications.OrderByDescending(p => p.IsUrgent)];
    readonly Dictionary<IPublication, IReadOnlyList<PublishedBytes>> rendered = [];
    readonly SemaphoreSlim wake = new(0);
    volatile FrozenDictionary<string, PublishedBytes> served = FrozenDictionary<string, PublishedBytes>.Empty;
    volatile PublishedBytes? english, german;
    StatusPageModel? model;
    DateTimeOffset asOf, published;
    DateTimeOffset? unreadSince;
    long lastVersion = -1;
    bool mustRead;

    /// <summary>The model that is being served; null before the first one.</summary>
    public StatusPageModel? Model => Volatile.Read(ref model);

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
                await Wait(stoppingToken);
                var wanted = Interlocked.Exchange(ref mustRead, false);
                var fresh = wanted && await Read(stoppingToken);
                if (wanted) unreadSince = fresh ? null : unreadSince ?? clock.GetUtcNow();
                if (Model is null) continue;
                Publish();
                if (fresh) file.Save(Model);
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
    async Task Wait(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        // After what was published, not after this moment: an instant in between must not be missed. A clock set back meanwhile delays nothing.
        var after = published < now ? published : now;
        var next = Model is { } known ? PageClock.Next(known, address.Settings.Zone, DoubtedSince(known), after) : now.AddMinutes(1);
        // What could not be read is tried again soon: the hint is spent, and the change must not wait for the next minute.
        if (unreadSince is not null && now + Retry < next) next = now + Retry;
        using var due = new CancellationTokenSource(next > now ? next - now : TimeSpan.Zero, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, due.Token);
        try
        {
            await wake.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            if (unreadSince is not null || next == PageClock.Minute(next)) Volatile.Write(ref mustRead, true);
        }
    }

    async Task<bool> Read(CancellationToken ct)
    {
        using var patience = new CancellationTokenSource(ReadPatience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        try
        {
            Volatile.Write(ref model, await snapshot.Load(Model, clock.GetUtcNow(), either.Token));
            return true;
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            // Whatever it is, the change is still wanted. That the database is away the pulse says; anything else is a fault, told once and not every second.
            var expected = e is OperationCanceledException || Components.Refusal.IsDatabaseAway(e);
            log.Log(expected || unreadSince is not null ? LogLevel.Debug : LogLevel.Error, e, "The page could not be read anew; it is tried again");
            return false;
        }
    }

    /// <summary>Since when the page may differ from the database, which is away, or ahead, or cannot be read; null while they agree.</summary>
    DateTimeOffset? DoubtedSince(StatusPageModel known)
    {
        var beat = pulse.Last;
        if (!pulse.IsLost && unreadSince is null && !(beat?.Version > known.Version)) return null;
        var confirmed = beat?.Version == known.Version && beat.At > known.ReadAt ? beat.At : known.ReadAt;
        return unreadSince is { } since && since > known.ReadAt && since < confirmed ? since : confirmed;
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
        var context = new RenderContext(asOf, address.Settings, stale);
        foreach (var publication in publications) Render(publication, current, context);
        Serve();
        state.MarkServing();
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
