using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Features.Drills;
using Portal.Hosting;
using Portal.Infrastructure.Backups.Drills;
using Portal.Tests.Backups;
using Portal.Tests.Support;

namespace Portal.Tests.Drills;

public sealed class CanaryKeeperTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    readonly BackupNode node = new(database);
    readonly LogLines log = new();

    public async Task InitializeAsync()
    {
        await node.Clear();
        await node.Start();
    }

    public async Task DisposeAsync() => await node.DisposeAsync();

    LetCanary Let => new(database.Database, node.Ways, TimeProvider.System, new Logger<LetCanary>(log));

    [Fact]
    public async Task It_is_written_where_it_may_live_every_quarter_of_a_minute_and_a_database_that_does_not_take_it_is_told_of_once()
    {
        var shop = await node.Shop(10);
        var target = await node.AddTarget.Execute(new($"shop-{shop[^12..]}", node.Way(shop), null), Cast.Alice, default);
        var (clock, state) = (new FakeClock(TimeProvider.System.GetUtcNow()), new StartupState());
        using var keeper = new CanaryKeeper(database.Database, node.Ways, state, clock, new Logger<CanaryKeeper>(log));
        await keeper.StartAsync(default);
        state.MarkPrepared();
        try
        {
            await Soon.Comes(async () => await Canary.Newest(database.ConnectionString, default) is not null, "the canary of the portal's own database");
            Assert.Null(await Canary.Newest(node.Way(shop), default));

            await Assert.ThrowsAsync<ForbiddenException>(() => Let.Execute(target, true, Cast.Bob, default));
            await Let.Execute(target, true, Cast.Alice, default);
            var first = (await Canary.Newest(node.Way(shop), default))!;
            await OddDatabase.Execute(node.Way(shop), "update portal_canary.beats set at = at - interval '1 minute'");
            await Turn(async () => (await Canary.Newest(node.Way(shop), default))!.Id > first.Id, "the next beat");

            await OddDatabase.Execute(node.Way(shop), "alter table portal_canary.beats rename column lsn to gone");
            await Turn(() => Task.FromResult(keeper.ProblemWith(target) is not null), "the problem is known");
            for (var i = 0; i < 3; i++) await keeper.Turn(default);
            Assert.Single(log.With("cannot be written"));
            await OddDatabase.Execute(node.Way(shop), "drop schema portal_canary cascade");
            await Turn(() => Task.FromResult(keeper.ProblemWith(target) is null), "it works again");
            Assert.Single(log.With("written again"));

            await Let.Execute(target, false, Cast.Alice, default);
            Assert.Null(await Canary.Newest(node.Way(shop), default));
            await keeper.Turn(default);
            Assert.Null(await Canary.Newest(node.Way(shop), default));
        }
        finally
        {
            await keeper.StopAsync(default);
        }

        async Task Turn(Func<Task<bool>> seen, string what) => await Soon.Comes(async () =>
        {
            clock.FastForward(Canary.Every);
            return await seen();
        }, what);
    }

    [Fact]
    public async Task One_that_cannot_be_written_is_not_let_in()
    {
        var shop = await node.Shop(10);
        var target = await node.AddTarget.Execute(new($"shop-{shop[^12..]}", node.Way(shop), null), Cast.Alice, default);
        await OddDatabase.Execute(node.Way(shop), "create schema portal_canary; create table portal_canary.beats (id int)");
        var refusal = await Assert.ThrowsAsync<DomainException>(() => Let.Execute(target, true, Cast.Alice, default));
        Assert.Equal("canary", refusal.Field);
        await using var db = database.Open();
        Assert.False((await db.BackupTargets.SingleAsync(t => t.Id == target)).HasCanary);
        Assert.Equal("canary", Assert.Throws<DomainException>(() => BackupTarget.OfDirectory("files", "/tmp", TimeProvider.System.GetUtcNow()).LetCanary(true)).Field);
    }
}
