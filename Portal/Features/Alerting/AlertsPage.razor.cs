using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Portal.Components;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;

namespace Portal.Features.Alerting;

/// <summary>What is wrong and who has it; live, and worked through with one thumb or without a mouse.</summary>
public sealed partial class AlertsPage
{
    const int Part = 50;
    /// <summary>A storm is not drawn alert by alert.</summary>
    static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);
    static readonly string[] Names = ["open", "triggered", "acknowledged", "resolved", "all"];

    readonly HashSet<AlertId> selected = [];
    readonly Dictionary<AlertId, ElementReference> links = [];
    RowsInParts<AlertBoard.Row> list = null!;
    AlertBoard.Counts? counts;
    IReadOnlyList<(ServiceId Id, string Slug, string Name)> services = [];
    AlertButtons? bulk;
    AlertId current;
    string? told;
    bool mayHandle;

    [Inject] AlertHands Hands { get; set; } = null!;
    [SupplyParameterFromQuery(Name = "show")] public string? Show { get; set; }
    [SupplyParameterFromQuery(Name = "service")] public string? Service { get; set; }
    [SupplyParameterFromQuery(Name = "severity")] public string? Severity { get; set; }
    [SupplyParameterFromQuery(Name = "mine")] public string? Mine { get; set; }

    string Shown => Names.Contains(Show) ? Show! : "open";

    Severity? Chosen => Enum.TryParse<Severity>(Severity, out var s) && Enum.IsDefined(s) ? s : null;

    bool IsMine => Mine == "1";

    bool IsFiltered => !string.IsNullOrEmpty(Service) || Chosen is not null || IsMine;

    IEnumerable<(string Name, string Words)> Tabs =>
    [
        ("open", $"Open{Number(counts?.Open)}"), ("triggered", $"Unanswered{Number(counts?.Triggered)}"), ("acknowledged", $"Somebody has it{Number(counts?.Acknowledged)}"), ("resolved", "Resolved"), ("all", "All"),
    ];

    AlertBoard.Filter Filter => new(Shown switch { "resolved" => false, "all" => null, _ => true },
        Shown switch { "triggered" => AlertState.Triggered, "acknowledged" => AlertState.Acknowledged, _ => null },
        // A service that is gone has no alert, rather than all of them.
        string.IsNullOrEmpty(Service) ? null : services.FirstOrDefault(s => s.Slug == Service).Id, Chosen, IsMine);

    protected override void OnInitialized()
    {
        list = new(Part, () => Filter, row => row.Id, async (last, most) => await Board.Load(Filter, last?.Id, most, await CurrentActor(), Left));
        Watch("alerts", Again, Freshness);
        Watch("services", async () => services = await Board.LoadServices(Left));
    }

    protected override Task OnParametersSetAsync() => Fetch(async () =>
    {
        mayHandle = (await CurrentActor()).May(Permission.HandleAlerts);
        services = await Board.LoadServices(Left);
        counts = await Board.LoadCounts(Left);
        await list.Begin();
        selected.Clear();
    });

    async Task Again()
    {
        counts = await Board.LoadCounts(Left);
        await list.Reload();
        selected.RemoveWhere(id => list.Rows!.TrueForAll(r => r.Id != id || !r.IsOpen));
    }

    async Task Acted(string words)
    {
        told = words;
        selected.Clear();
        await Try(Again);
        StateHasChanged();
    }

    void Select(AlertId id, bool on)
    {
        if (on) selected.Add(id);
        else selected.Remove(id);
    }

    void SelectShown(ChangeEventArgs e)
    {
        selected.Clear();
        if ((bool)e.Value!) selected.UnionWith(list.Rows!.Where(r => r.IsOpen).Select(r => r.Id));
    }

    async Task Key(KeyboardEventArgs e)
    {
        if (e.CtrlKey || e.AltKey || e.MetaKey || list.Rows is not { Count: > 0 } rows) return;
        var at = rows.FindIndex(r => r.Id == current);
        if (e.Key is "j" or "k")
        {
            current = rows[e.Key == "j" ? Math.Min(at + 1, rows.Count - 1) : Math.Max(at - 1, 0)].Id;
            await Focus(links[current]);
            return;
        }
        if (!mayHandle || at < 0 || !rows[at].IsOpen) return;
        if (e.Key == "x") Select(current, !selected.Contains(current));
        IReadOnlyList<AlertId> meant = selected.Count > 0 ? [.. selected] : [current];
        if (e.Key is "a" or "r" or "s" && await Try(async () => told = await Hands.Do(e.Key switch { "a" => AlertDeed.Acknowledge, "r" => AlertDeed.Resolve, _ => AlertDeed.SnoozeHour }, meant, await CurrentActor(), Left))) await Acted(told!);
    }

    static string Remarks(AlertBoard.Row row) => string.Join(" · ", new[]
    {
        row.IsTest ? "Test" : null, row.GroupCount > 0 ? $"and {row.GroupCount:N0} more that joined it" : null, row.Quiet.Text(), row.IsOpen && row.AcknowledgedBy is { } by ? $"{by} has it" : null,
        row.IsOpen ? null : row.ResolvedBy is { } who ? $"resolved by {who}" : "over by itself",
    }.OfType<string>());

    static string Number(int? count) => count > 0 ? $" {count:N0}" : "";

    string Address(string filter, string? value)
    {
        var all = new Dictionary<string, object?> { ["show"] = Shown, ["service"] = Service, ["severity"] = Chosen?.ToString(), ["mine"] = IsMine ? "1" : null };
        all[filter] = value;
        if (all["show"] is "open") all["show"] = null;
        if (all["service"] is "") all["service"] = null;
        return Navigation.GetUriWithQueryParameters("/ops/alerts", all);
    }

    void Go(string filter, ChangeEventArgs chosen) => Navigation.NavigateTo(Address(filter, string.IsNullOrEmpty((string?)chosen.Value) ? null : (string)chosen.Value));
}
