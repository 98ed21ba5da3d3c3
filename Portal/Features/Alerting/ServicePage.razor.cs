using System.Globalization;
using Microsoft.AspNetCore.Components;
using Portal.Components;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.StatusPages;
using Portal.Hosting;

namespace Portal.Features.Alerting;

/// <summary>Makes or edits a service, and hands out the key under which programs raise its alerts.</summary>
public sealed partial class ServicePage
{
    static readonly string[] Fields = ["name", "slug", "description", "policies", "times", "zone", "groupFor", "acknowledgedFor", "components"];
    static readonly DayOfWeek[] Days = [DayOfWeek.Monday, DayOfWeek.Tuesday, DayOfWeek.Wednesday, DayOfWeek.Thursday, DayOfWeek.Friday, DayOfWeek.Saturday, DayOfWeek.Sunday];

    RuleChoices.View? choices;
    IReadOnlyList<(ComponentId Id, string Name)> components = [];
    Draft? draft;
    uint? version;
    string? key, told;
    bool busy, renewing;

    [Inject] ServiceList List { get; set; } = null!;
    [Inject] RuleChoices Choices { get; set; } = null!;
    [Inject] ComponentStatuses Statuses { get; set; } = null!;
    [Inject] CreateService Create { get; set; } = null!;
    [Inject] ChangeService Change { get; set; } = null!;
    [Inject] RenewRoutingKey RenewKey { get; set; } = null!;
    [Inject] PortalOptions Options { get; set; } = null!;
    [Inject] NavigationManager Navigation { get; set; } = null!;
    [Parameter] public string? Key { get; set; }

    string Heading => Key is null ? "New service" : draft?.Title ?? "Service";

    ServiceId Id => Domain.Shared.Id.Parse<ServiceId>(Key, "service");

    protected override Task OnInitializedAsync() => Fetch(async () =>
    {
        var actor = await CurrentActor();
        choices = await Choices.Load(actor, Left);
        components = [.. (await Statuses.Load(Left)).Components.Select(c => (c.Id, c.Name))];
        if (draft is not null) return;
        if (Key is null) draft = new() { Zone = Options.Public.TimeZone.Id };
        else await Take(actor);
    });

    async Task Take(Actor actor)
    {
        var service = await List.LoadOne(Id, actor, Left);
        (draft, version) = (Draft.Of(service, Options.Public.TimeZone.Id), service.Version);
    }

    void Set(DayOfWeek day, bool on)
    {
        if (on) draft!.On.Add(day);
        else draft!.On.Remove(day);
    }

    void Name(ComponentId id, bool on)
    {
        if (on) draft!.Components.Add(id);
        else draft!.Components.Remove(id);
    }

    async Task Save()
    {
        var done = await Act(async actor =>
        {
            if (Key is null) await Create.Execute(draft!.Settings, actor, Left);
            else await Change.Execute(Id, draft!.Settings, version, actor, Left);
        });
        if (done) Navigation.NavigateTo("/ops/alerts/services");
    }

    Task<bool> Reveal() => Act(async actor => key = key is null ? await List.LoadKey(Id, actor, Left) : null);

    async Task Renew()
    {
        var done = await Act(async actor =>
        {
            await RenewKey.Execute(Id, actor, Left);
            key = await List.LoadKey(Id, actor, Left);
            version = (await List.LoadOne(Id, actor, Left)).Version;
        });
        if (done) (renewing, told) = (false, "The key is renewed. Give the new one to whatever raises alerts of this service.");
    }

    async Task<bool> Act(Func<Actor, Task> action)
    {
        if (busy) return false;
        busy = true;
        told = null;
        var done = await Try(async () => await action(await CurrentActor()));
        busy = false;
        return done;
    }

    /// <summary>What stands in the form, as it was typed.</summary>
    sealed class Draft
    {
        public const string Always = "always", Working = "working", AsBefore = "before";

        public string Title { get; init; } = "";
        public string? Name { get; set; }
        public string? Slug { get; set; }
        public string? Description { get; set; }
        public string?[] Policies { get; init; } = new string?[Enum.GetValues<Severity>().Length];
        public string Hours { get; set; } = Always;
        public SupportHours? Kept { get; init; }
        public TimeOnly From { get; set; } = new(9, 0);
        public TimeOnly Until { get; set; } = new(17, 0);
        public string? Zone { get; set; }
        public HashSet<DayOfWeek> On { get; init; } = [.. Days.Take(5)];
        public string? GroupFor { get; set; } = "5";
        public string? AcknowledgedFor { get; set; } = "60";
        public string DeclareFrom { get; set; } = "";
        public List<ComponentId> Components { get; init; } = [];

        public static Draft Of(Service service, string zone)
        {
            var spans = service.Hours?.Times.Spans;
            // The form knows the same hours on some days; whatever else a program set is kept as it is.
            var simple = spans is null || WeeklyTimes.On(spans.Select(s => s.From.Day), spans[0].From.At, spans[0].To.At).Spans.Equals(spans);
            return new()
            {
                Title = service.Name,
                Name = service.Name,
                Slug = service.Slug,
                Description = service.Description,
                Policies = [.. Enum.GetValues<Severity>().Select(s => service.Policies.Of(s)?.ToString())],
                Hours = spans is null ? Always : simple ? Working : AsBefore,
                Kept = simple ? null : service.Hours,
                From = simple && spans is not null ? spans[0].From.At : new(9, 0),
                Until = simple && spans is not null ? spans[0].To.At : new(17, 0),
                Zone = service.Hours?.Zone ?? zone,
                On = simple && spans is not null ? [.. spans.Select(s => s.From.Day)] : [.. Days.Take(5)],
                GroupFor = service.GroupFor.ToString(CultureInfo.InvariantCulture),
                AcknowledgedFor = service.AcknowledgedFor?.ToString(CultureInfo.InvariantCulture),
                DeclareFrom = service.DeclareFrom?.ToString() ?? "",
                Components = [.. service.Components],
            };
        }

        public ServiceSettings Settings => new(Name ?? "", Slug, Description, new(Policy(Severity.P0), Policy(Severity.P1), Policy(Severity.P2), Policy(Severity.P3)),
            Hours switch { Always => null, AsBefore => Kept, _ => new SupportHours(WeeklyTimes.On(Days.Where(On.Contains), From, Until), Zone ?? "") },
            string.IsNullOrWhiteSpace(AcknowledgedFor) ? null : Whole(AcknowledgedFor, "acknowledgedFor"), Whole(GroupFor, "groupFor"), DeclareFrom.Length == 0 ? null : Enum.Parse<Severity>(DeclareFrom), Components);

        EscalationPolicyId? Policy(Severity severity) => Policies[(int)severity] is { Length: > 0 } id ? Domain.Shared.Id.Parse<EscalationPolicyId>(id, "policy") : null;

        static int Whole(string? typed, string field) =>
            int.TryParse(typed, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : throw new DomainException("Enter a whole number of minutes.", field);
    }
}
