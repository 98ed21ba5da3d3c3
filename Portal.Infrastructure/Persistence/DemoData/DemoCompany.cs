using Portal.Domain.Audit;
using Portal.Domain.Metrics;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Infrastructure.Persistence.DemoData;

/// <summary>A booking and payments company: what it runs, what watches it, and when that was unwell.</summary>
sealed class DemoCompany
{
    /// <param name="Slug">The component that it watches.</param>
    /// <param name="Target">What it really asks from now on: a part that answers as long as this portal serves, whatever becomes of the database.</param>
    /// <param name="Usual">Milliseconds that the target usually takes; what is told of the past lies about there, so that the curve goes on as it was.</param>
    /// <param name="Chart">Its title on the status page; null for none.</param>
    sealed record Sight(string Slug, string Name, string Target, double Usual, string? Chart = null);

    static readonly Sight[] Watched =
    [
        new("web-app", "Web app, front page", "self:/health/parts/public-api", 3.5, "Web app"), new("sign-in", "Sign-in, test account", "self:/health/parts/live-hub", 7.5, "Sign-in"),
        new("search", "Search, a common query", "self:/health/ready", 5.2, "Search"), new("card-payments", "Card payment, test charge", "self:/health/parts/live-hub", 7.5),
        new("payouts", "Payouts, next batch", "self:/health/parts/health", 2.2), new("public-api", "Public API, GET /bookings", "self:/health/parts/public-api", 3.5, "Public API"),
        new("webhooks", "Webhook delivery", "self:/health/parts/live-hub", 7.5), new("file-storage", "File storage, read back", "self:/health/parts/health", 2.2),
    ];

    static readonly Actor Mara = DemoIncidents.Person("Mara Lindqvist");

    /// <summary>Short ones that nobody wrote an incident about: slug, days ago, hour, minutes, what was seen.</summary>
    static readonly (string Slug, int DaysAgo, int Hour, int Minutes, int? Code, string Detail)[] Blips =
    [
        ("search", 83, 4, 6, 503, "The answer was 503, expected 200-399."), ("webhooks", 67, 22, 4, null, "No answer within 10 s."),
        ("file-storage", 58, 3, 7, 502, "The answer was 502, expected 200-399."), ("public-api", 44, 11, 3, 504, "The answer was 504, expected 200-399."),
        ("web-app", 31, 1, 5, null, "The connection was refused."), ("sign-in", 19, 5, 4, 500, "The answer was 500, expected 200-399."),
        ("payouts", 12, 2, 9, 503, "The answer was 503, expected 200-399."), ("search", 1, 15, 6, 503, "The answer was 503, expected 200-399."),
    ];

    readonly DateTimeOffset now, founded;
    readonly Dictionary<string, Component> components = [];
    readonly Dictionary<string, Monitor> monitors = [];

    public DemoCompany(DateTimeOffset now)
    {
        (this.now, founded) = (now, now.AddDays(-DemoData.Days - 30));
        AddGroup("Customer platform", ("Web app", "Where customers search, book and pay."), ("Mobile app", "The apps for iOS and Android."), ("Sign-in", "Accounts, passwords and single sign-on."), ("Search", "Availability and prices."));
        AddGroup("Payments", ("Card payments", "Charging cards in all currencies."), ("Payouts", "Transfers to partners' bank accounts."), ("Invoices", "Invoices and receipts by mail and for download."));
        AddGroup("Developer platform", ("Public API", "The REST API for partners."), ("Webhooks", "Events sent to partners' systems."), ("File storage", "Uploads, pictures and exports."));
        foreach (var sight in Watched) AddMonitor(sight);
        foreach (var blip in Blips) AddOutage(blip.Slug, At(blip.DaysAgo, blip.Hour), blip.Minutes, blip.Code, blip.Detail);
        AddGap(71, 2, 25, "The portal was not running.");
        AddGap(26, 3, 14, "The portal was not running.");
    }

    public List<ComponentGroup> Groups { get; } = [];
    public IReadOnlyCollection<Component> Components => components.Values;
    public IReadOnlyCollection<Monitor> Monitors => monitors.Values;
    public List<MonitorState> States { get; } = [];
    public List<Outage> Outages { get; } = [];
    public List<ObservationGap> Gaps { get; } = [];
    /// <summary>What the company's people did, in no order.</summary>
    public List<AuditEntry> Deeds { get; } = [];

    public ComponentId this[string slug] => components[slug].Id;

    /// <summary>A time of day (UTC), so many days ago, or ahead where that is negative.</summary>
    public DateTimeOffset At(int daysAgo, int hour, int minute = 12) =>
        new DateTimeOffset(now.Date, TimeSpan.Zero).AddDays(-daysAgo).AddHours(hour).AddMinutes(minute);

    public void AddOutage(string slug, DateTimeOffset from, int minutes, int? code, string detail)
    {
        if (!monitors.TryGetValue(slug, out var monitor)) return;
        var failed = Enumerable.Range(0, Math.Min(minutes, Outage.EvidenceSize)).Select(i => new FailedCheck(from.AddMinutes(i), code, detail, code is null ? 10_000 : 240));
        var outage = new Outage(monitor, from, from.AddMinutes(-1), failed);
        outage.Close(from.AddMinutes(minutes), from.AddMinutes(minutes - 1));
        Outages.Add(outage);
    }

