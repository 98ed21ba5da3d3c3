using Microsoft.EntityFrameworkCore;
using Portal.Domain.Notifications;
using Portal.Domain.OnCall;
using Portal.Features.Backups;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Support;
using static Portal.Tests.OnCall.Crew;

namespace Portal.Tests.OnCall;

/// <summary>On a restored copy nobody is paged until somebody decides: the original may have gone on, and paged already.</summary>
public sealed class RestoredEscalationsTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Escalations_are_held_after_a_restore_and_go_on_or_end_as_somebody_decides(bool send)
    {
        var clock = new FakeClock(At("2026-03-02T12:00Z"));
        var rig = new PagerRig(database, clock);
        await rig.Clear();
        var id = await rig.Trigger(await rig.Policy(0, PagerRig.Step(5, EscalationTarget.Of(await rig.Person("Ann")))));
        Assert.Equal(1, await Recover());
        clock.FastForward(TimeSpan.FromDays(1));
        Assert.Equal(0, await rig.Node().Drain(default));
        Assert.Equal(1, (await rig.Audit().Load(default)).Pending);

        await new ReleaseRecovery(database.Contexts, clock).Execute(send, Cast.Alice, default);
        Assert.Equal(send ? 1 : 0, await rig.Node().Drain(default));
        Assert.Equal(send ? 1 : 0, (await rig.Deliveries()).Count);
        Assert.Equal(EscalationState.Exhausted, (await rig.Escalation(id)).State);
        Assert.Contains((await rig.Audit().Load(default)).Findings, f => f.Kind == "exhausted");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Messages_that_wait_are_held_after_a_restore_and_go_out_or_are_dropped_as_somebody_decides(bool send)
    {
        var clock = new FakeClock(At("2026-03-02T12:00Z"));
        await new PagerRig(database, clock).Clear();
        var message = new Delivery(DeliveryPurpose.Page, new(ChannelKind.Email, null, null, null, "ann@example.com"), $"held {send}", "P1 Shop", "It is down", null, clock.GetUtcNow(), clock.GetUtcNow());
        await using (var db = database.Open())
        {
            db.Add(message);
            await db.SaveChangesAsync();
        }
        Task<string> Stands() => Read($"select state || ' ' || (due_at = 'infinity') as \"Value\" from deliveries where id = {message.Id.Value}");
        Assert.Equal("Waiting false", await Stands());
        Assert.True(await Recover() > 0);
        Assert.Equal("Waiting true", await Stands());
        await new ReleaseRecovery(database.Contexts, clock).Execute(send, Cast.Alice, default);
        Assert.Equal(send ? "Waiting false" : "Dropped true", await Stands());
    }

    async Task<string> Read(FormattableString sql)
    {
        await using var db = database.Open();
        return (await db.Database.SqlQuery<string>(sql).ToListAsync())[0];
    }

    /// <summary>The first start on a copy that another server holds now.</summary>
    /// <returns>How much is held.</returns>
    async Task<int> Recover()
    {
        await using var source = Database.Connect(database.ConnectionString);
        await using var connection = await source.OpenConnectionAsync();
        await RecoveryEpoch.Run(connection, default);
        await using (var db = database.Open()) await db.Database.ExecuteSqlAsync($"update settings set value = '1/2/3' where key = {RecoveryEpoch.IdentitySetting}");
        return (await RecoveryEpoch.Run(connection, default))!.Held;
    }
}
