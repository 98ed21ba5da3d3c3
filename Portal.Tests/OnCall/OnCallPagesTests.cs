using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portal.Domain.Access;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Features.OnCall;
using Portal.Hosting;
using Portal.Tests.Support;
using static Portal.Tests.OnCall.Crew;

namespace Portal.Tests.OnCall;

/// <summary>The screens of on-call, on a real database.</summary>
public sealed class OnCallPagesTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    static readonly TimeSpan Wait = TimeSpan.FromSeconds(20);
    readonly FakeClock clock = new(At("2026-03-02T12:00Z"));
    PagerRig rig = null!;
    PersonId ann, ben;
    OnCallSchedule schedule = null!;

    public async Task InitializeAsync()
    {
        rig = new(database, clock);
        await rig.Clear();
        (ann, ben) = (await rig.Person("Ann"), await rig.Person("Ben"));
        var rotation = await rig.Add(new Rotation("Weekly", "UTC", Local("2026-03-02T09:00"), HandOvers.Daily(), [ann, ben], rig.Now));
        schedule = await rig.Add(new OnCallSchedule("Primary", "UTC", [new("Days", rotation.Id, null, WeekText.Spans("Mon–Sat 00:00–23:59", "x"))], rig.Now));
    }

    public Task DisposeAsync() => Task.CompletedTask;

    StaffScreen Screen(Actor actor)
    {
        var screen = new StaffScreen(database, clock, actor);
        screen.Services.AddSingleton(Configured.Shipped).AddSingleton(new PortalAddress(Configured.Shipped, null));
        return screen;
    }

    static string Text(AngleSharp.Dom.IElement element) => System.Text.RegularExpressions.Regex.Replace(element.TextContent, @"\s+", " ").Trim();

    [Fact]
    public async Task Who_is_on_call_until_when_who_comes_next_and_where_nobody_is_stand_there()
    {
        await using var screen = Screen(Cast.Bob);
        var page = screen.Render<OnCallPage>();
        page.WaitForAssertion(() =>
        {
            var card = Text(page.Find("[data-schedule=Primary]"));
            Assert.Contains("Ann until Mon 2 Mar, 23:59 UTC", card, StringComparison.Ordinal);
            Assert.Contains("Then nobody, from Mon 2 Mar, 23:59 UTC", card, StringComparison.Ordinal);
            Assert.Contains("times in the next 30 days, first Mon 2 Mar, 23:59", card, StringComparison.Ordinal);
        }, Wait);
        Assert.Contains("Ann has no verified contact", Text(page.Find("#unreachable")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Somebody_takes_over_with_two_presses_and_everybody_sees_it()
    {
        await using var screen = Screen(Cast.Bob with { Id = ben.Value, Name = "Ben" });
        var page = screen.Render<OnCallPage>();
        page.WaitForAssertion(() => Assert.Equal("Take over", Text(page.Find("[data-schedule=Primary] .thumbs .primary"))), Wait);
        await page.Find("[data-schedule=Primary] .thumbs .primary").ClickAsync(new Microsoft.AspNetCore.Components.Web.MouseEventArgs());
        await page.WaitForElement("dialog form", Wait).SubmitAsync();
        page.WaitForAssertion(() => Assert.Contains("Ben is on call in Primary, Mon 2 Mar, 12:00 – 23:59 UTC.", Text(page.Find("[role=status]")), StringComparison.Ordinal), Wait);
        Assert.Contains("Ben until", Text(page.Find("[data-schedule=Primary]")), StringComparison.Ordinal);
        await using var db = database.Open();
        var made = await db.Set<OnCallOverride>().SingleAsync();
        Assert.Equal((ann, ben, rig.Now, At("2026-03-02T23:59Z")), (made.Remove, made.Add, made.From, made.To));
    }

    [Fact]
    public async Task A_schedule_shows_its_days_and_a_draft_what_it_would_be()
    {
        await using var screen = Screen(Cast.Alice);
        var page = screen.Render<SchedulePage>(p => p.Add(x => x.Key, schedule.Id.ToString()));
        page.WaitForAssertion(() => Assert.Equal(14, page.FindAll(".on-call-days > li").Count), Wait);
        Assert.Contains("Nobody", Text(page.FindAll(".on-call-days > li")[6]), StringComparison.Ordinal);

        var editor = screen.Render<ScheduleEditor>(p => p.Add(x => x.Key, schedule.Id.ToString()));
        editor.WaitForAssertion(() => Assert.Contains("Nobody would be on call", editor.Markup, StringComparison.Ordinal), Wait);
        await editor.Find("#layer-only-0").ChangeAsync(new ChangeEventArgs { Value = "" });
        Assert.Contains("Somebody is on call at every moment of the next 30 days", editor.Markup, StringComparison.Ordinal);
        await editor.Find("#layer-only-0").ChangeAsync(new ChangeEventArgs { Value = "now and then" });
        Assert.Contains("is no time of the week", editor.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_policy_is_read_in_words_with_what_is_wrong_with_it_and_changed_step_by_step()
    {
        var policy = await rig.Policy(1, PagerRig.Step(5, EscalationTarget.Of(schedule.Id)), PagerRig.Step(10, EscalationTarget.Of(ben)));
        await using var screen = Screen(Cast.Alice);
        var list = screen.Render<PoliciesPage>();
        list.WaitForAssertion(() => Assert.Equal(["Tells whoever is on call in Primary, and goes on after 5 min.", "Tells Ben, and begins again after 10 min."], list.FindAll(".steps li").Select(Text)), Wait);
        Assert.Contains("Step 1: nobody is on call in Primary from 2 Mar, 23:59 UTC", list.Markup, StringComparison.Ordinal);

        var editor = screen.Render<PolicyEditor>(p => p.Add(x => x.Key, policy.Id.ToString()));
        editor.WaitForAssertion(() => Assert.Equal(4, editor.FindAll(".planned li").Count), Wait);
        Assert.Contains("Ann by mail", Text(editor.FindAll(".planned li")[0]), StringComparison.Ordinal);
        await editor.Find("#repeat").ChangeAsync(new ChangeEventArgs { Value = "0" });
        Assert.Equal(2, editor.FindAll(".planned li").Count);
        await editor.Find("#delay-0").ChangeAsync(new ChangeEventArgs { Value = "soon" });
        Assert.Contains("Write whole numbers", editor.Markup, StringComparison.Ordinal);
        await editor.Find("#delay-0").ChangeAsync(new ChangeEventArgs { Value = "7" });
        await editor.Find("form").SubmitAsync();
        await using var db = database.Open();
        Assert.Equal((2, 7, 0), await db.EscalationPolicies.AsNoTracking().SingleAsync(p => p.Id == policy.Id) is var saved ? (saved.Current.Number, saved.Current.Steps[0].DelayMinutes, saved.Current.Repeat) : default);
    }

    [Fact]
    public async Task A_rotation_shows_its_next_turns_before_it_is_saved()
    {
        await using var screen = Screen(Cast.Alice);
        var editor = screen.Render<RotationEditor>();
        editor.WaitForAssertion(() => Assert.Contains("With nobody in it", editor.Markup, StringComparison.Ordinal), Wait);
        await editor.Find("#name").ChangeAsync(new ChangeEventArgs { Value = "Nights" });
        await editor.Find("#zone").ChangeAsync(new ChangeEventArgs { Value = "UTC" });
        await editor.Find("#add").ChangeAsync(new ChangeEventArgs { Value = ann.ToString() });
        await editor.Find("#add").ChangeAsync(new ChangeEventArgs { Value = ben.ToString() });
        Assert.Contains("Ann Mon 2 Mar, 12:00 – Mon 9 Mar, 09:00 UTC", string.Join(" ", editor.FindAll("ul.lines li").Select(Text)), StringComparison.Ordinal);
        await editor.Find("form").SubmitAsync();
        await using var db = database.Open();
        Assert.Equal([ann, ben], (await db.Rotations.AsNoTracking().SingleAsync(r => r.Name == "Nights")).Participants);
    }
}
