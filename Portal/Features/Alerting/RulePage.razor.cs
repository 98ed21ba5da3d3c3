using System.Globalization;
using Microsoft.AspNetCore.Components;
using Portal.Components;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Monitoring;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;

namespace Portal.Features.Alerting;

/// <summary>Makes or edits a rule, and shows what it would have done.</summary>
public sealed partial class RulePage
{
    const int Shown = 8;
    static readonly string[] Fields = ["name", "figure", "monitors", "limit", "objective", "windowMinutes", "shortMinutes", "service", "tells", "runbook"];

    RuleChoices.View? choices;
    Draft? draft;
    RulePreview.View? preview;
    uint? version;
    string? search;
    bool busy;

    [Inject] RuleList List { get; set; } = null!;
    [Inject] RuleChoices Choices { get; set; } = null!;
    [Inject] RulePreview Preview { get; set; } = null!;
    [Inject] CreateAlertRule Create { get; set; } = null!;
    [Inject] ChangeAlertRule Change { get; set; } = null!;
    [Inject] NavigationManager Navigation { get; set; } = null!;
    [Parameter] public string? Key { get; set; }

    string Heading => Key is null ? "New alert rule" : draft is null ? "Alert rule" : draft.Title;

    IEnumerable<RuleFigure> Figures => RuleFigures.All.Where(f => draft!.Kind != AlertRuleKind.BurnRate || f.IsShare);

    string Unit => draft!.Figure is { Length: > 0 } name && RuleFigures.Find(name).Unit is { Length: > 0 } unit ? $" ({unit})" : "";

    List<(MonitorId Id, string Name)>? Found => string.IsNullOrWhiteSpace(search) ? null
        : [.. choices!.Monitors.Where(m => !draft!.Monitors.Contains(m.Id) && m.Name.Contains(search.Trim(), StringComparison.CurrentCultureIgnoreCase)).Take(Shown)];

    string NameOf(MonitorId id) => choices!.Monitors.FirstOrDefault(m => m.Id == id).Name ?? "A monitor that was deleted";

    protected override Task OnInitializedAsync() => Fetch(async () =>
    {
        var actor = await CurrentActor();
        choices = await Choices.Load(actor, Left);
        if (draft is not null) return;
        if (Key is null) draft = new() { Service = choices.Services.Count > 0 ? choices.Services[0].Id.ToString() : "" };
        else
        {
            var rule = await List.LoadOne(Id.Parse<AlertRuleId>(Key, "alert rule"), actor, Left);
            (draft, version) = (Draft.Of(rule), rule.Version);
        }
    });

    void Choose(Action change)
    {
        change();
        preview = null;
    }

    void Add(MonitorId id)
    {
        draft!.Monitors.Add(id);
        search = null;
    }

    void Tell(EscalationTarget target, bool on)
    {
        if (on) draft!.Tells.Add(target);
        else draft!.Tells.Remove(target);
    }

    async Task Look()
    {
        if (busy) return;
        busy = true;
        await Try(async () => preview = await Preview.Load(draft!.Condition, await CurrentActor(), Left));
        busy = false;
    }

    async Task Save()
    {
        if (busy) return;
        busy = true;
        var done = await Try(async () =>
        {
            var actor = await CurrentActor();
            if (Key is null) await Create.Execute(draft!.Settings, actor, Left);
            else await Change.Execute(new(Id.Parse<AlertRuleId>(Key, "alert rule"), draft!.Settings, Version: version), actor, Left);
        });
        if (done) Navigation.NavigateTo("/ops/alerts/rules");
        busy = false;
    }

    /// <summary>What stands in the form, as it was typed.</summary>
    sealed class Draft
    {
        public string Title { get; init; } = "";
        public string? Name { get; set; }
        public AlertRuleKind Kind { get; set; } = AlertRuleKind.Threshold;
        public string? Figure { get; set; } = "error-rate";
        public RuleComparison Comparison { get; set; }
        public string? Limit { get; set; } = "5";
        public string? Window { get; set; } = "5";
        public string? Short { get; set; } = "5";
        public string? Objective { get; set; } = "99.9";
        public List<MonitorId> Monitors { get; init; } = [];
        public string? Service { get; set; }
        public Severity Severity { get; set; } = Severity.P2;
        public List<EscalationTarget> Tells { get; init; } = [];
        public bool Pages { get; set; } = true;
        public string? Runbook { get; set; }

        public static Draft Of(AlertRule rule) => new()
        {
            Title = rule.Name,
            Name = rule.Name,
            Kind = rule.Condition.Kind,
            Figure = rule.Condition.Figure,
            Comparison = rule.Condition.Comparison,
            Limit = rule.Condition.Limit.ToString(CultureInfo.InvariantCulture),
            Window = rule.Condition.WindowMinutes.ToString(CultureInfo.InvariantCulture),
            Short = (rule.Condition.ShortMinutes ?? 5).ToString(CultureInfo.InvariantCulture),
            Objective = (100 * (rule.Condition.Objective ?? 0.999)).ToString("0.######", CultureInfo.InvariantCulture),
            Monitors = [.. rule.Condition.Monitors],
            Service = rule.ServiceId.ToString(),
            Severity = rule.Severity,
            Tells = [.. rule.Tells],
            Pages = rule.Pages,
            Runbook = rule.Runbook,
        };

        public RuleCondition Condition => new RuleCondition(Kind, new(Kind == AlertRuleKind.Outage ? Monitors : []), Figure, Comparison,
            Kind is AlertRuleKind.Outage or AlertRuleKind.MissingData ? 0 : Number(Limit, "limit"), Kind == AlertRuleKind.Outage ? 5 : Whole(Window, "windowMinutes"),
            Kind == AlertRuleKind.BurnRate ? Whole(Short, "shortMinutes") : null, Kind == AlertRuleKind.BurnRate ? Math.Round(Number(Objective, "objective") / 100, 8) : null).Checked();

        public AlertRuleSettings Settings => new(Name ?? "", Id.Parse<ServiceId>(Service, "service"), Severity, Condition, Tells, Pages, Runbook);

        static double Number(string? typed, string field) =>
            double.TryParse(typed?.Replace(',', '.'), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : throw new DomainException("Enter a number, such as 5 or 0.5.", field);

        static int Whole(string? typed, string field) =>
            int.TryParse(typed, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : throw new DomainException("Enter a whole number of minutes.", field);
    }
}
