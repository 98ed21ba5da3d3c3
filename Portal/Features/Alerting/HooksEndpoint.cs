using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Portal.Api;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Features.Alerting.Hooks;
using Portal.Infrastructure.Security;

namespace Portal.Features.Alerting;

/// <summary><c>/api/v1/hooks/{kind}/{key}</c>: alerts of other systems in their own shapes. The key is the routing key of the service.</summary>
public static class HooksEndpoint
{
    static readonly string[] Kinds = ["alertmanager", "grafana", "uptimerobot", "sentry", "cloudwatch", "generic"];

    /// <param name="Signals">How many are stored; 0 where the message says nothing that pages, or was heard before.</param>
    public sealed record Answer(string Status, int Signals);

    public static void MapHooks(this IEndpointRouteBuilder app) =>
        app.MapPost("/api/v1/hooks/{kind}/{key}", Take).AllowAnonymous().DisableAntiforgery().WithGroupName("v1").WithTags("Alerts").WithName("Hook")
            .WithSummary("What another system says of its alerts: alertmanager, grafana, uptimerobot, sentry (signed), cloudwatch (signed, by SNS) or generic. ?severity= is that of alerts which name none. No API key: the key in the address is the routing key of the service")
            .Produces<Answer>(StatusCodes.Status202Accepted);

    static async Task<IResult> Take(string kind, string key, HttpContext http, KnownKeys keys, SignalInbox inbox, HookReading reading, CancellationToken ct)
    {
        http.Response.Headers.CacheControl = "no-store";
        if (!Kinds.Contains(kind) || await keys.Find(key, ct) is not { } service) throw new NotFoundException("hook");
        var body = await HookBody.Read(http.Request, EnqueueEndpoint.LargestBody, ct);
        var otherwise = http.Request.Query["severity"].ToString() switch
        {
            "" => kind is "uptimerobot" or "cloudwatch" ? Severity.P1 : Severity.P2,
            var word => SeverityWords.Read(word) ?? throw new DomainException("The severity is P0, P1, P2 or P3.", "severity"),
        };
        try
        {
            var (signals, message) = await reading.Read(kind, http.Request, body, service, otherwise, ct);
            // A message that may come once is noted also where it pages nobody.
            var isNew = signals.Count == 0 && message is null || await inbox.Store(service.Id, signals, message, ct);
            return Results.Json(new Answer(isNew ? "accepted" : "heard before", isNew ? signals.Count : 0), statusCode: StatusCodes.Status202Accepted);
        }
        catch (UnreadableException e)
        {
            return await Say(http, StatusCodes.Status400BadRequest, e.Message);
        }
        catch (HttpRequestException e)
        {
            // What the message names could not be had now: its sender comes again.
            return await Say(http, StatusCodes.Status502BadGateway, e.Message);
        }
    }

    static async Task<IResult> Say(HttpContext http, int status, string words)
    {
        await Problem.Of(status, words).Write(http);
        return Results.Empty;
    }
}

/// <summary>From what another system sent to signals, once it is known that it sent it.</summary>
sealed class HookReading(SnsSender sns, SecretBox box)
{
    /// <returns>With what names a message that must not be taken twice.</returns>
    /// <exception cref="ForbiddenException">It is not signed by whom it says.</exception>
    public async Task<(IReadOnlyList<AlertSignal> Signals, byte[]? Message)> Read(string kind, HttpRequest request, byte[] body, Service service, Severity otherwise, CancellationToken ct)
    {
        if (kind == "uptimerobot") return (UptimeRobotHook.Read(request, body, otherwise), null);
        if (kind == "sentry") return Sentry(request, body, service, otherwise);
        using var document = JsonReading.Document(body);
        var root = document.RootElement;
        return kind switch
        {
            "alertmanager" => (AlertmanagerHook.Read(root, otherwise, "Alertmanager"), null),
            "grafana" => (GrafanaHook.Read(root, otherwise), null),
            "cloudwatch" => await CloudWatch(root, service, otherwise, ct),
            _ => ([(service.Mapping ?? SignalMapping.Usual).Read(root, otherwise) ?? throw new DomainException("At the path of the summary stands nothing.", "summary")], null),
        };
    }

    (IReadOnlyList<AlertSignal>, byte[]?) Sentry(HttpRequest request, byte[] body, Service service, Severity otherwise)
    {
        if (service.SealedSentrySecret is not { } stored) throw new ForbiddenException("The service has no secret of a Sentry integration: enter it first.");
        var signature = request.Headers["Sentry-Hook-Signature"].ToString();
        if (!SentryHook.IsSigned(body, signature, ChangeHooks.Open(box, service.Id, stored))) throw new ForbiddenException("The signature is not that of the Sentry integration.");
        using var document = JsonReading.Document(body);
        return (SentryHook.Read(request.Headers["Sentry-Hook-Resource"].ToString(), document.RootElement, otherwise), Name(service, "sentry", signature.ToLowerInvariant()));
    }

    async Task<(IReadOnlyList<AlertSignal>, byte[]?)> CloudWatch(JsonElement root, Service service, Severity otherwise, CancellationToken ct)
    {
        var message = SnsMessage.Read(root);
        await sns.Verify(message, ct);
        if (message.Type == "SubscriptionConfirmation") await sns.Confirm(message, ct);
        return (message.Type == "Notification" ? message.Signals(otherwise) : [], Name(service, "sns", message.MessageId));
    }

    static byte[] Name(Service service, string kind, string id) => SHA256.HashData(Encoding.UTF8.GetBytes($"{service.Id}:{kind}:{id}"));
}
