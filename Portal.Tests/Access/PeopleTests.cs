using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Tests.Support;

namespace Portal.Tests.Access;

public sealed class PeopleTests : IAsyncLifetime, IDisposable
{
    readonly TestDatabase database = new();
    readonly FakeClock clock = new();
    Settlers settlers = null!;
    Person alice = null!;

    public async Task InitializeAsync()
    {
        await database.InitializeAsync();
        settlers = new Settlers(database.Contexts, clock);
        alice = await settlers.Settle("Alice", Role.Admin);
    }

    public void Dispose() => settlers.Dispose();

    public async Task DisposeAsync() => await database.DisposeAsync();

    Actor Alice => Settlers.ActorOf(alice);

    async Task<PeopleList.Row> Row(PersonId id) => await settlers.People.LoadOne(id, Alice, default);

    [Fact]
    public async Task Somebody_new_gets_a_link_chooses_a_password_and_signs_in()
    {
        var link = await settlers.AddPerson.Execute(new("Bob", " Bob@Example.com", Role.Staff), Alice, default);
        Assert.StartsWith("https://status.example.com/setup?token=", link.Url, StringComparison.Ordinal);
        Assert.Equal(PeopleList.Standing.Invited, (await Row(link.Person)).Standing);
        var session = await settlers.UseLink.Execute(new(Settlers.TokenOf(link.Url), null, null, Settlers.Password, Settlers.Password), Settlers.Here, default);
        Assert.Equal(link.Person, (await settlers.Sessions.Find(session!, default))?.Person);
        Assert.Equal(PeopleList.Standing.Active, (await Row(link.Person)).Standing);
        Assert.IsType<SignIn.Started>(await settlers.SignIn.Execute(new("bob@example.com", Settlers.Password), Settlers.Here, default));
        await using var db = database.Open();
        var audit = await Settlers.AuditOf(db, link.Person.ToString());
        Assert.Equal(["person.added", "person.password-chosen", "person.signed-in"], audit.Select(a => a.Action));
        Assert.DoesNotContain(audit, a => a.Summary.Contains(Settlers.TokenOf(link.Url), StringComparison.Ordinal) || a.Summary.Contains(Settlers.Password, StringComparison.Ordinal));
    }

