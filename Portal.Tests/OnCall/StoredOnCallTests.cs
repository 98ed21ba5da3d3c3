using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Features.OnCall;
using Portal.Tests.Support;
using static Portal.Tests.OnCall.Crew;

namespace Portal.Tests.OnCall;

/// <summary>What is stored of on-call is what was meant, and only what is needed of it is read.</summary>
public sealed class StoredOnCallTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    static readonly DateTimeOffset Now = At("2026-03-02T12:00Z");
    readonly FakeClock clock = new(Now);
    readonly PagerRig rig = new(database, new FakeClock(Now));

    public Task InitializeAsync() => rig.Clear();

    public Task DisposeAsync() => Task.CompletedTask;

    public static TheoryData<HandOverRhythm, int> Rhythms => new() { { HandOverRhythm.Hourly, 8 }, { HandOverRhythm.Daily, 1 }, { HandOverRhythm.Weekly, 2 }, { HandOverRhythm.Monthly, 3 }, { HandOverRhythm.Minutes, 95 }, { HandOverRhythm.WeekTimes, 1 } };

    [Theory]
    [MemberData(nameof(Rhythms))]
    public async Task A_rotation_of_every_rhythm_comes_back_and_says_the_same_people_for_the_same_times(HandOverRhythm rhythm, int every)
    {
        WeekTime[] times = [On(DayOfWeek.Monday, "09:00"), On(DayOfWeek.Friday, "17:30")];
        var made = new Rotation("Primary", "Europe/Berlin", Local("2026-01-05T09:00"), HandOvers.Of(rhythm, every, rhythm == HandOverRhythm.WeekTimes ? times : null), [Ann, Ben, Cat, Ann], Now);
        made.PutOnDuty(Cat, Now);
        await rig.Add(made);

        await using var db = database.Open();
        var read = await db.Rotations.SingleAsync(r => r.Id == made.Id);
        Assert.Equal((made.Name, made.Zone, made.Start, made.HandOvers, made.First, made.CreatedAt), (read.Name, read.Zone, read.Start, read.HandOvers, read.First, read.CreatedAt));
        Assert.Equal(made.Participants, read.Participants);
        Assert.Equal(made.Shifts(Now, Now.AddDays(60)).Select(Words), read.Shifts(Now, Now.AddDays(60)).Select(Words));
        Assert.False(db.ChangeTracker.HasChanges());
        read.Change("Primary", "Europe/Berlin", made.Start, made.HandOvers, [Ben, Dan], Now);
        Assert.True(db.ChangeTracker.HasChanges());
    }

    [Fact]
    public async Task A_schedule_comes_back_with_its_layers_overrides_swaps_and_temporary_schedules()
    {
        var rotation = await rig.Add(Rotating(HandOvers.Daily(), "2026-01-01T09:00", "Europe/Berlin", Ann, Ben, Cat));
        var schedule = new OnCallSchedule("Primary", "Europe/Berlin",
            [new("Days", null, Dan, WeeklyTimes.Weekdays(new(9, 0), new(17, 0))), new("Rest", rotation.Id, null)], Now);
        schedule.Override(Time("2026-03-03T00:00Z", "2026-03-03T06:00Z"), Ann, Eve, "Alice", Now);
        schedule.Override(Time("2026-03-04T00:00Z", "2026-03-05T00:00Z"), null, Eve, "Alice", Now.AddSeconds(1));
        schedule.Plan(Time("2026-03-10T00:00Z", "2026-03-11T00:00Z"), [new(Ben, Time("2026-03-10T00:00Z", "2026-03-10T12:00Z"))], "Alice", Now);
        var nights = schedule.Roster(rotation).Shifts(Now.AddDays(10), Now.AddDays(20)).Where(s => s.Person != Dan).ToList();
        await rig.Add(schedule);

        await using var db = database.Open();
        var rosters = await Rosters.Load(db, new(Now, Now.AddDays(30)), null, default);
        var read = rosters.Schedules.Single();
        Assert.Equal((schedule.Name, schedule.Zone, schedule.CreatedAt), (read.Name, read.Zone, read.CreatedAt));
        Assert.Equal(schedule.Layers, read.Layers);
        Assert.Equal(schedule.Temporaries.Single().Shifts, read.Temporaries.Single().Shifts);
        Assert.Equal(schedule.Roster(rotation).Stretches(Now, Now.AddDays(30)).Select(Line), rosters[schedule.Id]!.Stretches(Now, Now.AddDays(30)).Select(Line));
        Assert.NotEmpty(nights);
    }

    static string Line(Stretch stretch) => $"{Words(stretch.Time)} {string.Join(",", stretch.People)}";

    [Fact]
    public async Task A_policy_keeps_all_its_versions_and_an_escalation_all_its_marks()
    {
        var ann = await rig.Person("Ann");
        var policy = new EscalationPolicy("Critical", [PagerRig.Step(5, EscalationTarget.Of(ann), new(EscalationTargetKind.Schedule, Guid.CreateVersion7())), PagerRig.Step(10, new EscalationTarget(EscalationTargetKind.ContactGroup, Guid.CreateVersion7()))], 3, "Alice", Now);
        policy.Change([PagerRig.Step(7, EscalationTarget.Of(ann))], 0, "Bob", Now.AddDays(1));
        await rig.Add(policy);
        var id = await rig.Trigger(policy);
        await rig.On(id, (_, e) =>
        {
            e.Fire(policy.Current, Now);
            e.Acknowledge(Now.AddMinutes(1), Cast.Bob, Now.AddHours(1));
        });

        await using var db = database.Open();
        var read = await db.EscalationPolicies.SingleAsync(p => p.Id == policy.Id);
        Assert.Equal(policy.Versions, read.Versions);
        Assert.Equal(policy.Numbered(1), read.Numbered(1));
        Assert.False(db.ChangeTracker.HasChanges());
        var escalation = await rig.Escalation(id);
        Assert.Equal((policy.Id, 2, EscalationState.Acknowledged, 1, 0, 1), (escalation.PolicyId, escalation.PolicyNumber, escalation.State, escalation.Position, escalation.LastPosition, escalation.Fired));
        Assert.Equal((Now.AddHours(1), Now, "Bob", Now.AddMinutes(1)), (escalation.NextAt, escalation.FiredAt, escalation.AcknowledgedBy, escalation.FirstHumanAt));
    }

    [Fact]
    public async Task What_is_long_over_is_not_read_with_a_schedule()
    {
        var schedule = Schedule(Layer(Ann));
        for (var day = 1; day <= 400; day++) schedule.Override(new(Now.AddDays(-500 + day), Now.AddDays(-500 + day).AddHours(4)), Ann, Ben, "x", Now.AddDays(-600));
        for (var week = 1; week <= 20; week++) schedule.Plan(new(Now.AddDays(-300 + week * 7), Now.AddDays(-299 + week * 7)), [new(Ben, new(Now.AddDays(-300 + week * 7), Now.AddDays(-299 + week * 7)))], "x", Now.AddDays(-600));
        var coming = schedule.Override(new(Now.AddDays(2), Now.AddDays(3)), Ann, Cat, "x", Now);
        var later = schedule.Override(new(Now.AddDays(60), Now.AddDays(61)), Ann, Cat, "x", Now);
        await rig.Add(schedule);

        await using var db = database.Open();
        var month = (await Rosters.Load(db, new(Now, Now.AddDays(30)), [schedule.Id], default)).Schedules.Single();
        Assert.Equal([coming.Id], month.Overrides.Select(o => o.Id));
        Assert.Empty(month.Temporaries);
        var open = await Rosters.Open(db, schedule.Id, Now, default);
        Assert.Equal([coming.Id, later.Id], open.Overrides.Select(o => o.Id).Order(Comparer<OnCallOverrideId>.Create((a, b) => a == coming.Id ? -1 : 1)));
    }

    [Fact]
    public async Task Rotations_of_the_first_start_get_everybody_as_they_come_until_somebody_changes_them()
    {
        var first = FirstOnCall.Of([], "Europe/Berlin", "Portal", Now);
        foreach (var rotation in first.Rotations) await rig.Add(rotation);
        var upkeep = new OnCallUpkeep(database.Contexts, new(), null!, clock, Microsoft.Extensions.Logging.Abstractions.NullLogger<OnCallUpkeep>.Instance);
        async Task<string> OnDuty()
        {
            await upkeep.Fill(default);
            await using var db = database.Open();
            var people = await db.People.ToDictionaryAsync(p => p.Id, p => p.Name);
            var rotations = await db.Rotations.ToListAsync();
            return string.Join(" ", first.Rotations.Select(r => rotations.Single(x => x.Id == r.Id)).Select(r => r.OnDutyAt(Now) is { } id ? people[id] : "-"));
        }
        Assert.Equal("- - -", await OnDuty());
        var ann = await rig.Person("Ann", Role.Admin);
        Assert.Equal("Ann Ann Ann", await OnDuty());
        var ben = await rig.Person("Ben");
        Assert.Equal("Ann Ben Ann", await OnDuty());
        await rig.Person("Cat");
        Assert.Equal("Ann Ben Cat", await OnDuty());

        await using (var db = database.Open())
        {
            (await db.Rotations.SingleAsync(r => r.Id == first.Rotations[1].Id)).Change("Secondary", "Europe/Berlin", first.Rotations[1].Start, HandOvers.Weekly(), [ben], Now);
            (await db.People.SingleAsync(p => p.Id == ann)).Deactivate(Now);
            await db.SaveChangesAsync();
        }
        await rig.Person("Dan");
        await OnDuty();
        await using var after = database.Open();
        var all = await after.Rotations.ToDictionaryAsync(r => r.Id, r => r.Participants.Count);
        Assert.Equal([3, 1, 3], first.Rotations.Select(r => all[r.Id]));
    }
}
