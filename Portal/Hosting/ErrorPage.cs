using System.Net;
using System.Text;
using Portal.Api;
using Portal.Public;

namespace Portal.Hosting;

/// <summary>What somebody sees instead of what they asked for: problem details for programs, a calm static page for people.</summary>
static class ErrorPage
{
    static readonly string[] ForPrograms = ["/api/", "/v2/", "/health", "/metrics", "/openapi/", "/hubs/", "/badge/", "/history.rss", "/history.atom"];

    public static Task Answer(HttpContext http, Problem problem)
    {
        if (!IsForPerson(http.Request)) return problem.Write(http);
        if (problem.Status == 404 && !IsForStaff(http.Request.Path) && http.RequestServices.GetService<OnDemandPages>() is { } pages) return pages.Unknown(http.Request).ExecuteAsync(http);
        http.Response.StatusCode = problem.Status;
        http.Response.ContentType = "text/html; charset=utf-8";
        http.Response.Headers.CacheControl = "no-store";
        if (problem.Status == 503) http.Response.Headers.RetryAfter = "5";
        return HttpMethods.IsHead(http.Request.Method) ? Task.CompletedTask
            : http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(Html(http, problem)), http.RequestAborted).AsTask();
    }

    static bool IsForStaff(PathString path) => path.StartsWithSegments("/ops") || path.StartsWithSegments("/admin") || path.StartsWithSegments("/account");

    static bool IsForPerson(HttpRequest request)
    {
        foreach (var start in ForPrograms)
            if (request.Path.Value?.StartsWith(start, StringComparison.OrdinalIgnoreCase) == true) return false;
        return request.Headers.Accept.ToString() is var accept
            && (accept.Contains("text/html", StringComparison.OrdinalIgnoreCase) || !accept.Contains("json", StringComparison.OrdinalIgnoreCase));
    }

    static string Html(HttpContext http, Problem problem)
    {
        var german = http.Request.Path.StartsWithSegments("/de");
        var (title, text) = Words(problem, german);
        // Relative to the root: an error page can stand at any depth. No inline style or script, so that the strictest policy holds.
        return $"""
            <!DOCTYPE html>
            <html lang="{(german ? "de" : "en")}">
            <head>
              <meta charset="utf-8">
              <meta name="viewport" content="width=device-width, initial-scale=1">
              <meta name="robots" content="noindex">
              <title>{WebUtility.HtmlEncode(title)}</title>
              <link rel="stylesheet" href="/assets/error.css">
            </head>
            <body>
              <main>
                <p class="code">{problem.Status}</p>
                <h1>{WebUtility.HtmlEncode(title)}</h1>
                <p>{WebUtility.HtmlEncode(text)}</p>
                <p><a href="{(german ? "/de/" : "/")}">{(german ? "Zur Statusseite" : "Go to the status page")}</a></p>
                <p class="id">{(german ? "Kennung der Anfrage" : "Request id")}: <code>{WebUtility.HtmlEncode(http.TraceIdentifier)}</code></p>
              </main>
            </body>
            </html>
            """;
    }

    static (string Title, string Text) Words(Problem problem, bool german) => (problem.Status, german) switch
    {
        (404, false) => ("There is nothing at this address", "The link may be old or mistyped. What happened lately stands on the status page."),
        (404, true) => ("Unter dieser Adresse ist nichts", "Der Link ist vielleicht alt oder vertippt. Was zuletzt geschah, steht auf der Statusseite."),
        (403, false) => ("This is not for your account", "Ask an administrator for the role that it needs."),
        (403, true) => ("Das ist für Ihr Konto nicht freigegeben", "Bitten Sie einen Administrator um die nötige Rolle."),
        (503, false) => ("Not at the moment", "The database cannot be reached. Nothing was saved or lost; the status page itself still works. Try again in a moment."),
        (503, true) => ("Im Moment nicht", "Die Datenbank ist nicht erreichbar. Nichts wurde gespeichert und nichts ging verloren; die Statusseite selbst funktioniert. Versuchen Sie es gleich noch einmal."),
        (429, false) => ("Too many requests", "Wait a minute and try again."),
        (429, true) => ("Zu viele Anfragen", "Warten Sie eine Minute und versuchen Sie es noch einmal."),
        ( >= 500, false) => ("Something failed here", "It is not your doing and it was logged. Try again in a moment; if it stays, pass on the request id below."),
        ( >= 500, true) => ("Hier ist etwas fehlgeschlagen", "Es liegt nicht an Ihnen und wurde protokolliert. Versuchen Sie es gleich noch einmal; bleibt es dabei, geben Sie die Kennung unten weiter."),
        (_, false) => ("The request was not carried out", problem.Errors is null ? problem.Detail ?? problem.Title : problem.Detail ?? ""),
        (_, true) => ("Die Anfrage wurde nicht ausgeführt", problem.Detail ?? problem.Title),
    };
}
