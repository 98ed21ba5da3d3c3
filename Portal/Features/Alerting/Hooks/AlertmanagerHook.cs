using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;

namespace Portal.Features.Alerting.Hooks;

/// <summary>Prometheus Alertmanager's webhook, and Grafana's, which has the same shape: one signal for each alert of the group.</summary>
static class AlertmanagerHook
{
    /// <summary>What one message may hold; Alertmanager groups as many as it is told to.</summary>
    public const int MostAlerts = 5_000;

    static readonly string[] Telling = ["annotations", "values", "valueString"];

    /// <exception cref="DomainException">No list of alerts, or one without labels.</exception>
    public static IReadOnlyList<AlertSignal> Read(JsonElement body, Severity otherwise, string by)
    {
        if (body.Part("alerts", JsonValueKind.Array) is not { } alerts) throw new DomainException("There is no list \"alerts\".", "alerts");
        if (alerts.GetArrayLength() > MostAlerts) throw new DomainException($"One message has at most {MostAlerts:N0} alerts: group them more finely.", "alerts");
        return [.. alerts.EnumerateArray().Select((a, i) => One(a, i, body, otherwise, by))];
    }

    static AlertSignal One(JsonElement alert, int index, JsonElement body, Severity otherwise, string by)
    {
        var labels = alert.Part("labels", JsonValueKind.Object).Labels();
        if (labels.Count == 0) throw new DomainException("An alert is an object with labels.", $"alerts[{index}].labels");
        SignalAction action = alert.Text("status") switch
        {
            "firing" => SignalAction.Trigger,
            "resolved" => SignalAction.Resolve,
            _ => throw new DomainException("The status is firing or resolved.", $"alerts[{index}].status"),
        };
        var notes = alert.Part("annotations", JsonValueKind.Object).Labels();
        var name = labels.ValueOf("alertname");
        var summary = notes.ValueOf("summary") ?? notes.ValueOf("description") ?? notes.ValueOf("message") ?? body.Text("title") ?? name ?? "An alert without a name";
        return new(action, alert.Text("fingerprint") ?? Fingerprint(labels), SeverityWords.Read(labels.ValueOf("severity")) ?? otherwise, summary,
            labels.ValueOf("instance") ?? labels.ValueOf("job") ?? body.Text("externalURL") ?? "", new(labels), action == SignalAction.Trigger ? Details(alert) : null,
            alert.Text("panelURL") ?? alert.Text("dashboardURL") ?? alert.Text("generatorURL") ?? body.Text("externalURL"), alert.Time(action == SignalAction.Trigger ? "startsAt" : "endsAt"), By: by);
    }

    /// <summary>The annotations and the values, which say more than the labels.</summary>
    static string Details(JsonElement alert) =>
        $"{{{string.Join(',', Telling.Where(n => alert.TryGetProperty(n, out _)).Select(n => $"\"{n}\":{alert.GetProperty(n).GetRawText()}"))}}}";

    /// <summary>What Alertmanager itself takes for the same alert: the same labels.</summary>
    static string Fingerprint(IReadOnlyList<AlertLabel> labels) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', labels.OrderBy(l => l.Name, StringComparer.Ordinal).Select(l => $"{l.Name}={l.Value}")))))[..32];
}

/// <summary>Grafana: unified alerting in Alertmanager's shape, and the older one with a rule and its state.</summary>
static class GrafanaHook
{
    /// <exception cref="DomainException">Neither of the two shapes.</exception>
    public static IReadOnlyList<AlertSignal> Read(JsonElement body, Severity otherwise)
    {
        if (body.Part("alerts", JsonValueKind.Array) is not null) return AlertmanagerHook.Read(body, otherwise, "Grafana");
        if (body.Text("ruleId") is not { } rule) throw new DomainException("There is neither a list \"alerts\" nor a \"ruleId\".", "alerts");
        SignalAction? action = body.Text("state") switch
        {
            "alerting" or "no_data" => SignalAction.Trigger,
            "ok" => SignalAction.Resolve,
            "pending" or "paused" => null,
            _ => throw new DomainException("The state is alerting, no_data, ok, pending or paused.", "state"),
        };
        if (action is not { } known) return [];
        var labels = body.Part("tags", JsonValueKind.Object).Labels();
        return [new(known, $"grafana:{body.Text("orgId")}:{rule}", SeverityWords.Read(labels.ValueOf("severity")) ?? otherwise, body.Text("title") ?? body.Text("ruleName") ?? body.Text("message") ?? "A Grafana rule",
            body.Text("ruleName") ?? "", new(labels), null, body.Text("ruleUrl"), By: "Grafana")];
    }
}
