using Portal.Domain.Audit;
using Portal.Domain.Incidents;
using Portal.Domain.Maintenance;
using Portal.Domain.Shared;

namespace Portal.Infrastructure.Persistence.DemoData;

/// <summary>What the company announced and did: three are over, one is under way, one is to come.</summary>
static class DemoMaintenance
{
    const string Zone = "Europe/Berlin";
    static readonly Actor Mara = DemoIncidents.Person("Mara Lindqvist"), Priya = DemoIncidents.Person("Priya Nair");

    public static IEnumerable<MaintenanceWindow> Tell(DemoCompany company, DateTimeOffset now)
    {
        yield return Announce(company, Priya, "Invoice archive moves to new storage", "Invoices cannot be downloaded for about an hour and a half. They are mailed as usual, and none is lost.",
            company.At(61, 21, 0), 95, 15, company.At(66, 10), "invoices");

        var payouts = Announce(company, Mara, "Payouts: new interface of two banks", "Payouts to accounts at two banks are held for an hour and sent right afterwards.", company.At(22, 20, 0), 90, 0, company.At(27, 9), "payouts");
        payouts.Complete(Mara, company.At(22, 20, 55));
        company.Deeds.Add(new AuditEntry(Mara, "maintenance.ended", payouts.Id.ToString(), payouts.Title, company.At(22, 20, 55)));
        yield return payouts;

        yield return Announce(company, Priya, "Webhooks: queue servers replaced", "Events are delivered up to ten minutes late. None is lost.", company.At(7, 21, 0), 40, 10, company.At(11, 9), "webhooks");

        var storage = Announce(company, Priya, "File storage: disks replaced", "Uploads may fail for some minutes at a time; try again. What was uploaded before can be opened all the while.",
            now.AddMinutes(-38), 90, 20, now.AddDays(-5), "file-storage");
        Say(company, storage, Priya, "The first of two storage servers has its new disks and is back in service. We go on with the second one.", now.AddMinutes(-9));
        yield return storage;

        yield return Announce(company, Mara, "Database upgrade of the developer platform", "The API answers with 503 and Retry-After for up to five minutes within this time. Webhooks wait meanwhile and are sent afterwards.",
            company.At(-3, 21, 0), 60, 15, now.AddHours(-20), "public-api", "webhooks");
    }

    static MaintenanceWindow Announce(DemoCompany company, Actor by, string title, string message, DateTimeOffset starts, int minutes, int verify, DateTimeOffset announced, params string[] slugs)
    {
        var window = new MaintenanceWindow(new MaintenancePlan(title, message, starts, starts.AddMinutes(minutes), Zone, TimeSpan.FromMinutes(verify), [.. slugs.Select(s => company[s])]), by, announced);
        company.Deeds.Add(new AuditEntry(by, "maintenance.scheduled", window.Id.ToString(), title, announced));
        return window;
    }

    static void Say(DemoCompany company, MaintenanceWindow window, Actor by, string words, DateTimeOffset at)
    {
        window.Post(words, UpdateVisibility.Public, by, at);
        company.Deeds.Add(new AuditEntry(by, "maintenance.updated", window.Id.ToString(), $"{window.Title}: {words}", at));
    }
}
