using Portal.Api;
using Portal.Domain.Shared;
using Portal.Features.Access;

namespace Portal.Features.Alerting;

/// <summary><c>/api/v1/alert-figures</c>.</summary>
public static class AlertFiguresApi
{
    /// <param name="MedianSeconds">Null where nothing of the kind happened.</param>
    public sealed record SpreadAnswer(double? MedianSeconds, double? P90Seconds)
    {
        internal static SpreadAnswer Of(AlertFigures.Spread spread) => new(Rounded(spread.Median), Rounded(spread.P90));

        static double? Rounded(double? seconds) => seconds is { } s ? Math.Round(s, 3) : null;
    }

    /// <param name="Month">In the page's zone: "2026-11".</param>
    /// <param name="Service">Its id.</param>
    /// <param name="Answered">By a person.</param>
    /// <param name="Detected">MTTD: from when the fault began to the alert.</param>
    /// <param name="Acknowledged">MTTA: from the alert to the first person who took it.</param>
    /// <param name="Resolved">MTTR: from when the fault began to its end.</param>
    public sealed record FigureAnswer(string Month, string Service, string ServiceName, string Severity, int Alerts, int Answered, int Over, SpreadAnswer Detected, SpreadAnswer Acknowledged, SpreadAnswer Resolved);

    /// <param name="Rule">Null for alerts of other systems and people.</param>
    /// <param name="Acted">A person took it.</param>
    /// <param name="BySelf">Over before anybody did.</param>
    /// <param name="AtNight">From 22:00 to 07:00 in the page's zone.</param>
    public sealed record NoiseAnswer(string Month, string? Rule, string Name, int Fired, int Acted, int BySelf, int AtNight);

    /// <param name="Alerts">So many paged this person.</param>
    public sealed record PersonAnswer(string Month, string Person, int Alerts, int AtNight);

    public sealed record FiguresAnswer(IReadOnlyList<FigureAnswer> Figures, IReadOnlyList<NoiseAnswer> Noise, IReadOnlyList<PersonAnswer> People);

    public static void MapAlertFiguresApi(this IEndpointRouteBuilder api) =>
        api.MapGet("/alert-figures", Get).RequireAuthorization(nameof(Permission.ViewAlerts)).WithTags("Alerts")
            .WithSummary("MTTD, MTTA and MTTR by service, severity and month, and what fired for nothing; ?months= for more than the last 3").Produces<FiguresAnswer>();

    static async Task<FiguresAnswer> Get(HttpContext http, AlertFigures figures, CancellationToken ct, int months = 3)
    {
        var actor = http.User.ToActor();
        return new(
            [.. (await figures.Load(months, actor, ct)).Select(r => new FigureAnswer(r.Month, r.Service.ToString(), r.ServiceName, r.Severity.ToString(), r.Alerts, r.Answered, r.Over, SpreadAnswer.Of(r.Detected), SpreadAnswer.Of(r.Acknowledged), SpreadAnswer.Of(r.Resolved)))],
            [.. (await figures.LoadNoise(months, actor, ct)).Select(n => new NoiseAnswer(n.Month, n.Rule?.ToString(), n.Name, n.Fired, n.Acted, n.BySelf, n.AtNight))],
            [.. (await figures.LoadPeople(months, actor, ct)).Select(p => new PersonAnswer(p.Month, p.Person, p.Alerts, p.AtNight))]);
    }
}
