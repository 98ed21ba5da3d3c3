using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Features.Alerting;
using Portal.Tests.Support;

namespace Portal.Tests.Alerting;

public sealed class AlertPagesTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    static readonly TimeSpan Wait = TimeSpan.FromSeconds(20);
    readonly FakeClock clock = new();
    Service service = null!;

    public async Task InitializeAsync()
    {
        await Heard.Clear(database);
        service = await Heard.Service(database);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    StaffScreen Screen(Actor actor)
    {
        var screen = new StaffScreen(database, clock, actor);
        screen.Services.AddTransient<AcknowledgeAlert>().AddTransient<ResolveAlert>().AddTransient<UnacknowledgeAlert>().AddTransient<SnoozeAlert>().AddTransient<EscalateAlert>().AddTransient<ReassignAlert>().AddTransient<NoteOnAlert>()
            .AddTransient<CreateAlertRule>().AddTransient<ChangeAlertRule>().AddTransient<DeleteAlertRule>().AddTransient<MakeSilence>().AddTransient<EndSilence>().AddTransient<SilenceList>()
            .AddSingleton<RuleFigures>().AddSingleton<RulePreview>();
        return screen;
    }

    async Task<AlertId> Raise(string summary, Severity severity = Severity.P1)
    {
        await using var db = database.Open();
        var alert = new Alert(service.Id, new AlertSignal(SignalAction.Trigger, summary, severity, summary, "x", new([new AlertLabel("host", "db-7")])), clock.GetUtcNow());
        db.Add(alert);
        await db.SaveChangesAsync();
        return alert.Id;
    }

    async Task<Alert> Find(AlertId id)
    {
        await using var db = database.Open();
        return await db.Alerts.AsNoTracking().SingleAsync(a => a.Id == id);
    }

    [Fact]
    public async Task With_nothing_open_it_says_so_and_since_when_and_a_new_alert_appears_by_itself()
    {
        await using var screen = Screen(Cast.Bob);
        var page = screen.Render<AlertsPage>();
        page.WaitForState(() => page.Markup.Contains("No alert is open."), Wait);
        Assert.Contains("There has been none yet.", page.Markup);
        await Raise("The disk is full");
        screen.Hint("alerts");
        page.WaitForState(() => page.Markup.Contains("The disk is full"), Wait);
        Assert.Contains("Unanswered 1", page.Markup);
    }

    [Fact]
    public async Task One_click_acknowledges_and_several_are_resolved_together()
    {
        var ids = new[] { await Raise("One"), await Raise("Two"), await Raise("Three") };
        await using var screen = Screen(Cast.Bob);
        var page = screen.Render<AlertsPage>();
        page.WaitForState(() => page.FindAll("tbody tr").Count == 3, Wait);
        await page.Find("button[aria-label='Acknowledge: One']").ClickAsync(new());
        await Soon.Comes(async () => (await Find(ids[0])).AcknowledgedBy == "Bob", "an acknowledgement");
        page.WaitForState(() => page.Markup.Contains("Bob has it"), Wait);

        await page.Find("input[aria-label='Select all that are shown']").ChangeAsync(new ChangeEventArgs { Value = true });
        page.WaitForState(() => page.Markup.Contains("3 alerts"), Wait);
        await page.FindAll(".bulk button").First(b => b.TextContent == "Resolve").ClickAsync(new());
        await Soon.Comes(async () => !(await Find(ids[0])).IsOpen && !(await Find(ids[1])).IsOpen && !(await Find(ids[2])).IsOpen, "three ends");
        page.WaitForState(() => page.Markup.Contains("No alert is open.") && page.Markup.Contains("3 alerts are resolved."), Wait);
    }

    [Fact]
    public async Task Without_a_mouse_j_and_k_move_and_a_acknowledges()
    {
        var (older, newer) = (await Raise("Older"), default(AlertId));
        clock.FastForward(TimeSpan.FromMinutes(1));
        newer = await Raise("Newer");
        await using var screen = Screen(Cast.Bob);
        var page = screen.Render<AlertsPage>();
        page.WaitForState(() => page.FindAll("tbody tr").Count == 2, Wait);
        foreach (var key in new[] { "j", "j", "a" }) await page.Find(".table-wrap").KeyDownAsync(new Microsoft.AspNetCore.Components.Web.KeyboardEventArgs { Key = key });
        await Soon.Comes(async () => (await Find(older)).State == AlertState.Acknowledged, "an acknowledgement of the second");
        Assert.Equal(AlertState.Triggered, (await Find(newer)).State);
    }

    [Fact]
    public async Task Who_may_not_see_alerts_is_refused()
    {
        var id = await Raise("One");
        await Assert.ThrowsAsync<ForbiddenException>(() => new AlertBoard(database.Contexts).Load(new(), null, 10, Cast.Charlie, default));
        await Assert.ThrowsAsync<ForbiddenException>(() => new AlertRoom(database.Contexts).Load(id, Cast.Charlie, default));
        Assert.Single(await new AlertBoard(database.Contexts).Load(new(), null, 10, Cast.Bob, default));
    }

    [Fact]
    public async Task Filters_keep_what_they_say_and_parts_of_a_group_stand_in_their_head()
    {
        var (p0, p2) = (await Raise("Bad", Severity.P0), await Raise("Mild", Severity.P2));
        var other = await Heard.Service(database, "Other");
        await using (var db = database.Open())
        {
            var (head, part) = (await db.Alerts.SingleAsync(a => a.Id == p0), new Alert(service.Id, new AlertSignal(SignalAction.Trigger, "part", Severity.P1, "Part", "x", new([])), clock.GetUtcNow()));
            db.Add(part);
            part.Join(head, clock.GetUtcNow());
            (await db.Alerts.SingleAsync(a => a.Id == p2)).Acknowledge(Cast.Bob, clock.GetUtcNow());
            await db.SaveChangesAsync();
        }
        var board = new AlertBoard(database.Contexts);
        async Task<string> Shown(AlertBoard.Filter filter, Actor? actor = null) => string.Join(",", (await board.Load(filter, null, 10, actor ?? Cast.Alice, default)).Select(r => r.Summary).Order());
        Assert.Equal("Bad,Mild", await Shown(new()));
        Assert.Equal("Bad", await Shown(new(State: AlertState.Triggered)));
        Assert.Equal("Mild", await Shown(new(Severity: Severity.P2)));
        Assert.Equal("", await Shown(new(Service: other.Id)));
        Assert.Equal(("Mild", ""), (await Shown(new(Mine: true), Cast.Bob), await Shown(new(Mine: true))));
        Assert.Equal("", await Shown(new(Open: false)));
        Assert.Equal((1, 1), (await board.LoadCounts(default)) is var c ? (c.Triggered, c.Acknowledged) : default);
        var room = await new AlertRoom(database.Contexts).Load(p0, Cast.Bob, default);
        Assert.Equal("Part", Assert.Single(room.Members).Summary);
    }

    [Fact]
    public async Task The_page_of_an_alert_shows_what_is_known_and_acts()
    {
        var id = await Raise("The disk is full");
        await using var screen = Screen(Cast.Bob);
        var page = screen.Render<AlertPage>(p => p.Add(x => x.Key, id.ToString()));
        page.WaitForState(() => page.Markup.Contains("db-7"), Wait);
        Assert.Contains($"/ops/incidents/new?alert={id}", page.Markup);
        await page.FindAll("button").First(b => b.TextContent == "Acknowledge").ClickAsync(new());
        page.WaitForState(() => page.Markup.Contains("Bob has it") && page.Markup.Contains("Give it back"), Wait);
        await page.Find("textarea#note").ChangeAsync(new ChangeEventArgs { Value = "The disk arrives on Tuesday" });
        await page.Find("form.stack").SubmitAsync();
        page.WaitForState(() => page.Find("#timeline").ParentElement!.TextContent.Contains("The disk arrives on Tuesday"), Wait);
    }

    [Fact]
    public async Task A_rule_is_looked_at_before_it_is_made_and_what_is_wrong_with_it_is_said_beside_its_field()
    {
        await using var screen = Screen(Cast.Alice);
        var page = screen.Render<RulePage>();
        page.WaitForState(() => page.FindAll("#name").Count > 0, Wait);
        await page.Find("form").SubmitAsync();
        page.WaitForState(() => page.FindAll("#name-error").Count == 1, Wait);
        await page.FindAll("button").First(b => b.TextContent.StartsWith("See when", StringComparison.Ordinal)).ClickAsync(new());
        page.WaitForState(() => page.Markup.Contains("Nothing was measured of it in the last 7 days."), Wait);
        await page.Find("#name").ChangeAsync(new ChangeEventArgs { Value = "Errors" });
        await page.Find("#limit").ChangeAsync(new ChangeEventArgs { Value = "2,5" });
        await page.Find("form").SubmitAsync();
        await Soon.Comes(async () => { await using var db = database.Open(); return await db.AlertRules.CountAsync() == 1; }, "the rule");
        await using var read = database.Open();
        Assert.Equal(new RuleCondition(AlertRuleKind.Threshold, new([]), "error-rate", RuleComparison.Above, 2.5, 5), (await read.AlertRules.SingleAsync()).Condition);
    }

    [Fact]
    public async Task A_silence_of_the_like_of_an_alert_is_made_and_ended()
    {
        var id = await Raise("The disk is full");
        await using var screen = Screen(Cast.Bob);
        screen.Services.GetRequiredService<NavigationManager>().NavigateTo($"/ops/alerts/silences?from={id}");
        var page = screen.Render<SilencesPage>();
        page.WaitForState(() => page.FindAll("#labels").Count == 1, Wait);
        await page.Find("#reason").ChangeAsync(new ChangeEventArgs { Value = "It arrives on Tuesday" });
        await page.Find("form").SubmitAsync();
        page.WaitForState(() => page.Markup.Contains("Silenced."), Wait);
        await using (var db = database.Open())
        {
            var silence = await db.Silences.SingleAsync();
            Assert.True(silence.Covers([new("host", "db-7")], clock.GetUtcNow()));
            Assert.Equal(("Bob", clock.GetUtcNow().AddHours(4)), (silence.MadeBy, silence.To));
        }
        await page.FindAll("button").First(b => b.TextContent == "End it now").ClickAsync(new());
        page.WaitForState(() => page.Markup.Contains("Nothing is silenced."), Wait);
    }
}
