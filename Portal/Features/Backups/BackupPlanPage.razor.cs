using System.Globalization;
using Microsoft.AspNetCore.Components;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Hosting;

namespace Portal.Features.Backups;

/// <summary>Writes a plan, and says while it is typed what it can and cannot promise.</summary>
public sealed partial class BackupPlanPage
{
    static readonly string[] Fields = ["name", "target", "stores", "cron", "zone", "targetLossMinutes", "atLeast", "hourly", "daily", "weekly", "monthly", "days", "gzipLevel", "verifyTo"];
    static readonly (string Words, string Cron)[] Rhythms = [("Every 15 minutes", "*/15 * * * *"), ("Every hour", "17 * * * *"), ("Every day at 02:00", "0 2 * * *"), ("Every Sunday at 02:00", "0 2 * * 0"), ("On the first of each month at 02:00", "0 2 1 * *")];
    static readonly IReadOnlyList<string> Zones = [.. TimeZoneInfo.GetSystemTimeZones().Select(z => z.Id)];

    readonly HashSet<BackupStoreId> stores = [];
    BackupPlaces.View places = new([], []);
    PlanList.Row? row;
    string? name, target, cron = "17 * * * *", zone, loss = "15", atLeast, hourly, daily, weekly, monthly, days, gzip = "9";
    VerificationLevel verifyTo = VerificationLevel.Archive;
    bool ready, busy, paused, tellsSuccess, deleting;

    [Inject] PlanList Plans { get; set; } = null!;
    [Inject] BackupPlaces Places { get; set; } = null!;
    [Inject] CreatePlan Create { get; set; } = null!;
    [Inject] ChangePlan Change { get; set; } = null!;
    [Inject] DeletePlan Delete { get; set; } = null!;
    [Inject] PortalOptions Options { get; set; } = null!;
    [Inject] NavigationManager Navigation { get; set; } = null!;
    [Inject] TimeProvider Clock { get; set; } = null!;

    [Parameter] public string? Key { get; set; }

    string Title => Key is null ? "New backup plan" : row?.Plan.Name ?? "Backup plan";

    string Rhythm => Rhythms.FirstOrDefault(r => r.Cron == cron?.Trim()).Cron ?? "";

    protected override async Task OnInitializedAsync() => await Fetch(async () =>
    {
        var actor = await CurrentActor();
        places = await Places.Load(actor, Left);
        if (Key is not null) row = (await Plans.Load(actor, Left)).SingleOrDefault(r => r.Plan.Id.ToString() == Key) ?? throw new NotFoundException("plan");
        Fill();
        ready = true;
    });

    void Fill()
    {
        zone = row?.Schedule.Zone ?? Options.Public.TimeZone.Id;
        Show(row?.Plan.Retention ?? Retention.Standard);
        stores.UnionWith(row?.Plan.Stores ?? places.Stores.Where(s => s.Store.IsConfigured).Select(s => s.Store.Id));
        if (row is not { } existing) return;
        (name, target, cron, paused, tellsSuccess) = (existing.Plan.Name, existing.Plan.TargetId.ToString(), existing.Schedule.Cron, existing.Schedule.PausedAt is not null, existing.Plan.TellsSuccess);
        (loss, gzip, verifyTo) = (Text(existing.Plan.TargetLossMinutes), Text(existing.Plan.GzipLevel), existing.Plan.VerifyTo);
    }

    void Show(Retention r) => (atLeast, hourly, daily, weekly, monthly, days) = (Text(r.AtLeast), Text(r.Hourly), Text(r.Daily), Text(r.Weekly), Text(r.Monthly), Text(r.Days));

    static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    void SetRhythm(string? chosen)
    {
        if (!string.IsNullOrEmpty(chosen)) cron = chosen;
    }

    void Choose(BackupStoreId store, bool chosen)
    {
        if (chosen) stores.Add(store);
        else stores.Remove(store);
    }

    /// <summary>Null while what is typed is no time.</summary>
    JobSchedule? Schedule
    {
        get
        {
            try
            {
                return new JobSchedule(BackUp.Kind, "", "{}", cron ?? "", zone ?? "", Clock.GetUtcNow());
            }
            catch (DomainException)
            {
                return null;
            }
        }
    }

    IEnumerable<PlanWarning> Warnings(JobSchedule schedule)
    {
        var takes = row?.Runs.Longest;
        var chosen = places.Stores.Select(s => s.Store).Where(s => stores.Contains(s.Id)).ToList();
        var now = Clock.GetUtcNow();
        // Whether a restore was ever proven is no matter of how a plan is written.
        return PlanLint.Of(PlanLint.MostLoss(schedule, now, takes), takes, int.TryParse(loss, CultureInfo.InvariantCulture, out var minutes) ? minutes : 15, chosen, paused, now, now);
    }

    PlanRequest Request() => new(name ?? "", Id.TryParse<BackupTargetId>(target, out var id) ? id : default, [.. stores], cron ?? "", zone ?? "", Whole(gzip, "gzipLevel"), verifyTo,
        new(Whole(atLeast, "atLeast"), Whole(hourly, "hourly"), Whole(daily, "daily"), Whole(weekly, "weekly"), Whole(monthly, "monthly"), Whole(days, "days")), Whole(loss, "targetLossMinutes"), paused, tellsSuccess);

    static int Whole(string? text, string field) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new DomainException("A whole number is needed.", field);

    async Task Save()
    {
        if (busy) return;
        busy = true;
        var saved = await Try(async () =>
        {
            if (row is { } existing) await Change.Execute(existing.Plan.Id, Request(), existing.Plan.Version, await CurrentActor(), Left);
            else await Create.Execute(Request(), await CurrentActor(), Left);
        });
        busy = false;
        if (saved) Navigation.NavigateTo("/admin/backups");
    }

    async Task DeleteIt()
    {
        if (row is not { } existing) return;
        if (await Try(async () => await Delete.Execute(existing.Plan.Id, await CurrentActor(), Left))) Navigation.NavigateTo("/admin/backups");
    }
}
