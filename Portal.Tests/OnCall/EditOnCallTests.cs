using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Domain.Access;
using Portal.Domain.Alerting;
using Portal.Domain.Notifications;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Features.OnCall;
using Portal.Tests.Support;
using static Portal.Tests.OnCall.Crew;

namespace Portal.Tests.OnCall;

/// <summary>What people change of on-call, who may, and what is refused.</summary>
public sealed class EditOnCallTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    readonly FakeClock clock = new(At("2026-03-02T12:00Z"));
    PagerRig rig = null!;
    PersonId ann, ben, cat;

    EditRotations Rotations => new(database.Contexts, clock);
    EditOnCallSchedules Schedules => new(database.Contexts, clock);
    StandIns StandIns => new(database.Contexts, clock);
    EditPolicies Policies => new(database.Contexts, clock);
    OnCallUpkeep Upkeep => new(database.Contexts, new(), null!, clock, NullLogger<OnCallUpkeep>.Instance);

    public async Task InitializeAsync()
    {
        rig = new(database, clock);
        await rig.Clear();
        (ann, ben, cat) = (await rig.Person("Ann"), await rig.Person("Ben"), await rig.Person("Cat"));
    }

    public Task DisposeAsync() => Task.CompletedTask;

    /// <summary>Daily at 09:00 UTC: Ann has the first of March, Ben the second, Cat the third.</summary>
    async Task<OnCallScheduleId> Daily()
    {
        var rotation = await Rotations.Make(new("Primary", "UTC", Local("2026-03-01T09:00"), HandOverRhythm.Daily, 1, null, [ann, ben, cat]), Cast.Alice, default);
        return await Schedules.Make(new("Primary", "UTC", [new("All", rotation, null)]), Cast.Alice, default);
    }

    async Task<OnCallDesk.View> Look() => await new OnCallDesk(database.Contexts).Load(new(rig.Now, rig.Now.AddDays(40)), Cast.Bob, default);

    async Task<PersonId?> OnCall(OnCallScheduleId schedule, string at) => (await Look()).Rosters.OnCallAt(schedule, At(at)).Select(p => (PersonId?)p).SingleOrDefault();

    [Fact]
    public async Task An_override_puts_somebody_on_call_and_taking_it_back_ends_it()
    {
        var id = await Daily();
        Assert.Equal(ben, await OnCall(id, "2026-03-02T13:00Z"));
        var made = await StandIns.Override(new(id, Time("2026-03-02T12:00Z", "2026-03-02T18:00Z"), ben, cat), Cast.Bob, default);
        Assert.Equal(cat, await OnCall(id, "2026-03-02T13:00Z"));
        Assert.Equal(ben, await OnCall(id, "2026-03-02T18:00Z"));
        clock.FastForward(TimeSpan.FromHours(2));
        await StandIns.Withdraw(id, made, Cast.Bob, default);
        Assert.Equal(ben, await OnCall(id, "2026-03-02T14:00Z"));
        await using var db = database.Open();
        Assert.Equal(["Primary, Mon 2 Mar, 12:00 – 18:00 UTC: Cat instead of Ben"], await db.Audit.Where(a => a.Action == "override.made" && a.Subject == id.ToString()).Select(a => a.Summary).ToListAsync());
        Assert.Single(await db.Audit.Where(a => a.Action == "override.withdrawn" && a.Subject == id.ToString()).ToListAsync());
    }

    [Fact]
    public async Task Two_who_give_the_same_shift_away_at_once_cannot_both()
    {
        var id = await Daily();
        Shift mine = new(cat, Time("2026-03-03T09:00Z", "2026-03-04T09:00Z")), anns = new(ann, Time("2026-03-04T09:00Z", "2026-03-05T09:00Z")), bens = new(ben, Time("2026-03-05T09:00Z", "2026-03-06T09:00Z"));
        var tried = await Task.WhenAll(new[] { anns, bens }.Select(other => Task.Run(async () => await Record.ExceptionAsync(() => StandIns.Swap(id, mine, other, Cast.Bob, default)))));
        Assert.Single(tried, e => e is null);
        Assert.Equal("mine", Assert.IsType<DomainException>(tried.Single(e => e is not null)).Field);
        var has = await OnCall(id, "2026-03-03T12:00Z");
        Assert.NotEqual(cat, has);
        Assert.Equal(cat, await OnCall(id, has == ann ? "2026-03-04T12:00Z" : "2026-03-05T12:00Z"));
    }

    [Fact]
    public async Task A_temporary_schedule_says_all_while_it_lasts()
    {
        var id = await Daily();
        var made = await StandIns.Plan(id, Time("2026-03-10T00:00Z", "2026-03-11T00:00Z"), [new(ann, Time("2026-03-10T00:00Z", "2026-03-10T12:00Z"))], Cast.Alice, default);
        Assert.Equal(ann, await OnCall(id, "2026-03-10T05:00Z"));
        Assert.Null(await OnCall(id, "2026-03-10T15:00Z"));
        await Assert.ThrowsAsync<ForbiddenException>(() => StandIns.Withdraw(id, made, Cast.Bob, default));
        await StandIns.Withdraw(id, made, Cast.Alice, default);
        Assert.NotNull(await OnCall(id, "2026-03-10T15:00Z"));
    }

    [Fact]
    public async Task Who_may_what()
    {
        var id = await Daily();
        await Assert.ThrowsAsync<ForbiddenException>(() => StandIns.Override(new(id, Time("2026-03-02T12:00Z", "2026-03-02T18:00Z"), ben, cat), Cast.Charlie, default));
        await Assert.ThrowsAsync<ForbiddenException>(() => Rotations.Make(new("R", "UTC", Local("2026-03-01T09:00"), HandOverRhythm.Daily, 1, null, []), Cast.Bob, default));
        await Assert.ThrowsAsync<ForbiddenException>(() => Schedules.Delete(id, Cast.Bob, default));
        await Assert.ThrowsAsync<ForbiddenException>(() => Policies.Make(new("P", [], 0), Cast.Bob, default));
        await Assert.ThrowsAsync<ForbiddenException>(() => new OnCallDesk(database.Contexts).Load(new(rig.Now, rig.Now), Cast.Charlie, default));
    }

    [Fact]
    public async Task What_is_in_use_is_not_deleted_and_what_others_changed_is_not_overwritten()
    {
        var id = await Daily();
        var rotation = (await Look()).Rotations.Single();
        var policy = await Policies.Make(new("Critical", [PagerRig.Step(5, EscalationTarget.Of(id))], 0), Cast.Alice, default);
        Assert.Contains("Primary uses this rotation", (await Assert.ThrowsAsync<DomainException>(() => Rotations.Delete(rotation.Id, Cast.Alice, default))).Message, StringComparison.Ordinal);
        Assert.Contains("Critical tells whoever", (await Assert.ThrowsAsync<DomainException>(() => Schedules.Delete(id, Cast.Alice, default))).Message, StringComparison.Ordinal);

        var seen = (await Look()).Policies.Single();
        await Policies.Change(policy, stands => stands with { Steps = [PagerRig.Step(9, EscalationTarget.Of(ann))] }, seen.Version, Cast.Alice, default);
        var conflict = await Assert.ThrowsAsync<ConflictException>(() => Policies.Change(policy, stands => stands with { Name = "Other" }, seen.Version, Cast.Alice, default));
        Assert.Contains("version 2", conflict.Current, StringComparison.Ordinal);

        var alert = await rig.Trigger((await Look()).Policies.Single());
        Assert.Contains("open alert", (await Assert.ThrowsAsync<DomainException>(() => Policies.Delete(policy, Cast.Alice, default))).Message, StringComparison.Ordinal);
        await rig.On(alert, (a, e) => { a.Resolve(null, rig.Now); e.Resolve(rig.Now); });
        await Policies.Delete(policy, Cast.Alice, default);
        await Schedules.Delete(id, Cast.Alice, default);
        await Rotations.Delete(rotation.Id, Cast.Alice, default);
        Assert.Empty((await Look()).Rotations);
    }

    [Fact]
    public async Task A_policy_that_a_service_goes_by_stays()
    {
        var policy = await Policies.Make(new("Critical", [PagerRig.Step(5, EscalationTarget.Of(ann))], 0), Cast.Alice, default);
        await rig.Add(new Service(new("Shop", "shop", null, new(null, policy, null, null), null, null, 0, null, []), [9], [1], rig.Now));
        Assert.Contains("Shop pages by this policy", (await Assert.ThrowsAsync<DomainException>(() => Policies.Delete(policy, Cast.Alice, default))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_is_gone_cannot_be_named_anew()
    {
        await using (var db = database.Open())
        {
            (await db.People.SingleAsync(p => p.Id == cat)).Deactivate(rig.Now);
            await db.SaveChangesAsync();
        }
        var id = await Schedules.Make(new("Empty", "UTC", []), Cast.Alice, default);
        Assert.Equal("add", (await Assert.ThrowsAsync<DomainException>(() => StandIns.Override(new(id, Time("2026-03-02T12:00Z", "2026-03-02T18:00Z"), null, cat), Cast.Bob, default))).Field);
        Assert.Equal("participants", (await Assert.ThrowsAsync<DomainException>(() => Rotations.Make(new("R", "UTC", Local("2026-03-01T09:00"), HandOverRhythm.Daily, 1, null, [cat]), Cast.Alice, default))).Field);
        Assert.Equal("layers", (await Assert.ThrowsAsync<DomainException>(() => Schedules.Change(id, s => s with { Layers = [new("L", new RotationId(Guid.CreateVersion7()), null)] }, null, Cast.Alice, default))).Field);
        Assert.Equal("steps", (await Assert.ThrowsAsync<DomainException>(() => Policies.Make(new("P", [PagerRig.Step(0, new EscalationTarget(EscalationTargetKind.Channel, Guid.CreateVersion7()))], 0), Cast.Alice, default))).Field);
    }

    [Fact]
    public async Task Whose_shift_begins_is_told_once_by_mail_unless_they_do_not_want_it()
    {
        await Daily();
        await Upkeep.TellOfShifts(default);
        Assert.Equal(["ben@example.com"], await Told());
        var first = (await rig.Deliveries()).Single();
        Assert.Equal((DeliveryPurpose.HandOver, null, "You are on call: Primary"), (first.Purpose, first.AlertId, first.Title));
        Assert.Contains("began on Mon 2 Mar, 09:00 UTC and ends on Tue 3 Mar, 09:00 UTC", first.Body, StringComparison.Ordinal);
        await Upkeep.TellOfShifts(default);
        clock.FastForward(TimeSpan.FromDays(1));
        await Task.WhenAll(Upkeep.TellOfShifts(default), Upkeep.TellOfShifts(default));
        Assert.Equal(["ben@example.com", "cat@example.com"], await Told());
        await new OwnShifts(database.Contexts, clock).Tell(false, Cast.Alice with { Id = ann.Value }, default);
        clock.FastForward(TimeSpan.FromDays(1));
        await Upkeep.TellOfShifts(default);
        Assert.Equal(2, (await Told()).Count());
    }

    async Task<IEnumerable<string>> Told() => (await rig.Deliveries()).Select(d => d.Address).Order();

    [Fact]
    public async Task A_calendar_has_my_shifts_under_an_address_that_can_be_renewed()
    {
        await Daily();
        var own = new OwnShifts(database.Contexts, clock);
        var me = Cast.Bob with { Id = ben.Value };
        var calendar = new ShiftCalendar(database.Contexts, clock);
        var address = await own.RenewCalendar(me, default);
        var secret = address["/on-call/".Length..^".ics".Length];
        var text = (await calendar.Load(secret, default))!;
        Assert.StartsWith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", text, StringComparison.Ordinal);
        Assert.Contains("DTSTART:20260302T090000Z\r\nDTEND:20260303T090000Z\r\nSUMMARY:On call: Primary\r\n", text, StringComparison.Ordinal);
        Assert.Equal(31, text.Split("BEGIN:VEVENT").Length - 1);
        Assert.All(text.Split("\r\n"), line => Assert.True(System.Text.Encoding.UTF8.GetByteCount(line) <= 75, line));
        Assert.Null(await calendar.Load(secret[..^1] + (secret[^1] == 'A' ? 'B' : 'A'), default));
        await own.RenewCalendar(me, default);
        Assert.Null(await calendar.Load(secret, default));
        await using var db = database.Open();
        Assert.DoesNotContain(secret, string.Join(' ', await db.Audit.Select(a => a.Summary + a.Subject).ToListAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_draft_is_asked_before_it_is_saved()
    {
        var id = await Daily();
        var view = await Look();
        var policy = new EscalationPolicy("Draft", [PagerRig.Step(5, EscalationTarget.Of(id)), PagerRig.Step(0, EscalationTarget.Of(cat))], 0, "x", rig.Now).Current;
        Assert.Equal(["Ben 12:00", "Cat 12:05"], view.Plan(policy, rig.Now).Select(p => $"{view.NameOf(p.Person!.Value)} {p.At:HH:mm}"));
        var draft = view.Draft("UTC", [new("Only Ann", null, ann)], view.Rosters.Schedules.Single());
        Assert.Equal(["Ann 12:00", "Cat 12:05"], view.Plan(policy, rig.Now, new Dictionary<OnCallScheduleId, Roster> { [id] = draft }).Select(p => $"{view.NameOf(p.Person!.Value)} {p.At:HH:mm}"));
        Assert.Equal(3, view.Check(policy, rig.Now).Count(f => f.Fault == PathFault.UnverifiedContacts));
    }

    [Theory]
    [InlineData("Mon–Fri 09:00–17:00", "Mon–Fri 09:00–17:00")]
    [InlineData("mon-friday 9:00 - 17:00; Saturday 10:00-12:30", "Mon–Fri 09:00–17:00, Sat 10:00–12:30")]
    [InlineData("Fri 17:00–Mon 09:00", "Fri 17:00–Mon 09:00")]
    [InlineData("Mon-Thu 17:00-09:00", "Mon–Thu 17:00–09:00")]
    [InlineData("", "")]
    public void Times_of_the_week_are_read_as_they_are_written(string text, string again)
    {
        var times = WeekText.Spans(text, "layers");
        Assert.Equal(again, WeekText.Of(times));
        Assert.Equal(times, WeekText.Spans(WeekText.Of(times), "layers"));
    }

    [Theory]
    [InlineData("Mon 9–17")]
    [InlineData("every day")]
    [InlineData("Mon–Fri 25:00–26:00")]
    [InlineData("Mon–Tue 09:00–Wed 10:00")]
    public void What_is_no_time_of_the_week_is_refused_with_its_words(string text) => Assert.Equal("layers", Assert.Throws<DomainException>(() => WeekText.Spans(text, "layers")).Field);
}
