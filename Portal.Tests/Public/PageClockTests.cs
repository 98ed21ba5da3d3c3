using Portal.Public;

namespace Portal.Tests.Public;

public class PageClockTests
{
    static readonly DateTimeOffset Now = Models.Now;

    [Fact]
    public void The_version_rises_with_the_database_and_with_time_and_never_runs_into_the_next_one()
    {
        var model = Models.Page(version: 7);
        Assert.Equal(700_000_000, PageClock.Version(model, model.ChangedAt));
        Assert.Equal(700_000_060, PageClock.Version(model, model.ChangedAt.AddMinutes(1)));
        Assert.Equal(731_536_000, PageClock.Version(model, model.ChangedAt.AddYears(1)));
        Assert.Equal(799_999_999, PageClock.Version(model, model.ChangedAt.AddYears(4)));
        Assert.True(PageClock.Version(model with { Version = 90_000_000 }, Now) < 1L << 53);
        Assert.Equal(700_000_000, PageClock.Version(model, model.ChangedAt.AddMinutes(-5)));
        Assert.True(PageClock.Version(model with { Version = 8, ChangedAt = Now.AddYears(5) }, Now) > PageClock.Version(model, Now.AddYears(4)));
    }

    [Fact]
    public void Nodes_speak_of_the_minute_or_of_the_change_and_so_agree()
    {
        Assert.Equal(Now, PageClock.AsOf(Now.AddHours(-1), Now.AddSeconds(17)));
        Assert.Equal(Now.AddSeconds(12), PageClock.AsOf(Now.AddSeconds(12), Now.AddSeconds(17)));
        Assert.Equal(Now.AddSeconds(5), PageClock.AsOf(Models.Page(nextUpdateBy: Now.AddSeconds(5)), Now.AddSeconds(17), null));
    }

    [Fact]
    public void The_next_instant_is_the_first_of_promise_minute_midnight_and_age()
    {
        var berlin = Models.Settings.Zone;
        var after = Now.AddSeconds(3);
        Assert.Equal(Now.AddMinutes(1), PageClock.Next(Models.Page(), berlin, null, after));
        Assert.Equal(Now.AddSeconds(40), PageClock.Next(Models.Page(nextUpdateBy: Now.AddSeconds(40)), berlin, null, after));
        Assert.Equal(Now.AddSeconds(25), PageClock.Next(Models.Page(), berlin, Now.AddSeconds(25) - TimeSpan.FromMinutes(5), after));
        var beforeMidnight = new DateTimeOffset(2026, 3, 2, 22, 59, 30, TimeSpan.Zero);
        Assert.Equal(beforeMidnight.AddSeconds(30), PageClock.Next(Models.Page(), berlin, null, beforeMidnight));
    }
}
