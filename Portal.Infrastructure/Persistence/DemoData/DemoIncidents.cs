using Portal.Domain.Audit;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using static Portal.Domain.Incidents.IncidentStatus;
using static Portal.Domain.StatusPages.ComponentStatus;

namespace Portal.Infrastructure.Persistence.DemoData;

/// <summary>What went wrong at the company in ninety days, and what it told its customers.</summary>
static class DemoIncidents
{
    static readonly Actor Mara = Person("Mara Lindqvist"), Jonas = Person("Jonas Weber"), Priya = Person("Priya Nair");

    /// <param name="After">Minutes after the beginning.</param>
    /// <param name="Effects">What it says of components from then on.</param>
    sealed record Said(int After, IncidentStatus Status, string Text, params (string Slug, ComponentStatus Status)[] Effects);

    /// <param name="Seen">What the monitor of the first component found meanwhile; null where no monitor saw it.</param>
    sealed record Story(int DaysAgo, int Hour, string Title, Severity Severity, Actor By, (int? Code, string Detail)? Seen, params Said[] Updates);

    static readonly Story[] Past =
    [
        new(86, 9, "Sign-in slow for customers in Asia", Severity.P2, Mara, null,
            new(4, Investigating, "Signing in takes up to 20 seconds for customers in Asia. Everyone who is signed in already can go on working.", ("sign-in", DegradedPerformance)),
            new(22, Identified, "One of our providers routes traffic through a distant data centre. We are moving it to another route."),
            new(41, IncidentStatus.Monitoring, "The new route is in place and sign-in is back to its usual speed. We keep watching it.", ("sign-in", Operational)),
            new(75, Resolved, "Sign-in has been at its usual speed for half an hour.")),
        new(79, 14, "Card payments declined by one bank network", Severity.P1, Jonas, (503, "The answer was 503, expected 200-399."),
            new(5, Investigating, "About one card payment in four is declined although the card is fine. No card is charged twice.", ("card-payments", PartialOutage)),
            new(18, Identified, "A bank network answers with errors. We are sending payments through our second provider."),
            new(33, IncidentStatus.Monitoring, "Payments go through the second provider and succeed. Declined bookings can be paid again now.", ("card-payments", DegradedPerformance)),
            new(94, Resolved, "The bank network works again and all payments take their usual way. Bookings that could not be paid were kept for 24 hours.")),
        new(73, 7, "Invoices sent late", Severity.P3, Priya, null,
            new(10, Identified, "Invoices of last night have not been mailed yet. They can be downloaded from the booking as usual.", ("invoices", DegradedPerformance)),
            new(160, Resolved, "All invoices have been mailed. None was sent twice.")),
        new(64, 16, "Search shows no results for new offers", Severity.P2, Mara, null,
            new(6, Investigating, "Offers that were added since 15:30 UTC cannot be found yet. Existing offers are not affected.", ("search", DegradedPerformance)),
            new(25, Identified, "The index stopped taking in new offers after an update. We have taken the update back."),
            new(58, IncidentStatus.Monitoring, "The index is catching up; most new offers can be found."),
            new(87, Resolved, "All offers can be found again.")),
        new(55, 12, "Web app and mobile app unavailable", Severity.P0, Jonas, (null, "The connection was refused."),
            new(3, Investigating, "The web app and the mobile app cannot be reached. We are looking into it with everyone we have.", ("web-app", MajorOutage), ("mobile-app", MajorOutage), ("public-api", DegradedPerformance)),
            new(14, Identified, "A faulty certificate was rolled out to our load balancers. We are putting the previous one back."),
            new(23, IncidentStatus.Monitoring, "Both apps can be reached again. Some customers may have to reload the page.", ("web-app", DegradedPerformance), ("mobile-app", DegradedPerformance), ("public-api", Operational)),
            new(38, Resolved, "Everything has worked normally for a quarter of an hour. No bookings were lost; payments that were under way were completed."),
            new(2_900, Postmortem, "A certificate for a test domain was rolled out to production because both shared one configuration. They are separate now, a certificate is tried on one balancer before it goes to all, and a failed try takes itself back.")),
        new(47, 20, "Webhooks delayed", Severity.P2, Priya, null,
            new(8, Investigating, "Events reach partners' systems up to 15 minutes late. None is lost.", ("webhooks", DegradedPerformance)),
            new(29, Identified, "One partner's system answers very slowly and holds up the queue. It gets a queue of its own."),
            new(52, Resolved, "All waiting events have been delivered and new ones arrive within seconds.")),
        new(38, 10, "Payouts of 3 banks delayed by a day", Severity.P2, Jonas, null,
            new(15, Identified, "Payouts to accounts at three banks will arrive tomorrow instead of today: the banks' file transfer is down for maintenance that was not announced to us.", ("payouts", DegradedPerformance)),
            new(380, IncidentStatus.Monitoring, "The files have been accepted. The payouts will arrive tomorrow morning."),
            new(1_350, Resolved, "All payouts have arrived.")),
        new(33, 18, "Uploads of pictures fail", Severity.P1, Mara, (502, "The answer was 502, expected 200-399."),
            new(4, Investigating, "New pictures and documents cannot be uploaded. Those that were uploaded before are shown as usual.", ("file-storage", PartialOutage)),
            new(16, Identified, "A storage server has failed, and its replacement does not take over as it should. We are doing it by hand."),
            new(44, IncidentStatus.Monitoring, "Uploads work again.", ("file-storage", Operational)),
            new(78, Resolved, "Uploads have worked for half an hour. The take-over is now tried every week.")),
        new(24, 13, "API answers slowly", Severity.P2, Priya, null,
            new(7, Investigating, "The public API needs about three seconds an answer instead of the usual tenth. Requests succeed.", ("public-api", DegradedPerformance)),
            new(21, Identified, "A report that runs once a month uses the same database. We have stopped it."),
            new(30, Resolved, "The API is as fast as usual. The report has been moved to a copy of the database.")),
        new(17, 8, "Sign-in by text message code not possible", Severity.P1, Jonas, null,
            new(5, Investigating, "Codes by text message do not arrive. Signing in with an authenticator app or a security key works.", ("sign-in", PartialOutage)),
            new(19, Identified, "Our provider for text messages has an outage. We are switching to our second one."),
            new(36, IncidentStatus.Monitoring, "New codes are sent through the second provider and arrive.", ("sign-in", Operational)),
            new(70, Resolved, "Codes have been arriving within seconds. Accounts that were locked after too many tries have been unlocked.")),
        new(9, 15, "Some bookings shown twice in the mobile app", Severity.P3, Mara, null,
            new(12, Investigating, "The mobile app lists some bookings twice. They exist once and are charged once.", ("mobile-app", DegradedPerformance)),
            new(95, Identified, "The cause is in version 8.4 of the app. A corrected version is on its way to the stores."),
            new(420, Resolved, "Version 8.4.1 is in both stores and shows each booking once.")),
        new(4, 6, "Search unavailable", Severity.P1, Priya, (503, "The answer was 503, expected 200-399."),
            new(3, Investigating, "Searching shows an error. Bookings, payments and everything that was found before work.", ("search", MajorOutage)),
            new(15, Identified, "The search servers ran out of memory after tonight's import. We are starting them one after the other."),
            new(24, IncidentStatus.Monitoring, "Search answers again, at first a little slower than usual.", ("search", DegradedPerformance)),
            new(46, Resolved, "Search is as fast as usual. The import now runs in smaller parts.")),
    ];

