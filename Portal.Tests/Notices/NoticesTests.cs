using Bunit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portal.Domain.Access;
using Portal.Domain.Audit;
using Portal.Domain.Notifications;
using Portal.Domain.Shared;
using Portal.Features.Notices;
using Portal.Infrastructure.Notifications;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Support;

namespace Portal.Tests.Notices;

public sealed class NoticesTests : IAsyncLifetime
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    readonly TestDatabase database = new();
    readonly FakeClock clock = new();

    public async Task InitializeAsync()
    {
        await database.InitializeAsync();
        await using var db = database.Open();
        var now = clock.GetUtcNow();
        var gone = new Person("Gone", "gone@example.com", Role.Admin, now);
        gone.Deactivate(now);
        db.AddRange(new Person("Alice", "alice@example.com", Role.Admin, now), new Person("Ann", "ann@example.com", Role.Admin, now), new Person("Bob", "bob@example.com", Role.Staff, now), gone);
        await db.SaveChangesAsync();
    }

    public Task DisposeAsync() => database.DisposeAsync();

    static News Failed(string run, string title = "The backup of shop failed") =>
        new(NoticeSeverity.Problem, title, "The store is full.", "backup-plan:1", $"backup:{run}:failed", "/admin/backups");

    async Task<bool> Tell(News news)
    {
        clock.FastForward(TimeSpan.FromMinutes(1));
        await using var db = database.Open();
        var told = await Noticeboard.Tell(db, news, clock.GetUtcNow(), default);
        await db.Commit(new AuditEntry(Actor.System, "thing.done", "x", "x", clock.GetUtcNow()), default);
        return told;
    }

    async Task<List<string>> Recipients()
    {
        await using var db = database.Open();
        return await db.Mails.OrderBy(m => m.Recipient).Select(m => m.Recipient + " " + m.Subject).ToListAsync();
    }

    Task<IReadOnlyList<OpenNotices.Line>> Shown() => new OpenNotices(database.Contexts).Load(default);

    [Fact]
    public async Task Every_active_administrator_gets_a_mail_and_screens_a_notice_once()
    {
        Assert.True(await Tell(Failed("1")));
        Assert.False(await Tell(Failed("1", "Other words")));
        Assert.Equal(["alice@example.com The backup of shop failed", "ann@example.com The backup of shop failed"], await Recipients());
        var line = Assert.Single(await Shown());
        Assert.Equal((NoticeSeverity.Problem, "The backup of shop failed", "The store is full.", "/admin/backups"), (line.Severity, line.Title, line.Text, line.Link));
    }

    [Fact]
    public async Task A_newer_notice_takes_the_place_of_the_older_of_its_topic_and_good_news_end_it()
    {
        await Tell(Failed("1"));
        await Tell(Failed("2", "It failed again"));
        await Tell(new News(NoticeSeverity.Warning, "The store is nearly full", "9 % are free.", "store:1", "store:1:full", ByMail: false));
        Assert.Equal(["The store is nearly full", "It failed again"], (await Shown()).Select(n => n.Title));
        Assert.Equal(4, (await Recipients()).Count);
        var success = new News(NoticeSeverity.Info, "The backup of shop succeeded", "1.2 GB.", "backup-plan:1", "backup:3:succeeded", OnScreen: false);
        Assert.True(await Tell(success));
        Assert.False(await Tell(success));
        Assert.Equal(["The store is nearly full"], (await Shown()).Select(n => n.Title));
        Assert.Equal(6, (await Recipients()).Count);
        await using (var db = database.Open())
        {
            await Noticeboard.Resolve(db, "store:1", clock.GetUtcNow(), default);
            await db.SaveChangesAsync();
        }
        Assert.Empty(await Shown());
    }

    [Fact]
    public async Task Two_nodes_that_tell_the_same_at_once_tell_it_once()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Contention.Settle(async () =>
        {
            await using var db = database.Open();
            var told = await Noticeboard.Tell(db, Failed("1"), clock.GetUtcNow(), default);
            await db.SaveChangesAsync();
            return told;
        })));
        Assert.Equal(2, (await Recipients()).Count);
        Assert.Single(await Shown());
    }

    [Fact]
    public async Task What_is_not_committed_is_not_told()
    {
        await using (var db = database.Open())
        {
            await using var transaction = await db.Database.BeginTransactionAsync();
            await Noticeboard.Tell(db, Failed("1"), clock.GetUtcNow(), default);
            await db.SaveChangesAsync();
        }
        Assert.Empty(await Shown());
        Assert.True(await Tell(Failed("1")));
    }

    [Fact]
    public async Task An_administrator_dismisses_a_notice_for_everybody_and_others_only_see_it()
    {
        await Tell(Failed("1"));
        await Tell(new News(NoticeSeverity.Info, "A drill was passed", "RTO 4 min.", "drill", "drill:1", ByMail: false));
        await using var staff = Screen(Cast.Bob);
        var seen = staff.Render<NoticesCard>();
        seen.WaitForAssertion(() => Assert.Equal(2, seen.FindAll("li").Count), Patience);
        Assert.Empty(seen.FindAll("button"));
        await using var screen = Screen(Cast.Alice);
        var card = screen.Render<NoticesCard>();
        card.WaitForAssertion(() => Assert.Equal(["Dismiss: A drill was passed", "Dismiss: The backup of shop failed"], card.FindAll("button").Select(b => b.GetAttribute("aria-label"))), Patience);
        Assert.Equal("/admin/backups", card.Find("li:last-child a").GetAttribute("href"));
        card.Find("li:last-child button").Click();
        card.WaitForAssertion(() => Assert.Equal("Dismiss: A drill was passed", Assert.Single(card.FindAll("button:not([disabled])")).GetAttribute("aria-label")), Patience);
        staff.Hint("notices");
        seen.WaitForAssertion(() => Assert.Single(seen.FindAll("li")), Patience);
        await using var db = database.Open();
        Assert.Equal("Alice", (await db.Notices.SingleAsync(n => n.DismissedBy != null)).DismissedBy);
        Assert.Equal(1, await db.Audit.CountAsync(a => a.Action == "notice.dismissed" && a.ActorName == "Alice"));
        await Assert.ThrowsAsync<ForbiddenException>(async () => await new DismissNotice(database.Contexts, clock).Execute((await Shown())[0].Id, Cast.Bob, default));
        await Assert.ThrowsAsync<NotFoundException>(() => new DismissNotice(database.Contexts, clock).Execute(Id.New<NoticeId>(clock.GetUtcNow()), Cast.Alice, default));
    }

    [Fact]
    public async Task Nothing_is_drawn_while_there_is_nothing_to_say_and_a_notice_comes_by_itself()
    {
        await using var screen = Screen(Cast.Alice);
        var card = screen.Render<NoticesCard>();
        Assert.Equal("", card.Markup.Trim());
        await Tell(Failed("1"));
        screen.Hint("notices");
        card.WaitForAssertion(() => Assert.Single(card.FindAll("li")), Patience);
    }

    [Fact]
    public async Task What_is_open_is_found_without_reading_what_is_over_and_what_is_due_without_what_was_sent()
    {
        await using (var fill = database.Database.Source.CreateCommand("""
            insert into notices (id, at, severity, title, text, topic, key, resolved_at) select gen_random_uuid(), now() - n * interval '1 minute', 'Info', 'T', 'T', 'old', 'old-' || n, now() from generate_series(1, 30000) n;
            insert into mails (id, recipient, subject, body, key, created_at, state, attempts, due_at, ended_at) select gen_random_uuid(), 'a@example.com', 'S', 'B', 'old-' || n, now(), 'Sent', 1, now(), now() from generate_series(1, 30000) n;
            analyze notices; analyze mails;
            """)) await fill.ExecuteNonQueryAsync();
        await Tell(Failed("1"));
        var plans = new Persistence.QueryPlans(database.Database.Source);
        Assert.Single(await new OpenNotices(plans).Load(default));
        await using (var db = plans.CreateDbContext())
        {
            Assert.False(await Noticeboard.Tell(db, Failed("1"), clock.GetUtcNow(), default));
            await Noticeboard.Resolve(db, "backup-plan:1", clock.GetUtcNow(), default);
            Assert.Equal(2, await db.Mails.Where(m => m.State == MailState.Waiting).OrderBy(m => m.DueAt).Take(10).CountAsync());
        }
        foreach (var plan in await plans.Explain())
        {
            Assert.DoesNotContain(plan.ReadWhole, read => read is "notices" or "mails");
            Assert.True(plan.Buffers <= 20, $"{plan}");
        }
    }

    StaffScreen Screen(Actor actor)
    {
        var screen = new StaffScreen(database, clock, actor);
        screen.Services.AddSingleton<OpenNotices>().AddSingleton<DismissNotice>();
        return screen;
    }
}
