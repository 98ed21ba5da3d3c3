using System.Globalization;
using System.Net;
using System.Text;
using Portal.Components.Ui;
using Portal.Domain.Drills;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Features.Backups;

namespace Portal.Features.Drills;

/// <summary>The evidence of a drill as one HTML file, to be kept, printed or handed to an auditor: what was sealed, nothing else.</summary>
public static class DrillReportPage
{
    const string Style = "body{font:15px/1.5 system-ui,sans-serif;max-width:880px;margin:32px auto;padding:0 16px;color:#14181f;background:#fff}h1{font-size:24px}h2{font-size:18px;margin-top:28px}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:4px 8px;border-bottom:1px solid #d5d9e0;vertical-align:top;overflow-wrap:anywhere}code,pre{font-size:13px;white-space:pre-wrap;overflow-wrap:anywhere}.n{text-align:right;font-variant-numeric:tabular-nums}@media print{body{margin:0;max-width:none}}";

    public static void MapDrillReport(this IEndpointRouteBuilder app) =>
        app.MapGet("/admin/drills/{id}/report", async (string id, HttpContext http, DrillList list, CancellationToken ct) =>
        {
            var report = await list.LoadOne(Id.Parse<JobRunId>(id, "drill"), http.User.ToActor(), ct);
            if (report.Record is null) throw new NotFoundException("report");
            http.Response.Headers.CacheControl = "private, no-store";
            return Results.File(Encoding.UTF8.GetBytes(Of(report, report.Record)), "text/html; charset=utf-8", string.Create(CultureInfo.InvariantCulture, $"drill-{report.Drill.TargetName}-{report.Record.StartedAt.UtcDateTime:yyyy-MM-dd-HHmm}.html"));
        }).RequireAuthorization(nameof(Permission.ViewDrills)).ExcludeFromDescription();

    public static string Versions(DrillVersions versions) => string.Join(", ", new[]
    {
        $"portal {versions.Portal}", versions.Original is { } original ? $"the original PostgreSQL {original}" : null, versions.Server is { } server ? $"restored on {server}" : null, versions.Tools is { } tools ? $"pg_restore {tools}" : null,
    }.OfType<string>());

    public static string Of(DrillList.Report report, DrillRecord record)
    {
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $"<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>Drill of {E(record.Target)}</title><style>{Style}</style>");
        page.Append(CultureInfo.InvariantCulture, $"<h1>Drill of {E(record.Target)}: {E(DrillWords.Look(report.Drill).Text)}</h1><p>{E(DrillWords.Sentence(report.Drill))}</p>");
        if (!report.IsWhole) page.Append("<p><strong>This record is not as it was sealed: somebody changed it. Do not rely on it.</strong></p>");
        Table(page, "Figures", ["", "Reached", "Objective"],
        [
            ["Back and checked after (RTO)", record.Figures.Recovery is { } recovery ? Length(recovery) : "it did not come back", Length(record.Figures.RecoveryObjective)],
            ["Would have been lost (RPO)", record.Figures.Loss is { } loss ? $"{Length(loss)}, by {(record.Figures.Canary is { } beat ? $"the canary of {At(beat)}" : "the snapshot's time")}" : "everything", Length(record.Figures.LossObjective)],
        ]);
        Table(page, "Time to recover by phase", ["Phase", "Took"], record.Phases.Select(p => new[] { p.Name, Length(p.Seconds) }));
        Table(page, "Questions to the data", ["Question", "SQL", "Expected", "Answer", "Passed"], record.Checks.Select(c => new[] { c.Name, c.Sql, c.Expected, c.Problem ?? c.Answer ?? "nothing", c.Passed ? "yes" : "no" }));
        Table(page, $"Compared with the backup: {record.Compared} things, {record.Differences.Count} differ", ["What", "In the backup", "Restored", "Equal"], record.Tables.OrderBy(t => t.IsEqual).Select(t => new[] { t.Subject, t.Expected, t.Found, t.IsEqual ? "yes" : "no" }));
        Table(page, "Facts", ["", ""],
        [
            ["Scenario", DrillScenarios.Words(report.Drill.Scenario)], ["Lost at", At(record.FailedAt)], ["Begun, ended", $"{At(record.StartedAt)}, {At(record.EndedAt)}"],
            ["Backup", record.Backup is { } used ? $"{used.Id}, of {At(used.At)}, in {used.Store}, {ByteWords.Of(used.PlainBytes)}, {used.Rows.ToString("N0", CultureInfo.InvariantCulture)} rows" : "none"],
            ["Asked for by", record.RequestedBy], ["Done by", $"{record.Node}, attempt {record.Attempt}"], ["Versions", Versions(record.Versions)], .. record.Commands.Select(c => new[] { "Ran", c }),
        ]);
        if (report.Review is { } review)
        {
            page.Append(CultureInfo.InvariantCulture, $"<h2>Lessons</h2><p style=\"white-space:pre-wrap\">{E(review.Lessons.Length > 0 ? review.Lessons : "None were written down.")}</p>");
            Table(page, "Actions", ["What", "By whom", "Done when it was signed"], review.Actions.Select(a => new[] { a.Text, a.Owner, a.DoneAt is { } done ? At(done) : "no" }));
            page.Append(CultureInfo.InvariantCulture, $"<p>Signed off by {E(review.SignedOffBy)} on {At(report.SignedAt!.Value)}.</p>");
        }
        else page.Append("<p>Not signed off yet.</p>");
        page.Append("<h2>Log</h2><pre>").AppendJoin('\n', record.Log.Select(l => E($"{At(l.At)}  {l.Text}"))).Append("</pre>");
        page.Append(CultureInfo.InvariantCulture, $"<p>Evidence no. {report.Position}, seal <code>{report.RecordSeal}</code>. The seal stands in the audit log too; <code>portal audit verify</code> compares them.</p></html>");
        return page.ToString();
    }

    static void Table(StringBuilder page, string title, string[] heads, IEnumerable<string[]> rows)
    {
        var all = rows.ToList();
        if (all.Count == 0) return;
        page.Append(CultureInfo.InvariantCulture, $"<h2>{E(title)}</h2><table>");
        if (heads.Any(h => h.Length > 0)) page.Append("<tr>").AppendJoin("", heads.Select(h => $"<th>{E(h)}</th>")).Append("</tr>");
        foreach (var row in all) page.Append("<tr>").AppendJoin("", row.Select(c => $"<td>{E(c)}</td>")).Append("</tr>");
        page.Append("</table>");
    }

    static string Length(double seconds) => SpanWords.Of(TimeSpan.FromSeconds(seconds));

    static string At(DateTimeOffset at) => at.UtcDateTime.ToString("d MMM yyyy, HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    static string E(string? text) => WebUtility.HtmlEncode(text ?? "");
}
