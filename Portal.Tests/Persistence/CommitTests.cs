using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Support;

namespace Portal.Tests.Persistence;

public class CommitTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task What_customers_see_raises_the_page_version_and_a_note_for_the_team_does_not()
    {
        await using var db = database.Open();
        var before = (await db.PageVersions.AsNoTracking().SingleAsync()).Version;
        var incident = new Incident("Card payments fail", Severity.P1, null, null, Now);
        var component = new Component("Payments", null, null, null, 0, Now);
        incident.Post(IncidentStatus.Investigating, "We are looking.", UpdateVisibility.Public, [new(component.Id, ComponentStatus.PartialOutage)], Cast.Bob, Now);
        db.AddRange(component, incident);
        await db.Commit(new AuditEntry(Cast.Bob, "incident.declared", incident.Id.ToString(), "Card payments fail", Now), default);
        var declared = (await db.PageVersions.AsNoTracking().SingleAsync()).Version;
        Assert.Equal(before + 1, declared);

        await using var later = database.Open();
        var same = await later.Incidents.Include(i => i.Updates).Include(i => i.Effects).SingleAsync(i => i.Id == incident.Id);
        Assert.Equal(ComponentStatus.PartialOutage, Assert.Single(same.Effects).Status);
        same.Post(same.Status, "Only for us.", UpdateVisibility.Internal, [], Cast.Bob, Now.AddMinutes(1));
        await later.Commit(new AuditEntry(Cast.Bob, "incident.noted", incident.Id.ToString(), "note", Now), default);
        Assert.Equal(declared, (await later.PageVersions.AsNoTracking().SingleAsync()).Version);
        Assert.Equal(2, await later.Audit.CountAsync(a => a.Subject == incident.Id.ToString()));
    }

    [Fact]
    public async Task What_changed_is_told_once_it_is_committed_and_never_when_it_was_rolled_back()
    {
        var told = new List<Announcement>();
        void Hear(Announcement announcement) => told.Add(announcement);
        database.Database.Committed += Hear;
        foreach (var commits in new[] { false, true })
        {
            await using var db = database.Open();
            await using var transaction = await db.Database.BeginTransactionAsync();
            db.Add(new Component($"Told {commits}", null, null, null, 0, Now));
            await db.Commit(new AuditEntry(Cast.Alice, "component.added", "x", "A", Now), default);
            Assert.Empty(told);
            if (commits) await transaction.CommitAsync();
            else await transaction.RollbackAsync();
        }
        database.Database.Committed -= Hear;
        var only = Assert.Single(told);
        Assert.Equal(["audit", "components", "page"], only.Topics.Order(StringComparer.Ordinal));
        await using var later = database.Open();
        Assert.Equal((await later.PageVersions.AsNoTracking().SingleAsync()).Version, Announcement.VersionIn(only.Names.Single()));
        Assert.Equal(only.Text, Announcement.Read(only.Text).Text);
    }

    [Fact]
    public async Task Two_edits_of_one_row_cannot_both_be_saved()
    {
        var component = new Component("Search", null, null, null, 0, Now);
        await using (var db = database.Open())
        {
            db.Add(component);
            await db.SaveChangesAsync();
        }
        await using var first = database.Open();
        await using var second = database.Open();
        (await first.Components.SingleAsync(c => c.Id == component.Id)).Describe("Search A", null, null, Now);
        (await second.Components.SingleAsync(c => c.Id == component.Id)).Describe("Search B", null, null, Now);
        await first.Commit(new AuditEntry(Cast.Alice, "component.changed", "x", "A", Now), default);
        await Assert.ThrowsAsync<ConflictException>(() => second.Commit(new AuditEntry(Cast.Alice, "component.changed", "x", "B", Now), default));
    }
}
