using System.Text;
using Microsoft.AspNetCore.Mvc;
using Portal.Api;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Hosting;

namespace Portal.Features.Monitoring.Imports;

/// <summary>Imports through the management API, and the files that the screens offer.</summary>
public static class ImportsApi
{
    /// <param name="Line">Of a table; the position in a backup.</param>
    /// <param name="Why">The rule that it breaks, or why it is left out.</param>
    /// <param name="PrivateHost">It leads to a private address, or the table allows one there: needs allowPrivate.</param>
    public sealed record ImportLine(int Line, string Name, ImportStep Step, string? Summary, IReadOnlyList<string> Differences, IReadOnlyList<string> Notes, string? Why, string? Field, string? PrivateHost);

    /// <param name="HeartbeatUrl">What its job calls, answered once.</param>
    public sealed record ImportedHeartbeat(string Name, string HeartbeatUrl);

    /// <param name="Import">Under which it can be taken back; null after a dry run.</param>
    public sealed record ImportAnswer(MonitorImportId? Import, int Created, int Changed, IReadOnlyList<ImportLine> Monitors, IReadOnlyList<string> Notes, IReadOnlyList<ImportedHeartbeat> Heartbeats);

    /// <param name="Kept">Those that somebody edited since.</param>
    /// <param name="NeedAdministrator">Those that stay as they are: putting them back would allow private addresses again, which takes monitors:private.</param>
    public sealed record UndoAnswer(int Deleted, int Restored, IReadOnlyList<string> Kept, IReadOnlyList<string> NeedAdministrator);

    public static void Map(IEndpointRouteBuilder read, IEndpointRouteBuilder write)
    {
        read.MapGet("/export", async (HttpContext http, MonitorTable table, CancellationToken ct) => Csv(await table.Load(new(), http.User.ToActor(), ct)))
            .WithName("ExportMonitors").WithSummary("All monitors as the table that an import reads, without secrets").Produces<string>(200, "text/csv");
        write.MapPost("/import", Import).WithMetadata(new RequestSizeLimitAttribute(ImportSource.LongestKuma + 1024), new AnswersSecret()).Produces<ImportAnswer>()
            .WithName("ImportMonitors").WithSummary("Makes and changes monitors from a table (CSV) or a backup of Uptime Kuma 1.x (JSON), all or none; with dryRun=true it only says what it would do");
        write.MapPost("/imports/{id}/undo", async (HttpContext http, string id, UndoImport undo, CancellationToken ct) =>
        {
            var outcome = await undo.Execute(new(Id.Parse<MonitorImportId>(id, "import")), http.User.ToActor(), ct);
            return new UndoAnswer(outcome.Deleted, outcome.Restored, outcome.Kept, outcome.NeedAdministrator);
        }).WithName("UndoImport").WithSummary("Takes an import back; what somebody edited since is kept");
    }

    /// <summary>For whoever is signed in.</summary>
    public static void MapMonitorFiles(this IEndpointRouteBuilder app)
    {
        var files = app.MapGroup("/ops/monitors").ExcludeFromDescription();
        files.MapGet("/export", async (HttpContext http, MonitorTable table, string? component, string? state, string? tag, string? kind, string? q, CancellationToken ct) =>
            Csv(await table.Load(MonitorList.Filter.Of(component, state, tag, kind, q), http.User.ToActor(), ct))).RequireAuthorization(nameof(Permission.ViewMonitors));
        files.MapGet("/import/example", () => Csv(MonitorTable.Example)).RequireAuthorization(nameof(Permission.ManageMonitors));
    }

    /// <summary>With the mark by which spreadsheets know that it is UTF-8.</summary>
    static IResult Csv(string text) => Results.File([.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(text)], "text/csv; charset=utf-8", "monitors.csv");

    static async Task<ImportAnswer> Import(HttpContext http, ImportPreview preview, ImportMonitors import, PortalAddress portal, bool? dryRun, bool? allowPrivate, string? fileName, CancellationToken ct)
    {
        using var content = new MemoryStream();
        await http.Request.Body.CopyToAsync(content, ct);
        var (source, actor) = (new ImportSource(fileName ?? "by API", content.ToArray()), http.User.ToActor());
        ImportFormat? said = http.Request.ContentType?.Split(';')[0].Trim().ToLowerInvariant() switch { "text/csv" => ImportFormat.Csv, "application/json" => ImportFormat.UptimeKuma, _ => null };
        if (said is null || content.Length > 0 && said != source.Format) throw new DomainException("The content is not of the type that was said: text/csv for a table, application/json for a backup.", "file");
        var plan = await preview.Load(source, actor, ct);
        IReadOnlyList<ImportLine> lines = [.. plan.Monitors.Select(m => new ImportLine(m.Line, m.Name, m.Step, m.Summary, m.Differences, m.Notes, m.Why, m.Field, m.PrivateHost))];
        if (dryRun == true) return new(null, plan.Count(ImportStep.Create), plan.Count(ImportStep.Change), lines, plan.Notes, []);
        var done = await import.Execute(new(source, allowPrivate ?? false, plan.Mark), actor, ct);
        if (done.Heartbeats.Count > 0) AnswersSecret.Mark(http);
        return new(done.Import, done.Created, done.Changed, lines, plan.Notes, [.. done.Heartbeats.Select(h => new ImportedHeartbeat(h.Name, MonitorWords.HeartbeatUrl(portal, h.Key)))]);
    }
}