    static readonly Story Active = new(0, 0, "Card payments take longer than usual", Severity.P2, Jonas, null,
        new(5, Investigating, "Card payments take up to 30 seconds. They succeed; please do not pay a second time.", ("card-payments", DegradedPerformance)),
        new(24, Identified, "Our payment provider is working on a slow connection between two of its sites. We have moved a third of all payments to our second provider and are moving more."));

    public static IEnumerable<Incident> Tell(DemoCompany company, DateTimeOffset now)
    {
        foreach (var story in Past)
        {
            var began = company.At(story.DaysAgo, story.Hour);
            if (story.Seen is { } seen) company.AddOutage(story.Updates[0].Effects[0].Slug, began, story.Updates.First(u => u.Status == IncidentStatus.Monitoring).After, seen.Code, seen.Detail);
            yield return Tell(story, company, began);
        }
        var active = Tell(Active, company, now.AddMinutes(-47));
        active.Promise(now.AddMinutes(25), now);
        yield return active;
    }

    static Incident Tell(Story story, DemoCompany company, DateTimeOffset began)
    {
        var incident = new Incident(story.Title, story.Severity, null, began, began.AddMinutes(story.Updates[0].After));
        foreach (var said in story.Updates)
        {
            var (at, wasResolved) = (began.AddMinutes(said.After), incident.IsResolved);
            incident.Post(said.Status, said.Text, UpdateVisibility.Public, [.. said.Effects.Select(e => new ComponentChange(company[e.Slug], e.Status))], story.By, at);
            company.Deeds.Add(said == story.Updates[0] ? new AuditEntry(story.By, "incident.declared", incident.Id.ToString(), $"{incident.Severity} {incident.Title}", at)
                : new AuditEntry(story.By, incident.IsResolved && !wasResolved ? "incident.resolved" : "incident.updated", incident.Id.ToString(), $"{incident.Title}: {said.Text}", at));
        }
        return incident;
    }

    public static Actor Person(string name) => new(ActorKind.Person, null, name, new HashSet<Permission>());
}
