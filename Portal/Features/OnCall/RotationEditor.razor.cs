using System.Globalization;
using Microsoft.AspNetCore.Components;
using Portal.Domain.Access;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;

namespace Portal.Features.OnCall;

public sealed partial class RotationEditor
{
    static readonly string[] Fields = ["name", "zone", "start", "rhythm", "times", "every", "participants"];
    static readonly (HandOverRhythm Value, string Words)[] Rhythms =
    [
        (HandOverRhythm.Hourly, "by hours"), (HandOverRhythm.Daily, "by days"), (HandOverRhythm.Weekly, "by weeks"), (HandOverRhythm.Monthly, "by months"), (HandOverRhythm.Minutes, "by minutes"), (HandOverRhythm.WeekTimes, "at times of the week"),
    ];

    readonly List<PersonId> people = [];
    OnCallDesk.View? view;
    Rotation? saved;
    IReadOnlyList<Shift> turns = [];
    HandOverRhythm rhythm = HandOverRhythm.Weekly;
    string? name, zone, times, added, wrong;
    string? every = "1";
    DateTime? start;
    bool busy, asking;

    [Parameter] public string? Key { get; set; }

    string Heading => Key is null ? "New rotation" : $"Change {saved?.Name ?? "rotation"}";

    string Unit => rhythm switch { HandOverRhythm.Hourly => "hours", HandOverRhythm.Daily => "days", HandOverRhythm.Weekly => "weeks", HandOverRhythm.Monthly => "months", _ => "minutes" };

    protected override async Task OnInitializedAsync() => await Fetch(async () =>
    {
        var now = Clock.GetUtcNow();
        view = await Desk.Load(new(now, now.AddDays(1)), await CurrentActor(), Left);
        saved = Key is null ? null : view.Rotations.FirstOrDefault(r => r.Id == Domain.Shared.Id.Parse<RotationId>(Key, "rotation")) ?? throw new NotFoundException("rotation");
        (name, zone) = (saved?.Name, saved?.Zone ?? Options.Public.TimeZone.Id);
        var monday = ZoneClock.Wall(now, ZoneClock.Zone(zone)).Date;
        start = saved?.Start ?? monday.AddDays(-(((int)monday.DayOfWeek + 6) % 7)).AddHours(9);
        if (saved is not null) (rhythm, every, times) = (saved.HandOvers.Rhythm, saved.HandOvers.Every.ToString(CultureInfo.InvariantCulture), WeekText.Of(saved.HandOvers.Times));
        people.Clear();
        people.AddRange(saved?.Participants ?? []);
        Preview();
    });

    EditRotations.Request Read() => new(name, zone, start, rhythm, rhythm == HandOverRhythm.WeekTimes ? 1 : int.TryParse(every, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : throw new DomainException("Write a number.", "every"),
        WeekText.Times(rhythm == HandOverRhythm.WeekTimes ? times : "", "times"), [.. people]);

    /// <summary>As it would be if it were saved now: whoever is on duty stays so.</summary>
    void Preview()
    {
        try
        {
            var (now, wanted) = (Clock.GetUtcNow(), Read());
            var begins = wanted.Start ?? throw new DomainException("Say when the first turn begins.", "start");
            var draft = saved is null ? new Rotation("Draft", zone ?? "", begins, wanted.HandOvers, people, now)
                : new Rotation("Draft", saved.Zone, saved.Start, saved.HandOvers, saved.Participants, now);
            if (saved?.OnDutyAt(now) is { } duty) draft.PutOnDuty(duty, now);
            if (saved is not null) draft.Change("Draft", zone ?? "", begins, wanted.HandOvers, people, now);
            (turns, wrong) = ([.. draft.Shifts(now, now.AddDays(370)).Take(8)], null);
        }
        catch (DomainException e)
        {
            wrong = e.Message;
        }
    }

    void Add()
    {
        if (Domain.Shared.Id.TryParse<PersonId>(added, out var person)) people.Add(person);
        added = null;
        Preview();
    }

    void Up(int at)
    {
        (people[at - 1], people[at]) = (people[at], people[at - 1]);
        Preview();
    }

    void Drop(int at)
    {
        people.RemoveAt(at);
        Preview();
    }

    async Task Act(Func<Actor, Task> action)
    {
        if (busy) return;
        busy = true;
        var done = await Try(async () => await action(await CurrentActor()));
        busy = false;
        if (done) Navigation.NavigateTo("/ops/on-call/rotations");
    }

    Task Save() => Act(async actor =>
    {
        var request = Read();
        if (saved is null) await Edit.Make(request, actor, Left);
        else await Edit.Change(saved.Id, _ => request, saved.Version, actor, Left);
    });

    Task Delete() => Act(actor => Edit.Delete(saved!.Id, actor, Left));
}
