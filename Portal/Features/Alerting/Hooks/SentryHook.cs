using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;

namespace Portal.Features.Alerting.Hooks;

/// <summary>Sentry's webhooks of issues, of issue alerts and of metric alerts, each signed with the secret of the integration.</summary>
static class SentryHook
{
    static readonly string[] Named = ["level", "platform", "environment", "shortId"];

    /// <summary>Whether the body is what Sentry signed: HMAC-SHA256 in hex.</summary>
    public static bool IsSigned(byte[] body, string? signature, string secret)
    {
        if (signature is not { Length: 64 }) return false;
        return CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(signature.ToLowerInvariant()), Encoding.ASCII.GetBytes(Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), body))));
    }

    /// <param name="resource">The header <c>Sentry-Hook-Resource</c>.</param>
    /// <exception cref="DomainException">What it tells of is missing.</exception>
    public static IReadOnlyList<AlertSignal> Read(string? resource, JsonElement body, Severity otherwise)
    {
        var data = body.Part("data", JsonValueKind.Object) ?? throw new DomainException("There is no object \"data\".", "data");
        return resource switch
        {
            "issue" => Issue(body.Text("action"), Part(data, "issue"), otherwise),
            "event_alert" => Event(data, Part(data, "event"), otherwise),
            "metric_alert" => Metric(body.Text("action"), data, Part(data, "metric_alert"), otherwise),
            // Of installations, comments and the like nobody is paged.
            _ => [],
        };
    }

    static JsonElement Part(JsonElement data, string name) => data.Part(name, JsonValueKind.Object) ?? throw new DomainException($"There is no object \"{name}\".", $"data.{name}");

    static IReadOnlyList<AlertSignal> Issue(string? action, JsonElement issue, Severity otherwise)
    {
        SignalAction? what = action switch { "created" or "unresolved" => SignalAction.Trigger, "resolved" or "archived" or "ignored" => SignalAction.Resolve, "assigned" => SignalAction.Acknowledge, _ => null };
        if (what is not { } known) return [];
        return [new(known, KeyOf(issue.Text("id"), "data.issue.id"), Severity(issue, otherwise), issue.Text("title") ?? "A Sentry issue", issue.Part("project", JsonValueKind.Object)?.Text("slug") ?? "",
            new(Labels(issue)), null, issue.Text("web_url") ?? issue.Text("permalink"), By: "Sentry")];
    }

    static IReadOnlyList<AlertSignal> Event(JsonElement data, JsonElement of, Severity otherwise) =>
        [new(SignalAction.Trigger, KeyOf(of.Text("issue_id") ?? of.Text("event_id"), "data.event.issue_id"), Severity(of, otherwise), of.Text("title") ?? "A Sentry event", of.Text("culprit") ?? "",
            new([.. Labels(of), .. data.Text("triggered_rule") is { } rule ? [new AlertLabel("rule", rule)] : Array.Empty<AlertLabel>()]), null, of.Text("web_url"), of.Time("datetime"), By: "Sentry")];

    static IReadOnlyList<AlertSignal> Metric(string? action, JsonElement data, JsonElement alert, Severity otherwise)
    {
        var what = action switch { "resolved" => SignalAction.Resolve, "critical" or "warning" or "open" => SignalAction.Trigger, _ => (SignalAction?)null };
        if (what is not { } known) return [];
        var rule = alert.Part("alert_rule", JsonValueKind.Object);
        return [new(known, $"sentry:metric:{rule?.Text("id") ?? alert.Text("id") ?? throw new DomainException("The id is missing.", "data.metric_alert.id")}", SeverityWords.Read(action) ?? otherwise,
            data.Text("description_title") ?? alert.Text("title") ?? "A Sentry metric alert", rule?.Text("name") ?? "", new([]), null, data.Text("web_url"), By: "Sentry")];
    }

    static string KeyOf(string? id, string field) => $"sentry:{id ?? throw new DomainException("The id is missing.", field)}";

    static Severity Severity(JsonElement of, Severity otherwise) => SeverityWords.Read(of.Text("level")) ?? otherwise;

    static IReadOnlyList<AlertLabel> Labels(JsonElement of) => [.. Named.Select(n => (n, of.Text(n))).Where(l => l.Item2 is not null).Select(l => new AlertLabel(l.n, l.Item2!))];
}
