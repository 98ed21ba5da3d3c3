using Microsoft.EntityFrameworkCore;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.Incidents;
using Portal.Tests.Support;

namespace Portal.Tests.Incidents;

public class RunningIncidentsTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    readonly FakeClock clock = new();

    DeclareIncident Declare => new(database.Contexts, clock);
    PostIncidentUpdate Post => new(database.Contexts, clock);
    EditIncidentUpdate Edit => new(database.Contexts, clock);
    ChangeIncident Change => new(database.Contexts, clock);
    IncidentRoom Room => new(database.Contexts);

    async Task<ComponentId> AComponent(string name = "Payments")
    {
        await using var db = database.Open();
        var component = new Component(name, $"{Text.Slug(name)}-{Guid.CreateVersion7(clock.GetUtcNow()):N}"[..40], null, null, 0, clock.GetUtcNow());
        db.Add(component);
        await db.SaveChangesAsync();
        return component.Id;
    }

    static DeclareIncident.Request Outage(params ComponentChange[] changes) => new("Card payments fail", Severity.P1, "We are investigating.", changes);

    Task<IncidentId> Declared(params ComponentChange[] changes) => Declare.Execute(Outage(changes), Cast.Bob, default);

    async Task<long> PageVersion()
    {
        await using var db = database.Open();
        return (await db.PageVersions.AsNoTracking().SingleAsync()).Version;
    }

    async Task<List<string>> AuditOf(IncidentId id)
    {
        await using var db = database.Open();
        return await db.Audit.Where(a => a.Subject == id.ToString()).OrderBy(a => a.Sequence).Select(a => $"{a.ActorName} {a.Action}").ToListAsync();
    }

    [Fact]
    public async Task Declaring_says_it_marks_components_promises_the_next_word_and_is_audited()
    {
        var payments = await AComponent();
        var id = await Declared(new ComponentChange(payments, ComponentStatus.PartialOutage));
        var room = await Room.Load(id, default);
        Assert.Equal((Severity.P1, Indicator.Major, IncidentStatus.Investigating), (room.Severity, room.Impact, room.Status));
        Assert.Equal(clock.GetUtcNow().AddMinutes(30), room.NextUpdateBy);
        Assert.Equal(("We are investigating.", "Bob"), (room.Entries.Single().Body, room.Entries.Single().Author));
        Assert.Equal(ComponentStatus.PartialOutage, room.Components.Single().Status);
        Assert.Equal(["Bob incident.declared"], await AuditOf(id));
    }

    [Fact]
    public async Task A_form_that_is_sent_twice_even_at_the_same_moment_declares_one_incident()
    {
        var request = Outage() with { Id = Id.New<IncidentId>(clock.GetUtcNow()), Title = "Sent twice" };
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Declare.Execute(request, Cast.Bob, default))));
        Assert.Equal([request.Id!.Value], answers.Distinct());
        Assert.Equal(request.Id, await Declare.Execute(request, Cast.Bob, default));
        await using var db = database.Open();
        Assert.Equal(1, await db.Incidents.CountAsync(i => i.Title == "Sent twice"));
        Assert.Equal(["Bob incident.declared"], await AuditOf(request.Id.Value));
    }

    [Fact]
    public async Task Two_people_who_post_at_once_both_succeed()
    {
        var payments = await AComponent();
        var id = await Declared();
        var posts = Enumerable.Range(0, 4).Select(i => Task.Run(() => Post.Execute(
            new(id, $"Word {i}", UpdateVisibility.Public, [new(payments, i % 2 == 0 ? ComponentStatus.MajorOutage : ComponentStatus.PartialOutage)]), i % 2 == 0 ? Cast.Alice : Cast.Bob, default)));
        await Task.WhenAll(posts);
        var room = await Room.Load(id, default);
        Assert.Equal(["We are investigating.", "Word 0", "Word 1", "Word 2", "Word 3"], room.Entries.Select(e => e.Body).Order(StringComparer.Ordinal));
        await using var db = database.Open();
        Assert.Equal(1, await db.IncidentEffects.CountAsync(e => e.IncidentId == id && e.To == null));
    }

    [Fact]
    public async Task An_update_that_is_sent_twice_stands_once()
    {
        var id = await Declared();
        var request = new PostIncidentUpdate.Request(id, "Once", UpdateVisibility.Internal, [], Id: Id.New<IncidentUpdateId>(clock.GetUtcNow()));
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => Post.Execute(request, Cast.Bob, default))));
        Assert.Single((await Room.Load(id, default)).Entries, e => e.Body == "Once");
    }

    [Fact]
    public async Task Without_a_status_an_update_leaves_the_one_that_stands_and_renews_the_promise()
    {
        var id = await Declared();
        clock.FastForward(TimeSpan.FromMinutes(10));
        await Post.Execute(new(id, "Found it.", UpdateVisibility.Public, [], IncidentStatus.Identified), Cast.Alice, default);
        clock.FastForward(TimeSpan.FromMinutes(5));
        await Post.Execute(new(id, "Fixing it.", UpdateVisibility.Public, []), Cast.Bob, default);
        var room = await Room.Load(id, default);
        Assert.Equal((IncidentStatus.Identified, clock.GetUtcNow().AddMinutes(30)), (room.Status, room.NextUpdateBy));
        await Post.Execute(new(id, "No promise.", UpdateVisibility.Public, [], Next: new NextUpdate(null)), Cast.Bob, default);
        Assert.Null((await Room.Load(id, default)).NextUpdateBy);
    }

    [Fact]
    public async Task Resolving_releases_the_components_and_is_audited_as_such()
    {
        var payments = await AComponent();
        var id = await Declared(new ComponentChange(payments, ComponentStatus.MajorOutage));
        clock.FastForward(TimeSpan.FromHours(1));
        await Post.Execute(new(id, "All is well.", UpdateVisibility.Public, [], IncidentStatus.Resolved), Cast.Bob, default);
        var room = await Room.Load(id, default);
        Assert.True(room.IsResolved);
        Assert.Equal(clock.GetUtcNow(), room.Components.Single().Until);
        Assert.Equal(["Bob incident.declared", "Bob incident.resolved"], await AuditOf(id));
        await Assert.ThrowsAsync<DomainException>(() => Post.Execute(new(id, "Again?", UpdateVisibility.Public, [], IncidentStatus.Investigating), Cast.Bob, default));
    }

    [Fact]
    public async Task A_note_for_the_team_never_raises_the_version_of_the_page()
    {
        var id = await Declared();
        var before = await PageVersion();
        await Post.Execute(new(id, "Between us.", UpdateVisibility.Internal, []), Cast.Bob, default);
        Assert.Equal(before, await PageVersion());
        await Post.Execute(new(id, "To everybody.", UpdateVisibility.Public, []), Cast.Bob, default);
        Assert.Equal(before + 1, await PageVersion());
        Assert.Equal(["Bob incident.declared", "Bob incident.noted", "Bob incident.updated"], await AuditOf(id));
    }

    [Fact]
    public async Task A_stale_edit_is_refused_and_tells_the_text_that_stands()
    {
        var id = await Declared();
        var entry = (await Room.Load(id, default)).Entries.Single();
        await Edit.Execute(new(id, entry.Id, "Alice's text", 0), Cast.Alice, default);
        var conflict = await Assert.ThrowsAsync<ConflictException>(() => Edit.Execute(new(id, entry.Id, "Bob's text", 0), Cast.Bob, default));
        Assert.Equal("Alice's text", conflict.Current);
        var kept = (await Room.Load(id, default)).Entries.Single();
        Assert.Equal(("Alice's text", 1, "We are investigating."), (kept.Body, kept.Revision, kept.Earlier.Single().Body));
    }

    [Fact]
    public async Task Of_two_edits_at_the_same_moment_one_is_refused_with_the_text_of_the_other()
    {
        var id = await Declared();
        var entry = (await Room.Load(id, default)).Entries.Single();
        var edits = new[] { "One", "Two", "Three" }.Select(text => Task.Run(async () =>
        {
            try { await Edit.Execute(new(id, entry.Id, text, 0), Cast.Bob, default); return (text, refused: (string?)null); }
            catch (ConflictException e) { return (text, refused: e.Current); }
        })).ToList();
        var answers = await Task.WhenAll(edits);
        var won = Assert.Single(answers, a => a.refused is null).text;
        Assert.All(answers.Where(a => a.text != won), a => Assert.Equal(won, a.refused));
        Assert.Equal(won, (await Room.Load(id, default)).Entries.Single().Body);
    }

    [Fact]
    public async Task A_post_is_no_conflict_for_who_edits_the_head_but_another_edit_is()
    {
        var id = await Declared();
        var seen = (await Room.Load(id, default)).Head;
        await Post.Execute(new(id, "Meanwhile.", UpdateVisibility.Public, []), Cast.Bob, default);
        await Change.Execute(new(id, "Card payments fail for all", Severity.P0, null, Seen: seen), Cast.Alice, default);
        var room = await Room.Load(id, default);
        Assert.Equal(("Card payments fail for all", Severity.P0, Indicator.Critical), (room.Title, room.Severity, room.Impact));
        var conflict = await Assert.ThrowsAsync<ConflictException>(() => Change.Execute(new(id, "Bob's title", Seen: seen), Cast.Bob, default));
        Assert.Contains("Card payments fail for all", conflict.Current, StringComparison.Ordinal);
        Assert.Equal("Card payments fail for all", (await Room.Load(id, default)).Title);
    }

    [Fact]
    public async Task Who_lacks_the_permission_is_refused_and_nothing_is_saved()
    {
        var id = await Declared();
        var entry = (await Room.Load(id, default)).Entries.Single();
        Task[] refused =
        [
            Assert.ThrowsAsync<ForbiddenException>(() => Declare.Execute(Outage() with { Title = "Charlie's" }, Cast.Charlie, default)),
            Assert.ThrowsAsync<ForbiddenException>(() => Post.Execute(new(id, "Charlie's", UpdateVisibility.Public, []), Cast.Charlie, default)),
            Assert.ThrowsAsync<ForbiddenException>(() => Edit.Execute(new(id, entry.Id, "Charlie's", 0), Cast.Charlie, default)),
            Assert.ThrowsAsync<ForbiddenException>(() => Change.Execute(new(id, "Charlie's"), Cast.Charlie, default)),
        ];
        await Task.WhenAll(refused);
        var room = await Room.Load(id, default);
        Assert.Equal(("Card payments fail", "We are investigating."), (room.Title, room.Entries.Single().Body));
        await using var db = database.Open();
        Assert.False(await db.Incidents.AnyAsync(i => i.Title == "Charlie's"));
    }

    [Fact]
    public async Task A_text_that_is_too_long_is_refused_in_words_and_one_with_markup_is_kept_as_it_is()
    {
        var tooLong = await Assert.ThrowsAsync<DomainException>(() => Declare.Execute(Outage() with { Title = new string('x', 10_000) }, Cast.Bob, default));
        Assert.Equal("title", tooLong.Field);
        Assert.Contains("10,000 characters; at most 200", tooLong.Message, StringComparison.Ordinal);
        Assert.Equal("message", (await Assert.ThrowsAsync<DomainException>(() => Declare.Execute(Outage() with { Message = new string('x', 10_001) }, Cast.Bob, default))).Field);
        const string Markup = "<script>alert(1)</script><img src=x onerror=alert(1)>";
        var id = await Declare.Execute(Outage() with { Title = Markup, Message = Markup }, Cast.Bob, default);
        var room = await Room.Load(id, default);
        Assert.Equal((Markup, Markup), (room.Title, room.Entries.Single().Body));
    }

    [Fact]
    public async Task A_component_that_was_deleted_meanwhile_is_refused_by_its_place()
    {
        var payments = await AComponent();
        var gone = Id.New<ComponentId>(clock.GetUtcNow());
        var refused = await Assert.ThrowsAsync<DomainException>(() => Declared(new(payments, ComponentStatus.MajorOutage), new(gone, ComponentStatus.MajorOutage)));
        Assert.Equal("components[1].slug", refused.Field);
    }

    [Fact]
    public async Task The_list_goes_on_after_the_last_row_without_gaps_or_repeats_even_at_one_instant()
    {
        var began = clock.GetUtcNow().AddDays(-30);
        for (var i = 0; i < 5; i++) await Declare.Execute(Outage() with { Title = $"Paged {i}", StartedAt = i < 3 ? began : began.AddHours(-i) }, Cast.Bob, default);
        var list = new IncidentList(database.Contexts);
        var filter = new IncidentList.Filter(Text: "paged");
        var all = await list.Load(filter, null, 10, default);
        Assert.Equal(5, all.Count);
        var parts = new List<IncidentList.Row>();
        while (await list.Load(filter, parts.LastOrDefault()?.Id, 2, default) is { Count: > 0 } part) parts.AddRange(part);
        Assert.Equal(all.Select(r => r.Id), parts.Select(r => r.Id));
        Assert.Equal(all.OrderByDescending(r => r.StartedAt).Select(r => r.StartedAt), all.Select(r => r.StartedAt));
        Assert.Empty(await list.Load(new IncidentList.Filter(Open: false, Text: "paged"), null, 10, default));
        Assert.Empty(await list.Load(new IncidentList.Filter(Text: "%"), null, 10, default));
    }

    [Fact]
    public async Task The_overview_says_what_is_wrong_and_since_when_nothing_is()
    {
        var situation = new SituationNow(database.Contexts, new Portal.Features.StatusPages.ComponentStatuses(database.Contexts, TimeProvider.System), TimeProvider.System);
        var checkout = await AComponent("Checkout");
        var id = await Declared(new ComponentChange(checkout, ComponentStatus.MajorOutage));
        var loud = await situation.Load(default);
        Assert.Contains(loud.Unwell, c => c.Id == checkout && c.Effective == ComponentStatus.MajorOutage);
        Assert.Contains(loud.Changes, c => c.Subject == id.ToString());
        clock.FastForward(TimeSpan.FromHours(1));
        await Post.Execute(new(id, "Over.", UpdateVisibility.Public, [], IncidentStatus.Resolved), Cast.Bob, default);
        var after = await situation.Load(default);
        Assert.DoesNotContain(after.Unwell, c => c.Id == checkout);
        Assert.True(after.QuietSince >= clock.GetUtcNow());
    }

    [Theory]
    [InlineData(ComponentStatus.MajorOutage, true)]
    [InlineData(ComponentStatus.DegradedPerformance, true)]
    [InlineData(ComponentStatus.UnderMaintenance, false)]
    public async Task What_was_set_by_hand_and_is_over_counts_as_wrong_until_then_unless_it_was_announced_work(ComponentStatus status, bool counts)
    {
        var situation = new SituationNow(database.Contexts, new Portal.Features.StatusPages.ComponentStatuses(database.Contexts, TimeProvider.System), TimeProvider.System);
        var id = await AComponent("Mailboxes");
        var before = (await situation.Load(default)).QuietSince;
        clock.FastForward(TimeSpan.FromHours(1));
        await Set(status);
        clock.FastForward(TimeSpan.FromHours(1));
        await Set(null);
        Assert.Equal(counts ? clock.GetUtcNow() : before, (await situation.Load(default)).QuietSince);

        async Task Set(ComponentStatus? to)
        {
            await using var db = database.Open();
            (await db.Components.Include(c => c.Overrides).SingleAsync(c => c.Id == id)).SetOverride(to, "Bob", clock.GetUtcNow());
            await db.SaveChangesAsync();
        }
    }
}
