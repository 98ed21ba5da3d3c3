using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Features.Jobs;
using Portal.Infrastructure.Jobs;
using Portal.Tests.Support;

namespace Portal.Tests.Jobs;

/// <summary>The screens of jobs, on a real database.</summary>
public sealed class JobPagesTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    readonly RunLedger ledger = new(database.Database, "node-a", TimeSpan.FromMinutes(5));

    public async Task InitializeAsync()
    {
        await using var db = database.Open();
        await db.Database.ExecuteSqlRawAsync("delete from job_runs; delete from job_schedules");
    }

    public Task DisposeAsync() => Task.CompletedTask;

    StaffScreen Screen(Actor actor) => new(database, TimeProvider.System, actor);

    async Task<JobRun> Queue(string subject, RunRules? rules = null, string kind = CheckDatabase.Kind)
    {
        await using var db = database.Open();
        var run = new JobRun(kind, subject, "{}", rules ?? new RunRules(), Cast.Alice, TimeProvider.System.GetUtcNow());
        db.Add(run);
        await db.SaveChangesAsync();
        return run;
    }

    async Task<ClaimedRun> Running(string subject, RunRules? rules = null)
    {
        var run = (await ledger.Claim((await Queue(subject, rules)).Id, default))!;
        await ledger.Renew(run, new RunProgress("Reading", 0.4, "public.monitors"), true, default);
        return run;
    }

    async Task<JobRun> Over(string subject, RunState state, string? result = null, string? error = null, string kind = CheckDatabase.Kind)
    {
        var run = await Queue(subject, kind: kind);
        await ledger.End((await ledger.Claim(run.Id, default))!, state, result, error, default);
        return run;
    }

    async Task<JobSchedule> Schedule(string subject, string cron = "30 3 * * 0")
    {
        await using var db = database.Open();
        var schedule = new JobSchedule(CheckDatabase.Kind, subject, "{}", cron, "Europe/Berlin", TimeProvider.System.GetUtcNow());
        db.Add(schedule);
        await db.SaveChangesAsync();
        return schedule;
    }

    static string Text(AngleSharp.Dom.IElement element) => System.Text.RegularExpressions.Regex.Replace(element.TextContent, @"\s+", " ").Trim();

    [Fact]
    public async Task Nothing_yet_says_what_will_stand_here()
    {
        await using var screen = Screen(Cast.Bob);
        var page = screen.Render<JobsPage>();
        page.WaitForAssertion(() => Assert.Equal(["running", "waiting", "schedules", "history", "nodes"], page.FindAll("[data-none]").Select(e => e.GetAttribute("data-none")!)));
    }

    [Fact]
    public async Task The_page_shows_what_runs_waits_is_expected_and_is_over_and_follows_it()
    {
        var run = await Running("The shop", new RunRules(3, Repeatable: true, Alone: "it"));
        await Queue("The next shop", new RunRules(Alone: "it"));
        await Schedule("Each Sunday");
        await Over("The old shop", RunState.Failed, error: "A page is <b>damaged</b>.");
        await using var screen = Screen(Cast.Bob);
        var page = screen.Render<JobsPage>();
        page.WaitForElement(".running li");
        var card = page.Find(".running li");
        Assert.Equal(("40", "Reading public.monitors"), (card.QuerySelector("progress")!.GetAttribute("value"), Text(card.QuerySelector(".run-progress .grow")!)));
        Assert.Contains("Attempt 1 of 3 on node-a, since", Text(card), StringComparison.Ordinal);
        Assert.Contains("when the one before it is done", page.Markup, StringComparison.Ordinal);
        Assert.Contains("every Sunday at 03:30 Europe/Berlin", page.Markup, StringComparison.Ordinal);
        Assert.Equal(5, page.FindAll(".next-times li").Count);
        Assert.All(page.FindAll(".next-times time"), t => Assert.Matches(@"^Sun \d+ \w+, 03:30$", t.TextContent));
        Assert.Contains("A page is &lt;b&gt;damaged&lt;/b&gt;.", page.Markup, StringComparison.Ordinal);
        Assert.Contains("works on 1 job", page.Markup, StringComparison.Ordinal);
        // Who may only look is offered nothing else.
        Assert.Equal([$"Log of The shop"], page.FindAll("button").Select(b => b.GetAttribute("aria-label")!));

        page.Find("button[aria-label='Log of The shop']").Click();
        page.WaitForAssertion(() => Assert.Contains("It has not written anything yet.", page.Markup, StringComparison.Ordinal));
        await ledger.Write(run, [(TimeProvider.System.GetUtcNow(), "41 tables")], default);
        screen.Hint($"job:{run.Id}");
        page.WaitForAssertion(() => Assert.EndsWith("41 tables", Text(page.Find(".run-log li")), StringComparison.Ordinal));
        await ledger.Renew(run, new RunProgress("Reading", 0.7, "public.audit"), true, default);
        screen.Hint("jobs");
        page.WaitForAssertion(() => Assert.Equal("70", page.Find("progress").GetAttribute("value")));
        await ledger.End(run, RunState.Succeeded, null, null, default);
        screen.Hint("jobs");
        page.WaitForAssertion(() =>
        {
            Assert.Empty(page.FindAll(".running li"));
            Assert.Equal(["The old shop", "The shop"], page.FindAll("[aria-labelledby=history] td.wide a").Select(a => a.TextContent));
            Assert.Contains("as soon as a node is free", page.Markup, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task An_administrator_cancels_repeats_runs_pauses_and_resumes()
    {
        var run = await Running("Works");
        await Queue("Waits");
        var schedule = await Schedule("Weekly");
        await using var screen = Screen(Cast.Alice);
        var page = screen.Render<JobsPage>();
        page.WaitForElement("button[aria-label='Cancel Works']").Click();
        page.WaitForAssertion(() => Assert.Contains("It is asked to stop, ends as soon as it heeds that", page.Find("dialog").TextContent, StringComparison.Ordinal));
        Assert.Equal("Let it run", page.Find("dialog [data-cancel]").TextContent);
        page.Find("dialog form").Submit();
        page.WaitForAssertion(() =>
        {
            Assert.Empty(page.FindAll("dialog"));
            Assert.Contains("Being cancelled", page.Find(".running li").TextContent, StringComparison.Ordinal);
            Assert.Contains("Alice asked it to stop", page.Find(".running li").TextContent, StringComparison.Ordinal);
            Assert.Empty(page.FindAll("button[aria-label='Cancel Works']"));
        });

        page.Find("button[aria-label='Cancel Waits']").Click();
        page.WaitForAssertion(() => Assert.Contains("It has not begun, so nothing is lost.", page.Find("dialog").TextContent, StringComparison.Ordinal));
        // Meanwhile it ended otherwise.
        await using (var db = database.Open()) await db.Database.ExecuteSqlRawAsync("update job_runs set state = 'Missed', ended_at = now() where subject = 'Waits'");
        page.Find("dialog form").Submit();
        page.WaitForAssertion(() => Assert.Contains("It is over already.", page.Find("dialog [role=alert]").TextContent, StringComparison.Ordinal));
        page.Find("dialog [data-cancel]").Click();
        screen.Hint("jobs");
        // A button rests while an action is on its way, and a person cannot press it then; found and pressed between two renders.
        Task Press(string label) => Soon.Comes(async () =>
        {
            var pressed = false;
            await page.InvokeAsync(() =>
            {
                if (page.FindAll($"button[aria-label='{label}']:not([disabled])") is not [var button]) return;
                pressed = true;
                button.Click();
            });
            return pressed;
        }, $"the button {label}");
        await Press("Run Waits again");
        page.WaitForAssertion(() => Assert.StartsWith("Waits is queued.", Text(page.Find(".notice.success")), StringComparison.Ordinal));

        await Press("Run Weekly now");
        page.WaitForAssertion(() => Assert.StartsWith("Weekly is queued.", Text(page.Find(".notice.success")), StringComparison.Ordinal));
        await Press("Pause Weekly");
        await Press("Resume Weekly");
        page.WaitForElement("button[aria-label='Pause Weekly']:not([disabled])");
        await using var after = database.Open();
        Assert.Equal((null, true), (await after.JobSchedules.Where(s => s.Id == schedule.Id).Select(s => s.PausedAt).SingleAsync(), await after.JobRuns.AnyAsync(r => r.Subject == "Weekly" && r.RequestedBy == "Alice")));
        Assert.NotNull((await JobRig.Find(database, run.Id)).CancelAskedAt);
        Assert.Equal(["job.cancelled", "job.queued", "job.queued", "schedule.paused", "schedule.resumed"], await after.Audit.Where(a => a.ActorName == "Alice").OrderByDescending(a => a.Sequence).Take(5).OrderBy(a => a.Sequence).Select(a => a.Action).ToListAsync());
    }

    [Fact]
    public async Task The_history_is_filtered_by_the_address_and_goes_on_part_by_part()
    {
        for (var i = 0; i < 55; i++) await Over($"Well {i}", RunState.Succeeded);
        await Over("Ill", RunState.Failed, error: "Why.");
        await Over("Other", RunState.Failed, kind: "of-the-past");
        await using var screen = Screen(Cast.Bob);
        var navigation = screen.Services.GetRequiredService<NavigationManager>();
        IEnumerable<string> Shown(IRenderedComponent<JobsPage> page) => page.FindAll("[aria-labelledby=history] td.wide a").Select(a => a.TextContent);
        var page = screen.Render<JobsPage>();
        page.WaitForAssertion(() => Assert.Equal(50, Shown(page).Count()));
        page.Find(".pager button").Click();
        page.WaitForAssertion(() =>
        {
            Assert.Equal(57, Shown(page).Distinct().Count());
            Assert.Empty(page.FindAll(".pager button"));
        });
        page.Find("#state").Change("failed");
        page.WaitForAssertion(() => Assert.Equal(["Other", "Ill"], Shown(page)));
        Assert.EndsWith("/admin/jobs?state=failed", navigation.Uri, StringComparison.Ordinal);
        page.Find("#kind").Change(CheckDatabase.Kind);
        page.WaitForAssertion(() => Assert.Equal(["Ill"], Shown(page)));
        navigation.NavigateTo("/admin/jobs?kind=of-the-past");
        page.WaitForAssertion(() => Assert.Equal(["Other"], Shown(page)));
        Assert.Equal("of-the-past", page.Find("#kind option[selected]").TextContent);
        navigation.NavigateTo("/admin/jobs?state=missed");
        page.WaitForAssertion(() => Assert.Contains("No job matches.", page.Markup, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_job_has_a_page_with_its_sentence_facts_and_log_and_can_be_run_again_from_there()
    {
        await using var screen = Screen(Cast.Alice);
        IRenderedComponent<JobPage> Page(JobRunId id) => screen.Render<JobPage>(p => p.Add(x => x.Key, id.ToString()));
        var run = await Running("The shop", new RunRules(2, Repeatable: true));
        await ledger.Write(run, [.. Enumerable.Range(1, 1_005).Select(i => (TimeProvider.System.GetUtcNow(), $"line {i}"))], default);
        var page = Page(run.Id);
        page.WaitForAssertion(() => Assert.Equal(1_000, page.FindAll(".run-log li").Count));
        Assert.Contains("The last 1000 lines.", page.Markup, StringComparison.Ordinal);
        Assert.EndsWith("line 1005", Text(page.FindAll(".run-log li")[^1]), StringComparison.Ordinal);
        Assert.Contains("it is begun again elsewhere", page.Markup, StringComparison.Ordinal);
        Assert.Empty(page.FindAll("#sentence"));
        await ledger.Write(run, [(TimeProvider.System.GetUtcNow(), "the last one")], default);
        await ledger.End(run, RunState.Succeeded, """{"tables":41,"rows":1234,"checksums":true}""", null, default);
        screen.Hint($"job:{run.Id}");
        page.WaitForAssertion(() =>
        {
            Assert.Matches(@"^Check of the database \(The shop\) succeeded on .* UTC after .*: 1,234 rows of 41 tables were read to their end, and no checksum was wrong\.$", page.Find("#sentence").TextContent);
            Assert.EndsWith("the last one", Text(page.FindAll(".run-log li")[^1]), StringComparison.Ordinal);
        });
        Assert.Contains(page.FindAll(".facts dd"), d => d.TextContent == "1,234");

        page.FindAll("button").Single(b => b.TextContent == "Run again").Click();
        var navigation = screen.Services.GetRequiredService<NavigationManager>();
        page.WaitForAssertion(() => Assert.Matches("/admin/jobs/[0-9a-f]{32}$", navigation.Uri));
        var again = Page(new JobRunId(Guid.ParseExact(navigation.Uri[^32..], "N")));
        again.WaitForElement($".facts a[href='/admin/jobs/{run.Id}']");
        again.FindAll("button").Single(b => b.TextContent == "Cancel…").Click();
        again.WaitForElement("dialog form").Submit();
        again.WaitForAssertion(() => Assert.EndsWith("UTC, before it began.", again.Find("#sentence").TextContent, StringComparison.Ordinal));

        var none = Page(new JobRunId(Guid.CreateVersion7()));
        none.WaitForAssertion(() => Assert.Contains("job", none.Find("[role=alert]").TextContent, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_overview_names_what_works_and_what_comes_next()
    {
        await Running("The shop");
        await Schedule("Hourly", "0 * * * *");
        await Schedule("Yearly", "0 0 1 1 *");
        await using var screen = Screen(Cast.Bob);
        var card = screen.Render<NextJobsCard>();
        card.WaitForAssertion(() => Assert.Equal(["The shop", "Hourly", "Yearly"], card.FindAll(".lines a").Select(a => a.TextContent)));
        Assert.Contains("Reading · 40 %", card.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_bar_tells_how_long_a_phase_still_takes_once_it_has_seen_some_of_it()
    {
        var (clock, run) = (new FakeClock(), await Running("The shop"));
        await using var screen = new StaffScreen(database, clock, Cast.Bob);
        async Task<JobRun> At(string phase, double? share)
        {
            await ledger.Renew(run, new RunProgress(phase, share, null), true, default);
            return await JobRig.Find(database, run.Id);
        }
        var begun = await JobRig.Find(database, run.Id);
        var bar = screen.Render<RunProgressBar>(p => p.Add(b => b.Run, begun));
        async Task<string> Shown(string phase, double? share)
        {
            var now = await At(phase, share);
            bar.Render(p => p.Add(b => b.Run, now));
            return Text(bar.Find(".num"));
        }
        Assert.Equal("40 %", Text(bar.Find(".num")));
        clock.FastForward(TimeSpan.FromSeconds(60));
        Assert.Equal("60 % · about 2 min left", await Shown("Reading", 0.6));
        Assert.Equal("10 %", await Shown("Writing", 0.1));
        Assert.Equal("", await Shown("Writing", null));
        Assert.False(bar.Find("progress").HasAttribute("value"));
    }
}
