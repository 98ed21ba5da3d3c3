using System.Text;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;

namespace Portal.Features.Monitoring;

/// <summary><c>/api/v1/heartbeats/{key}</c>, and <c>/start</c> and <c>/fail</c> behind it: called by jobs, without a key of the API.</summary>
public static class HeartbeatEndpoint
{
    const int LongestDetail = 300;

    public static void MapHeartbeats(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/api/v1/heartbeats/{key}").AllowAnonymous().WithGroupName("v1").WithTags("Heartbeats");
        Map(group, "", HeartbeatSignal.Ping, "Heartbeat", "A job ran well. GET and HEAD do the same. No API key: the key in the address was shown when the monitor was made");
        Map(group, "/start", HeartbeatSignal.Start, "HeartbeatStart", "A job begins: how long it takes is measured, and a run that does not end within the grace is down");
        Map(group, "/fail", HeartbeatSignal.Fail, "HeartbeatFail", "A job failed: its monitor goes down. The first 300 characters of the body say why, and are shown to staff");
    }

    static void Map(RouteGroupBuilder group, string path, HeartbeatSignal signal, string name, string summary)
    {
        Task<IResult> Take(HttpContext http, string key, HeartbeatInbox inbox, CancellationToken ct) => Hear(http, key, signal, inbox, ct);
        group.MapPost(path, Take).WithName(name).WithSummary(summary);
        group.MapMethods(path, ["GET", "HEAD"], Take).ExcludeFromDescription();
    }

    static async Task<IResult> Hear(HttpContext http, string key, HeartbeatSignal signal, HeartbeatInbox inbox, CancellationToken ct)
    {
        http.Response.Headers.CacheControl = "no-store";
        var detail = signal == HeartbeatSignal.Fail && HttpMethods.IsPost(http.Request.Method) ? await Detail(http.Request.Body, ct) : null;
        return await inbox.Take(key, signal, detail, ct) switch
        {
            HeartbeatReceipt.Heard => TypedResults.Text("OK\n"),
            HeartbeatReceipt.Ignored => TypedResults.Text("OK, but this monitor is paused: nothing was noted.\n"),
            _ => throw new NotFoundException("heartbeat"),
        };
    }

    /// <summary>The beginning of what the job says, fit to be shown; the rest is not read.</summary>
    static async Task<string?> Detail(Stream body, CancellationToken ct)
    {
        var buffer = new byte[LongestDetail * 4];
        var read = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct);
        var text = new string([.. Encoding.UTF8.GetString(buffer, 0, read).Where(c => !char.IsControl(c) && !char.IsSurrogate(c) && c != '\uFFFD').Take(LongestDetail)]).Trim();
        return text.Length > 0 ? text : null;
    }
}
