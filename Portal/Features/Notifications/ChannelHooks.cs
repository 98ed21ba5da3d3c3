using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Notifications;
using Portal.Domain.Shared;
using Portal.Hosting;
using Portal.Infrastructure.Notifications;
using Portal.Infrastructure.Notifications.Slack;
using Portal.Infrastructure.Notifications.Twilio;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Notifications;

/// <summary>What channels tell the portal: a button that was pressed in Slack, a key on a telephone, what became of a message. Signed by the channel's own secret, which is the only key to it.</summary>
public static class ChannelHooks
{
    const int LongestBody = 64 * 1024;

    public static void MapChannelHooks(this IEndpointRouteBuilder app)
    {
        var hooks = app.MapGroup("/api/v1/hooks").AllowAnonymous().DisableAntiforgery().WithGroupName("v1").WithTags("Channels");
        hooks.MapPost("/slack/{channel}", Slack).WithName("SlackHook").WithSummary("The interactivity address of a Slack app: its button acknowledges. Signed with the app's signing secret");
        hooks.MapPost("/twilio/{channel}/{delivery}", Receipt).WithName("TwilioReceipt").WithSummary("What became of an SMS or a call. Signed with the account's auth token");
        hooks.MapPost("/twilio/{channel}/{delivery}/keys", Keys).WithName("TwilioKeys").WithSummary("The key that was pressed during a call: 1 acknowledges. Signed with the account's auth token");
    }

    static async Task<IResult> Slack(string channel, HttpContext http, SignedHooks signed, AnswerLinks links, DeliveryRecords records, TimeProvider clock, CancellationToken ct)
    {
        var body = await Body(http, ct);
        if (await signed.Find(channel, [ChannelKind.Slack], ct) is not { } found || found[SlackChannel.SigningSecret] is not { } secret) throw new NotFoundException("channel");
        if (!SlackSignature.IsValid(secret, http.Request.Headers["X-Slack-Request-Timestamp"], http.Request.Headers["X-Slack-Signature"], body, clock.GetUtcNow())) return Results.Unauthorized();
        var payload = Json(QueryHelpers.ParseQuery(Encoding.UTF8.GetString(body))["payload"].ToString());
        if (payload?["actions"] is not JsonArray { Count: > 0 } actions || actions[0].Text("action_id") != SlackChannel.AcknowledgeAction) return Results.Ok();
        var by = $"{payload.Text("user", "name") ?? payload.Text("user", "username") ?? "Somebody"} in Slack";
        var done = links.Read(actions[0].Text("value")) is { } delivery && await records.Confirm(delivery, found.Id, by, ct);
        return Results.Json(new { response_type = "ephemeral", replace_original = false, text = done ? "Acknowledged." : "There is nothing to acknowledge any more." });
    }

    static async Task<IResult> Receipt(string channel, string delivery, HttpContext http, SignedHooks signed, DeliveryRecords records, CancellationToken ct)
    {
        var (settings, form, id) = await Called(channel, delivery, "", http, signed, ct);
        if (form is null) return Results.Unauthorized();
        var status = form.GetValueOrDefault("MessageStatus") ?? form.GetValueOrDefault("CallStatus") ?? "";
        var code = form.GetValueOrDefault("ErrorCode") is { Length: > 0 } number ? $" ({number})" : "";
        if (status is "delivered" or "read" or "completed") await records.Receipt(id, settings.Id!.Value, arrived: true, $"The provider says: {status}.", ct);
        else if (status is "undelivered" or "failed" or "busy" or "no-answer" or "canceled") await records.Receipt(id, settings.Id!.Value, arrived: false, $"The provider says: {status}{settings.Shown(code)}.", ct);
        return Results.NoContent();
    }

    static async Task<IResult> Keys(string channel, string delivery, HttpContext http, SignedHooks signed, DeliveryRecords records, CancellationToken ct)
    {
        var (settings, form, id) = await Called(channel, delivery, "/keys", http, signed, ct);
        if (form is null) return Results.Unauthorized();
        var done = form.GetValueOrDefault("Digits") == "1" && await records.Confirm(id, settings.Id, "Somebody by telephone", ct);
        return Results.Text($"<Response>{VoiceChannel.Say(done ? "Acknowledged. Good bye." : "Nothing was acknowledged. Good bye.")}</Response>", "text/xml");
    }

    /// <returns>No form where the signature is wrong.</returns>
    static async Task<(ChannelSettings Settings, Dictionary<string, string>? Form, DeliveryId Id)> Called(string channel, string delivery, string rest, HttpContext http, SignedHooks signed, CancellationToken ct)
    {
        var body = await Body(http, ct);
        var id = Id.Parse<DeliveryId>(delivery, "message");
        if (await signed.Find(channel, [ChannelKind.Sms, ChannelKind.Voice], ct) is not { Id: { } found } settings || settings[TwilioHooks.TokenField] is not { } token) throw new NotFoundException("channel");
        var form = QueryHelpers.ParseQuery(Encoding.UTF8.GetString(body)).ToDictionary(f => f.Key, f => f.Value.ToString());
        var url = TwilioHooks.Receipt(signed.PortalUrl, found, id) + rest;
        return (settings, TwilioHooks.IsValid(token, url, form, http.Request.Headers["X-Twilio-Signature"]) ? form : null, id);
    }

    static async Task<byte[]> Body(HttpContext http, CancellationToken ct)
    {
        http.Response.Headers.CacheControl = "no-store";
        var buffer = new byte[LongestBody + 1];
        var read = await http.Request.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct);
        return read <= LongestBody ? buffer[..read] : throw new BadHttpRequestException("The request is larger than 64 KB.", StatusCodes.Status413PayloadTooLarge);
    }

    static JsonNode? Json(string text)
    {
        try
        {
            return JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { MaxDepth = 32 });
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>Finds the settings of the channel that signs.</summary>
public sealed class SignedHooks(IDbContextFactory<PortalDbContext> contexts, ChannelBook book, PortalAddress portal)
{
    /// <summary>As providers were told it.</summary>
    public string PortalUrl => portal.Public;

    public async Task<ChannelSettings?> Find(string text, IReadOnlyCollection<ChannelKind> kinds, CancellationToken ct)
    {
        var id = Id.Parse<ChannelId>(text, "channel");
        await using var db = await contexts.CreateDbContextAsync(ct);
        return await db.Channels.AsNoTracking().SingleOrDefaultAsync(c => c.Id == id && kinds.Contains(c.Kind), ct) is { } channel ? book.Settings(channel) : null;
    }
}
