using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Tests.Monitoring;

public class MonitorStateTests
{
    static readonly DateTimeOffset Start = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    static Monitor Watching(int failures = 2, int window = 2, int successes = 1, bool damp = true) => new(
        new MonitorSettings("Shop", MonitorKind.Http, "https://shop.example/", TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10), null, failures, window, successes, DampFlapping: damp), Start);

    static CheckResult Result(Monitor monitor, double minute, CheckOutcome outcome) => new(monitor.Id, Start.AddMinutes(minute), TimeSpan.FromMilliseconds(80), outcome, 200, null);

    /// <summary>One letter a minute: U up, D down, N not configured, - no check.</summary>
    static (MonitorState State, List<Transition> Transitions) Run(Monitor monitor, string checks)
    {
        var state = new MonitorState(monitor.Id, Start);
        var transitions = new List<Transition>();
        for (var minute = 0; minute < checks.Length; minute++)
            if (checks[minute] != '-')
                transitions.Add(state.Apply(Result(monitor, minute, checks[minute] switch { 'U' => CheckOutcome.Up, 'D' => CheckOutcome.Down, _ => CheckOutcome.NotConfigured }), monitor));
        return (state, transitions);
    }

    [Fact]
    public void An_outage_is_confirmed_by_n_of_m_and_begins_with_the_first_of_those_failures()
    {
        var (state, transitions) = Run(Watching(failures: 2, window: 3), "UUDUD");
        Assert.All(transitions.Take(4), t => Assert.Null(t.WentDown));
        var down = Assert.NotNull(transitions[4].WentDown);
        Assert.Equal(Start.AddMinutes(2), down.At);
        Assert.Equal(Start.AddMinutes(1), down.LastGood);
        Assert.Equal((MonitorHealth.Down, Start.AddMinutes(2)), (state.Health, state.Since));
    }

    [Fact]
    public void A_single_failure_confirms_nothing()
    {
        var (state, transitions) = Run(Watching(), "UDUDU");
        Assert.All(transitions, t => Assert.Null(t.WentDown));
        Assert.Equal(MonitorHealth.Up, state.Health);
        Assert.NotNull(Run(Watching(), "UDD").Transitions[2].WentDown);
    }

    [Fact]
    public void An_outage_ends_with_the_first_of_the_successes_that_confirm_it()
    {
        var (state, transitions) = Run(Watching(successes: 3), "UDDUDUUU");
        Assert.All(transitions.Take(7), t => Assert.Null(t.CameUp));
        var up = Assert.NotNull(transitions[7].CameUp);
        Assert.Equal((Start.AddMinutes(5), (DateTimeOffset?)Start.AddMinutes(4)), (up.At, up.LastBad));
        Assert.Equal((MonitorHealth.Up, Start.AddMinutes(5)), (state.Health, state.Since));
    }

    [Fact]
    public void Failures_from_before_a_recovery_do_not_confirm_the_next_outage()
    {
        var (_, transitions) = Run(Watching(failures: 2, window: 4), "UDDUD");
        Assert.NotNull(transitions[3].CameUp);
        Assert.Null(transitions[4].WentDown);
        Assert.Equal(Start.AddMinutes(4), Run(Watching(failures: 2, window: 4), "UDDUDD").Transitions[5].WentDown!.Value.At);
    }

    [Fact]
    public void Time_in_which_nothing_was_checked_is_a_gap_and_breaks_the_run()
    {
        var (_, transitions) = Run(Watching(), "UUD------D");
        var gap = Assert.NotNull(transitions[^1].Gap);
        Assert.Equal(new Interval(Start.AddMinutes(3), Start.AddMinutes(9)), gap);
        Assert.Null(transitions[^1].WentDown);
        Assert.All(Run(Watching(), "UUD--D").Transitions, t => Assert.Null(t.Gap));
    }

    [Fact]
    public void After_three_outages_within_the_hour_the_third_ends_only_when_it_has_held_for_five_minutes()
    {
        // Two whole outages, and a third whose recoveries do not hold.
        const string Flaps = "UDDUUDDUUDDUUUDUUUU";
        var (state, transitions) = Run(Watching(), Flaps + "UU");
        Assert.Equal([2, 6, 10], transitions.Index().Where(t => t.Item.WentDown is not null).Select(t => t.Index));
        Assert.Equal([3, 7, 20], transitions.Index().Where(t => t.Item.CameUp is not null).Select(t => t.Index));
        // Held: it ended when it last came back, not when that was believed.
        Assert.Equal(Start.AddMinutes(15), transitions[20].CameUp!.Value.At);
        Assert.Equal((MonitorHealth.Up, Start.AddMinutes(15)), (state.Health, state.Since));
        Assert.True(Run(Watching(), Flaps).State.IsFlapping(Watching(), Start.AddMinutes(18)));

        var plain = Run(Watching(damp: false), Flaps).Transitions;
        Assert.Equal([3, 7, 11], plain.Index().Where(t => t.Item.CameUp is not null).Select(t => t.Index));
    }

    [Fact]
    public void What_flaps_without_end_stays_one_outage_although_the_hour_passes()
    {
        var (state, transitions) = Run(Watching(), string.Concat(Enumerable.Repeat("UUDD", 60)));
        Assert.Equal(3, transitions.Count(t => t.WentDown is not null));
        Assert.Equal(MonitorHealth.Down, state.Health);
        Assert.True(state.IsFlapping(Watching(), Start.AddMinutes(240)));
    }

    [Fact]
    public void Outages_that_lie_far_apart_are_no_flapping()
    {
        var (state, transitions) = Run(Watching(), string.Concat(Enumerable.Repeat("DD" + new string('U', 40), 4)));
        Assert.Equal((4, 4), (transitions.Count(t => t.WentDown is not null), transitions.Count(t => t.CameUp is not null)));
        Assert.False(state.IsFlapping(Watching(), Start.AddMinutes(168)));
    }

    [Fact]
    public void A_part_that_is_not_configured_is_unknown_and_ends_an_outage()
    {
        var (state, transitions) = Run(Watching(), "UDDN");
        Assert.Equal(Start.AddMinutes(3), transitions[3].CameUp!.Value.At);
        Assert.Equal(MonitorHealth.Unknown, state.Health);
        Assert.Equal(MonitorHealth.Unknown, Run(Watching(), "NNN").State.Health);
    }

    [Fact]
    public void A_clock_that_is_set_back_never_turns_an_interval_round()
    {
        var monitor = Watching();
        var (state, _) = Run(monitor, "UUUUU");
        state.Apply(Result(monitor, -60, CheckOutcome.Down), monitor);
        var down = state.Apply(Result(monitor, -59, CheckOutcome.Down), monitor).WentDown!.Value;
        Assert.Equal(Start.AddMinutes(4), down.At);
        Assert.Equal(Start.AddMinutes(4), state.LastCheckAt);
        var outage = new Outage(monitor, down.At, down.LastGood, []);
        outage.Close(Start.AddMinutes(-30), null);
        Assert.True(outage.To >= outage.From);
    }

    [Fact]
    public void A_pause_ends_the_outage_and_forgets_the_run()
    {
        var monitor = Watching();
        var (state, _) = Run(monitor, "UDD");
        Assert.Equal(MonitorHealth.Down, state.Health);
        Assert.Equal(Start.AddMinutes(5), state.Suspend(Start.AddMinutes(5)).CameUp!.Value.At);
        Assert.Equal(MonitorHealth.Unknown, state.Health);
        Assert.Null(state.Apply(Result(monitor, 6, CheckOutcome.Down), monitor).WentDown);
    }

    [Fact]
    public void A_stale_epoch_is_refused()
    {
        var state = new MonitorState(Watching().Id, Start);
        state.Fence(7);
        state.Fence(7);
        Assert.Throws<ConflictException>(() => state.Fence(6));
    }

    [Theory]
    [InlineData("ftp://example.com/")]
    [InlineData("self:/metrics")]
    [InlineData("self:/health/../metrics")]
    [InlineData("self:/health/%2e%2e/metrics")]
    [InlineData("self:/health/..\\metrics")]
    [InlineData("http://user:secret@example.com/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("/relative")]
    [InlineData("self:/admin")]
    public void Other_schemes_and_secrets_in_addresses_are_refused(string target)
    {
        var refusal = Assert.Throws<DomainException>(() => new Monitor(new MonitorSettings("x", MonitorKind.Http, target, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10), null), Start));
        Assert.Equal("target", refusal.Field);
    }

    [Fact]
    public void It_says_within_which_time_it_detects() =>
        Assert.Equal(TimeSpan.FromSeconds(130), Watching().DetectsWithin);
}
