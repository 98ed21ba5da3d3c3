using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;

namespace Portal.Features.Alerting.Hooks;

/// <summary>UptimeRobot's webhook, whose fields come as JSON, as a form or behind the address, as its user chose.</summary>
static class UptimeRobotHook
{
    /// <exception cref="DomainException">A monitor or a type of alert is missing.</exception>
    public static IReadOnlyList<AlertSignal> Read(HttpRequest request, byte[] body, Severity otherwise)
    {
        var fields = Fields(request, body);
        var monitor = fields("monitorID") ?? throw new DomainException("The monitorID is missing.", "monitorID");
        var (name, details) = (fields("monitorFriendlyName") ?? fields("monitorURL") ?? monitor, fields("alertDetails"));
        var at = long.TryParse(fields("alertDateTime"), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and < 253_402_300_800 ? DateTimeOffset.FromUnixTimeSeconds(seconds) : (DateTimeOffset?)null;
        AlertSignal Signal(SignalAction action, string key, Severity severity, string summary) => new(action, key, severity, summary, fields("monitorURL") ?? "", new([new("monitor", name)]), null, fields("monitorURL"), at, By: "UptimeRobot");
        return fields("alertType") switch
        {
            "1" => [Signal(SignalAction.Trigger, $"uptimerobot:{monitor}", otherwise, $"{name} is down{(details is null ? "" : $": {details}")}")],
            "2" => [Signal(SignalAction.Resolve, $"uptimerobot:{monitor}", otherwise, $"{name} is up")],
            "3" => [Signal(SignalAction.Trigger, $"uptimerobot:{monitor}:certificate", Severity.P3, $"The certificate of {name} expires soon{(details is null ? "" : $": {details}")}")],
            _ => throw new DomainException("The alertType is 1 (down), 2 (up) or 3 (the certificate expires).", "alertType"),
        };
    }

    static Func<string, string?> Fields(HttpRequest request, byte[] body)
    {
        string? Given(StringValues values) => values.ToString() is { Length: > 0 } text ? text : null;
        if (body.Length > 0 && request.ContentType?.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) == true)
        {
            var form = QueryHelpers.ParseQuery(Encoding.UTF8.GetString(body));
            return name => Given(form.GetValueOrDefault(name)) ?? Given(request.Query[name]);
        }
        if (body.Length == 0) return name => Given(request.Query[name]);
        using var document = JsonReading.Document(body);
        var root = document.RootElement.Clone();
        return name => root.Text(name) ?? Given(request.Query[name]);
    }
}