    [Fact]
    public async Task One_address_belongs_to_one_person_even_when_two_add_it_at_once()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 4).Select(async i =>
        {
            try { await settlers.AddPerson.Execute(new($"Bob {i}", "bob@example.com", Role.Staff), Alice, default); return "added"; }
            catch (DomainException e) { return e.Field; }
        }));
        Assert.Single(results, "added");
        Assert.Equal(3, results.Count(r => r == "email"));
    }

    [Fact]
    public async Task Deactivating_ends_sessions_and_links_at_once()
    {
        var bob = await settlers.Settle("Bob", Role.Staff);
        var secret = await settlers.SignedIn(bob);
        Assert.NotNull(await settlers.Sessions.Find(secret, default));
        await settlers.ChangePerson.Execute(new(bob.Id, Active: false), Alice, default);
        Assert.Null(await settlers.Sessions.Find(secret, default));
        await Assert.ThrowsAsync<DomainException>(() => settlers.IssueLink.Execute(bob.Id, Alice, default));
        await settlers.ChangePerson.Execute(new(bob.Id, Active: true), Alice, default);
        Assert.Null(await settlers.Sessions.Find(secret, default));
        await settlers.SignedIn(bob);
    }

    [Fact]
    public async Task A_reset_stops_the_old_password_at_once_and_only_the_newest_link_works()
    {
        var bob = await settlers.Settle("Bob", Role.Staff);
        var secret = await settlers.SignedIn(bob);
        var older = await settlers.IssueLink.Execute(bob.Id, Alice, default);
        var newer = await settlers.IssueLink.Execute(bob.Id, Alice, default);
        Assert.Null(await settlers.Sessions.Find(secret, default));
        Assert.IsType<SignIn.Refused>(await settlers.SignIn.Execute(new(bob.Email, Settlers.Password), Settlers.Here, default));
        await Assert.ThrowsAsync<DomainException>(() => Use(older));
        await Use(newer);
        await Assert.ThrowsAsync<DomainException>(() => Use(newer));
        Assert.IsType<SignIn.Started>(await settlers.SignIn.Execute(new(bob.Email, "a wholly new password"), Settlers.Here, default));
    }

    Task Use(PersonalLink link) => settlers.UseLink.Execute(new(Settlers.TokenOf(link.Url), null, null, "a wholly new password", "a wholly new password"), Settlers.Here, default);

    [Fact]
    public async Task A_link_that_is_a_day_old_does_nothing()
    {
        var link = await settlers.AddPerson.Execute(new("Bob", "bob@example.com", Role.Staff), Alice, default);
        clock.FastForward(OneTimeLink.Lifetime);
        await Assert.ThrowsAsync<DomainException>(() => Use(link));
        Assert.Equal(PeopleList.Standing.LinkExpired, (await Row(link.Person)).Standing);
    }

    [Fact]
    public async Task Of_two_who_use_one_link_at_once_one_succeeds()
    {
        var link = await settlers.AddPerson.Execute(new("Bob", "bob@example.com", Role.Staff), Alice, default);
        var used = await Task.WhenAll(Enumerable.Range(0, 4).Select(async i =>
        {
            var password = $"the password of number {i}";
            try { await settlers.UseLink.Execute(new(Settlers.TokenOf(link.Url), null, null, password, password), Settlers.Here, default); return password; }
            catch (Exception e) when (e is DomainException or ConflictException) { return null; }
        }));
        var winner = Assert.Single(used, p => p is not null)!;
        Assert.IsType<SignIn.Started>(await settlers.SignIn.Execute(new("bob@example.com", winner), Settlers.Here, default));
    }

    [Fact]
    public async Task The_last_administrator_can_neither_go_nor_become_staff()
    {
        await settlers.AddPerson.Execute(new("Invited", "invited@example.com", Role.Admin), Alice, default);
        await Assert.ThrowsAsync<DomainException>(() => settlers.ChangePerson.Execute(new(alice.Id, Active: false), Alice, default));
        await Assert.ThrowsAsync<DomainException>(() => settlers.ChangePerson.Execute(new(alice.Id, Role: Role.Staff), Alice, default));
        Assert.Equal((Role.Admin, PeopleList.Standing.Active), ((await Row(alice.Id)).Role, (await Row(alice.Id)).Standing));
        var carol = await settlers.Settle("Carol", Role.Admin);
        await settlers.ChangePerson.Execute(new(alice.Id, Role: Role.Staff), Settlers.ActorOf(carol), default);
        Assert.Equal(Role.Staff, (await settlers.People.LoadOne(alice.Id, Settlers.ActorOf(carol), default)).Role);
    }

    [Theory]
    [InlineData("deactivate")]
    [InlineData("demote")]
    [InlineData("reset")]
    public async Task Two_administrators_who_remove_each_other_at_once_leave_one(string how)
    {
        var carol = await settlers.Settle("Carol", Role.Admin);
        async Task<bool> Remove(Person whom, Person by)
        {
            try
            {
                if (how == "reset") await settlers.IssueLink.Execute(whom.Id, Settlers.ActorOf(by), default);
                else await settlers.ChangePerson.Execute(how == "demote" ? new(whom.Id, Role: Role.Staff) : new(whom.Id, Active: false), Settlers.ActorOf(by), default);
                return true;
            }
            catch (Exception e) when (e is DomainException or ConflictException) { return false; }
        }
        var done = await Task.WhenAll(Remove(alice, carol), Remove(carol, alice));
        Assert.Single(done, true);
        await using var db = database.Open();
        Assert.Single(await db.People.ToListAsync(), p => p.CanAdminister);
    }

    [Fact]
    public async Task What_somebody_else_changed_meanwhile_is_not_overwritten()
    {
        var bob = await settlers.Settle("Bob", Role.Staff);
        var seen = (await Row(bob.Id)).Version;
        await settlers.ChangePerson.Execute(new(bob.Id, Name: "Bobby", Version: seen), Alice, default);
        await Assert.ThrowsAsync<ConflictException>(() => settlers.ChangePerson.Execute(new(bob.Id, Role: Role.Admin, Version: seen), Alice, default));
        Assert.Equal(("Bobby", Role.Staff), ((await Row(bob.Id)).Name, (await Row(bob.Id)).Role));
    }

    [Fact]
    public async Task Staff_and_outsiders_manage_nobody_and_a_narrow_key_reaches_nobody_above_itself()
    {
        var carol = await settlers.Settle("Carol", Role.Admin);
        var bob = await settlers.Settle("Bob", Role.Staff);
        foreach (var actor in new[] { Settlers.ActorOf(bob), Cast.Charlie })
        {
            await Assert.ThrowsAsync<ForbiddenException>(() => settlers.AddPerson.Execute(new("Eve", "eve@example.com", Role.Staff), actor, default));
            await Assert.ThrowsAsync<ForbiddenException>(() => settlers.IssueLink.Execute(bob.Id, actor, default));
            await Assert.ThrowsAsync<ForbiddenException>(() => settlers.ChangePerson.Execute(new(bob.Id, Active: false), actor, default));
            await Assert.ThrowsAsync<ForbiddenException>(() => settlers.People.Load(null, 10, actor, default));
            await Assert.ThrowsAsync<ForbiddenException>(() => new CreateApiKey(database.Contexts, clock).Execute(new("Robot", ["ops:read"]), actor, default));
            await Assert.ThrowsAsync<ForbiddenException>(() => new ApiKeyList(database.Contexts).Load(null, 10, actor, default));
        }
        var narrow = new Actor(ActorKind.ApiKey, bob.Id.Value, "Robot", Permissions.OfScopes(["people:write", "api-keys:write"]));
        await settlers.AddPerson.Execute(new("Dave", "dave@example.com", Role.Staff), narrow with { Grants = narrow.Grants.Union(Permissions.Of(Role.Staff)).ToHashSet() }, default);
        await Assert.ThrowsAsync<ForbiddenException>(() => settlers.AddPerson.Execute(new("Eve", "eve@example.com", Role.Admin), narrow, default));
        await Assert.ThrowsAsync<ForbiddenException>(() => settlers.AddPerson.Execute(new("Eve", "eve@example.com", Role.Staff), narrow, default));
        await Assert.ThrowsAsync<ForbiddenException>(() => settlers.IssueLink.Execute(bob.Id, narrow, default));
        await Assert.ThrowsAsync<ForbiddenException>(() => settlers.IssueLink.Execute(carol.Id, narrow, default));
        await Assert.ThrowsAsync<ForbiddenException>(() => settlers.ChangePerson.Execute(new(carol.Id, Active: false), narrow, default));
        await Assert.ThrowsAsync<ForbiddenException>(() => settlers.ChangePerson.Execute(new(bob.Id, Role: Role.Admin), narrow, default));
        Assert.Equal("scopes", (await Assert.ThrowsAsync<DomainException>(() => new CreateApiKey(database.Contexts, clock).Execute(new("Robot 2", ["components:write"]), narrow, default))).Field);
        Assert.Equal("scopes", (await Assert.ThrowsAsync<DomainException>(() => new CreateApiKey(database.Contexts, clock).Execute(new("Robot 3", [null!, "bogus"]), Cast.Alice, default))).Field);
    }

    [Fact]
    public async Task The_list_goes_on_where_the_part_before_ended()
    {
        for (var i = 0; i < 4; i++)
        {
            clock.FastForward(TimeSpan.FromMilliseconds(5));
            await settlers.Settle($"Person {i}", Role.Staff);
        }
        List<PersonId> seen = [];
        for (PersonId? after = null; ;)
        {
            var rows = await settlers.People.Load(after, 2, Alice, default);
            seen.AddRange(rows.Select(r => r.Id));
            if (rows.Count < 2) break;
            after = rows[^1].Id;
        }
        await using var db = database.Open();
        Assert.Equal(await db.People.OrderBy(p => p.Id).Select(p => p.Id).ToListAsync(), seen);
        Assert.Equal(5, seen.Count);
    }
}
