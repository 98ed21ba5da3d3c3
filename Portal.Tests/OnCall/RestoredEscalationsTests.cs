using Microsoft.EntityFrameworkCore;
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
        await using var source = Database.Connect(database.ConnectionString);
        await using (var connection = await source.OpenConnectionAsync())
        {
            await RecoveryEpoch.Run(connection, default);
            await using (var db = database.Open()) await db.Database.ExecuteSqlAsync($"update settings set value = '1/2/3' where key = {RecoveryEpoch.IdentitySetting}");
            Assert.Equal(1, (await RecoveryEpoch.Run(connection, default))!.Held);
        }
        clock.FastForward(TimeSpan.FromDays(1));
        Assert.Equal(0, await rig.Node().Drain(default));
        Assert.Equal(1, (await rig.Audit().Load(default)).Pending);

        await new ReleaseRecovery(database.Contexts, clock).Execute(send, Cast.Alice, default);
        Assert.Equal(send ? 1 : 0, await rig.Node().Drain(default));
        Assert.Equal(send ? 1 : 0, (await rig.Deliveries()).Count);
        Assert.Equal(EscalationState.Exhausted, (await rig.Escalation(id)).State);
        Assert.Contains((await rig.Audit().Load(default)).Findings, f => f.Kind == "exhausted");
    }
}
