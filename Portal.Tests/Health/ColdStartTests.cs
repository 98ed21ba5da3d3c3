using Microsoft.Extensions.Logging.Abstractions;
using Portal.Features.Health;
using Portal.Tests.Support;

namespace Portal.Tests.Health;

public class ColdStartTests
{
    sealed class Slow(FakeClock clock) : IHealthPart
    {
        public string Name => "slow";

        public async Task<PartReport> Look(CancellationToken ct)
        {
            await Task.Delay(TimeSpan.FromSeconds(3), clock, ct);
            return PartReport.Ok();
        }
    }

    [Fact]
    public async Task The_first_look_at_a_part_may_take_longer_than_any_later_one()
    {
        var clock = new FakeClock();
        var parts = new HealthParts([new Slow(clock)], clock, NullLogger<HealthParts>.Instance);
        Assert.Equal(PartState.Ok, (await Look())!.State);
        clock.FastForward(TimeSpan.FromSeconds(2));
        Assert.Equal(PartState.Failing, (await Look())!.State);

        async Task<PartReport?> Look()
        {
            var looking = parts.Look("slow", default);
            for (var i = 0; i < 400 && !looking.IsCompleted; i++)
            {
                clock.FastForward(TimeSpan.FromMilliseconds(100));
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
            }
            return await looking;
        }
    }
}