    /// <summary>Each monitor's results, a minute apart: busier by day, sometimes slow, failing while an outage lasts.</summary>
    public IEnumerable<CheckResult> Results(DateTimeOffset from, DateTimeOffset to)
    {
        foreach (var sight in Watched)
        {
            var monitor = monitors[sight.Slug];
            var random = new Random(monitor.Name.Length * 7_919 + (int)sight.Usual);
            var outages = Outages.Where(o => o.MonitorId == monitor.Id).ToList();
            var gaps = Gaps.Where(g => g.MonitorId == monitor.Id).ToList();
            for (var at = from; at < to; at = at.AddMinutes(1))
            {
                if (gaps.Any(g => at >= g.From && (g.To is null || at < g.To))) continue;
                var down = outages.FirstOrDefault(o => at >= o.From && at < o.To);
                yield return down is null ? new CheckResult(monitor.Id, at, Usual(sight.Usual, at, random), CheckOutcome.Up, 200, null)
                    : new CheckResult(monitor.Id, at, TimeSpan.FromMilliseconds(down.Evidence[0].Milliseconds), CheckOutcome.Down, down.Evidence[0].StatusCode, down.Cause);
            }
        }
    }

    /// <summary>The same, rolled up to full hours.</summary>
    public IEnumerable<(Guid Series, Bucket Hour)> Hours(DateTimeOffset from, DateTimeOffset to)
    {
        static DateTimeOffset Full(DateTimeOffset at) => new(at.UtcTicks - at.UtcTicks % TimeSpan.TicksPerHour, TimeSpan.Zero);
        return Results(Full(from), Full(to)).GroupBy(r => (r.Monitor, Hour: Full(r.At))).Select(hour =>
        {
            var good = hour.Where(r => r.Outcome == CheckOutcome.Up).Select(r => r.Duration.TotalMilliseconds).ToList();
            var histogram = new Histogram();
            foreach (var ms in good) histogram.Add(ms);
            return (hour.Key.Monitor.Value, new Bucket(hour.Key.Hour, good.Count, hour.Count() - good.Count, good.Sum(), good.DefaultIfEmpty().Min(), good.DefaultIfEmpty().Max(), histogram));
        });
    }

    static TimeSpan Usual(double usual, DateTimeOffset at, Random random)
    {
        var day = 1 + 0.1 * Math.Sin((at.TimeOfDay.TotalHours - 8) / 24 * 2 * Math.PI);
        var noise = 0.55 + 0.7 * random.NextDouble() + (random.NextDouble() < 0.06 ? 4 * random.NextDouble() : 0);
        return TimeSpan.FromMilliseconds(usual * day * noise);
    }

    void AddGroup(string name, params (string Name, string Description)[] members)
    {
        var group = new ComponentGroup(name, Groups.Count, founded);
        Groups.Add(group);
        Deeds.Add(new AuditEntry(Mara, "component_group.added", group.Id.ToString(), group.Name, founded));
        foreach (var (member, index) in members.Select((m, i) => (m, i)))
        {
            var component = new Component(member.Name, null, member.Description, group.Id, index, founded);
            components.Add(component.Slug, component);
            Deeds.Add(new AuditEntry(Mara, "component.added", component.Id.ToString(), component.Name, founded));
        }
    }

    void AddMonitor(Sight sight)
    {
        var slug = sight.Slug;
        var since = now.AddDays(-DemoData.Days);
        var monitor = new Monitor(new MonitorSettings(sight.Name, MonitorKind.Http, sight.Target, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10), components[slug].Id,
            Impact: slug is "search" or "file-storage" ? ComponentStatus.PartialOutage : ComponentStatus.MajorOutage, Critical: slug == "card-payments", PublicChart: sight.Chart,
            Tags: MonitorTags.Of(["env:prod", slug is "card-payments" or "payouts" ? "team:payments" : "team:platform"])), since.AddMilliseconds(monitors.Count));
        var state = new MonitorState(monitor.Id, since);
        // The first look and the last one; what lay between is told by the outages and gaps.
        foreach (var at in new[] { since, now.AddMinutes(-1) }) state.Apply(new CheckResult(monitor.Id, at, TimeSpan.FromMilliseconds(sight.Usual), CheckOutcome.Up, 200, null), monitor);
        monitors.Add(slug, monitor);
        Deeds.Add(new AuditEntry(Mara, "monitor.created", monitor.Id.ToString(), $"{monitor.Name}: {monitor.Target}, every {monitor.Interval.TotalSeconds:0} s", since));
        States.Add(state);
    }

    void AddGap(int daysAgo, int hour, int minutes, string reason)
    {
        var from = At(daysAgo, hour);
        foreach (var monitor in monitors.Values) Gaps.Add(new ObservationGap(monitor.Id, monitor.ComponentId, from, from.AddMinutes(minutes), reason));
    }
}
