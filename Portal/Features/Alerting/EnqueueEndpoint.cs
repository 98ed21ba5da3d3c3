using System.Security.Cryptography;
using System.Text.Json;
using Portal.Components;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Features.Alerting.Hooks;

namespace Portal.Features.Alerting;

/// <summary><c>/v2/enqueue</c>: events in the shape of PagerDuty's Events API v2. The routing key in the body is the only key.</summary>
public static class EnqueueEndpoint
{
    /// <summary>As PagerDuty has it.</summary>
    public const int LargestBody = 512 * 1024;

    /// <param name="Status">"success", or "invalid event" or "throttle exceeded" where it was not taken.</param>
    public sealed record Answer(string Status, string Message, string? DedupKey = null, IReadOnlyList<string>? Errors = null);

    static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull };

    public static void MapEnqueue(this IEndpointRouteBuilder app) =>
        app.MapPost("/v2/enqueue", Take).AllowAnonymous().DisableAntiforgery().WithGroupName("v1").WithTags("Alerts").WithName("Enqueue")
            .WithSummary("An event in the shape of PagerDuty's Events API v2: trigger, acknowledge or resolve. It is stored before it is answered; 202 means that. No API key: the routing key of the service is in the body")
            .Produces<Answer>(StatusCodes.Status202Accepted).Produces<Answer>(StatusCodes.Status400BadRequest).Produces<Answer>(StatusCodes.Status429TooManyRequests);

    static async Task<IResult> Take(HttpContext http, KnownKeys keys, SignalInbox inbox, CancellationToken ct)
    {
        http.Response.Headers.CacheControl = "no-store";
        try
        {
            using var document = JsonReading.Document(await HookBody.Read(http.Request, LargestBody, ct));
            var (body, errors) = (document.RootElement, new List<string>());
            var signal = Read(body, errors);
            if (signal is null) return Invalid(errors);
            if (await keys.Find(body.Text("routing_key"), ct) is not { } service) return Invalid(["'routing_key' is not the key of a service."]);
            await inbox.Store(service.Id, [signal], null, ct);
            return Results.Json(new Answer("success", "Event processed", signal.Key), Json, statusCode: StatusCodes.Status202Accepted);
        }
        catch (UnreadableException e)
        {
            return Invalid([e.Message]);
        }
        catch (TooOftenException e)
        {
            Api.RateLimits.TellWait(http, e.Wait);
            return Results.Json(new Answer("throttle exceeded", e.Message), Json, statusCode: StatusCodes.Status429TooManyRequests);
        }
    }

    static IResult Invalid(IReadOnlyList<string> errors) => Results.Json(new Answer("invalid event", "Event object is invalid", Errors: errors), Json, statusCode: StatusCodes.Status400BadRequest);

    /// <returns>Null where <paramref name="errors"/> say what is wrong.</returns>
    static AlertSignal? Read(JsonElement body, List<string> errors)
    {
        if (body.Text("routing_key") is null) errors.Add("'routing_key' is missing or blank");
        SignalAction? action = body.Text("event_action") switch { "trigger" => SignalAction.Trigger, "acknowledge" => SignalAction.Acknowledge, "resolve" => SignalAction.Resolve, _ => null };
        if (action is null) errors.Add("'event_action' must be one of trigger, acknowledge, resolve");
        var key = body.Text("dedup_key");
        if (key is { Length: > AlertSignal.KeyLength }) errors.Add($"'dedup_key' has more than {AlertSignal.KeyLength} characters");
        if (key is null && action is SignalAction.Acknowledge or SignalAction.Resolve) errors.Add("'dedup_key' is missing or blank: it names what is acknowledged or resolved");
        var payload = body.Part("payload", JsonValueKind.Object);
        Severity? severity = payload?.Text("severity") switch { "critical" => Severity.P0, "error" => Severity.P1, "warning" => Severity.P2, "info" => Severity.P3, _ => null };
        if (action == SignalAction.Trigger)
        {
            if (payload is null) errors.Add("'payload' is missing or no object");
            if (payload?.Text("summary") is null) errors.Add("'payload.summary' is missing or blank");
            if (payload?.Text("source") is null) errors.Add("'payload.source' is missing or blank");
            if (severity is null) errors.Add("'payload.severity' must be one of critical, error, warning, info");
        }
        if (errors.Count > 0) return null;
        return Of(action!.Value, key ?? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)), severity ?? Severity.P3, payload ?? default, body);
    }

    static AlertSignal Of(SignalAction action, string key, Severity severity, JsonElement payload, JsonElement body)
    {
        string[] parts = ["component", "group", "class"];
        var labels = parts.Select(name => (Name: name, Value: payload.Text(name))).Where(l => l.Value is not null).Select(l => new AlertLabel(l.Name, l.Value!));
        var links = body.Part("links", JsonValueKind.Array) is { } array ? array.EnumerateArray().Select(l => l.Text("href")).OfType<string>() : [];
        var details = new[] { ("custom_details", payload), ("links", body), ("images", body) }
            .Where(d => d.Item2.ValueKind == JsonValueKind.Object && d.Item2.TryGetProperty(d.Item1, out var value) && value.ValueKind is not JsonValueKind.Null and not JsonValueKind.Undefined)
            .Select(d => $"{JsonSerializer.Serialize(d.Item1)}:{d.Item2.GetProperty(d.Item1).GetRawText()}").ToList();
        return new(action, key, severity, payload.Text("summary") ?? "", payload.Text("source") ?? "", new(labels), details.Count > 0 ? $"{{{string.Join(',', details)}}}" : null,
            links.FirstOrDefault() ?? body.Text("client_url"), payload.Time("timestamp"), By: body.Text("client"));
    }
}
