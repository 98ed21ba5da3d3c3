using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Tests.Monitoring;

public class PlacesTests
{
    static readonly DateTimeOffset Start = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    static readonly ProbePlaceId Frankfurt = new(Guid.Parse("00000000-0000-7000-8000-00000000000f")), Tokyo = new(Guid.Parse("00000000-0000-7000-8000-000000000010"));

    static MonitorSettings Settings(int placesBeforeDown, bool fromHere = true) => new("Shop", MonitorKind.Http, "https://shop.example/", TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10), null,
        Places: [Frankfurt, Tokyo], FromHere: fromHere, PlacesBeforeDown: placesBeforeDown);

    /// <summary>Here, Frankfurt and Tokyo, a letter a minute each: U up, D down, - nothing was heard.</summary>
    static (MonitorState State, List<(int Minute, Transition Transition)> Transitions) Run(Monitor monitor, string here, string frankfurt, string tokyo)
    {
        var state = new MonitorState(monitor.Id, Start);
        var transitions = new List<(int, Transition)>();
        for (var minute = 0; minute < here.Length; minute++)
            foreach (var (place, checks, second) in new (ProbePlaceId?, string, int)[] { (null, here, 0), (Frankfurt, frankfurt, 10), (Tokyo, tokyo, 20) })
                if (checks[minute] != '-')
                    transitions.Add((minute, state.Apply(new CheckResult(monitor.Id, Start.AddMinutes(minute).AddSeconds(second), TimeSpan.FromMilliseconds(80), checks[minute] == 'U' ? CheckOutcome.Up : CheckOutcome.Down, null, null, place), monitor)));
        return (state, [.. transitions.Where(t => t.Item2.WentDown is not null || t.Item2.CameUp is not null)]);
    }

    [Fact]
    public void It_is_down_once_enough_places_find_it_so_each_by_its_own_n_of_m_and_since_the_one_that_made_it_enough()
    {
        var (state, transitions) = Run(new Monitor(Settings(2), Start),
            "UUDDDDDUU",
            "UUUUDDDDD",
            "UUUUUUUUU");
        Assert.Equal([5, 7], transitions.Select(t => t.Minute));
        var down = transitions[0].Transition.WentDown!.Value;
        Assert.Equal((Start.AddMinutes(4).AddSeconds(10), (DateTimeOffset?)Start.AddMinutes(3).AddSeconds(10)), (down.At, down.LastGood));
        // It ends when the first of the two sees it up again, although the other does not.
        Assert.Equal(Start.AddMinutes(7), transitions[1].Transition.CameUp!.Value.At);
        Assert.Equal(MonitorHealth.Up, state.Health);
        Assert.Equal(MonitorHealth.Down, state.Places.Single(p => p.Place == Frankfurt).Judged.Health);
    }

    [Fact]
    public void One_place_that_reaches_nothing_is_no_outage()
    {
        var (state, transitions) = Run(new Monitor(Settings(2), Start), "UUUUUUUU", "UUDDDDDD", "UUUUUUUU");
        Assert.Empty(transitions);
        Assert.Equal(MonitorHealth.Up, state.Health);
        Assert.Single(Run(new Monitor(Settings(1), Start), "UUUUUUUU", "UUDDDDDD", "UUUUUUUU").Transitions);
    }

    [Fact]
    public void A_place_that_fell_silent_has_no_voice_and_the_others_decide()
    {
        // Lost while it saw the target down: what it said last does not stand for ever.
        var (state, transitions) = Run(new Monitor(Settings(2), Start), "UUUUUUUUUUUDD", "UDDD---------", "U------------");
        Assert.Equal(12, Assert.Single(transitions).Minute);
        Assert.Equal(Start.AddMinutes(11), transitions[0].Transition.WentDown!.Value.At);
        Assert.Equal(MonitorHealth.Down, state.Health);
        // Silence alone is nothing at all.
        Assert.Empty(Run(new Monitor(Settings(2), Start), "UUUUUUUUUUUUU", "UUUU---------", "UUUU---------").Transitions);
    }

    [Theory]
    [InlineData(1, "UUUUUUUUUUUU", "UUDDDD------", "UUUUUUUUUUUU")]
    [InlineData(2, "UUUUUUUUUUUU", "UUDDDD------", "UUDDDD------")]
    // Found up long ago by one, which alone was not enough.
    [InlineData(1, "UUDDUUUUUUUU", "UUDDDD------", "UUUUUUUUUUUU")]
    public void An_outage_that_only_lost_places_saw_ends_when_their_voice_ends_and_keeps_its_length(int wanted, string here, string frankfurt, string tokyo)
    {
        var (_, transitions) = Run(new Monitor(Settings(wanted), Start), here, frankfurt, tokyo);
        Assert.Equal(2, transitions.Count);
        Assert.InRange(transitions[0].Transition.WentDown!.Value.At, Start.AddMinutes(2), Start.AddMinutes(3));
        // Three intervals and a time-out after the last that was heard of it.
        Assert.Equal(Start.AddMinutes(9), transitions[1].Transition.CameUp!.Value.At);
    }

    [Fact]
    public void The_last_check_is_the_one_that_began_last_whoever_reports_later()
    {
        var monitor = new Monitor(Settings(1), Start);
        var state = new MonitorState(monitor.Id, Start);
        state.Apply(new CheckResult(monitor.Id, Start.AddSeconds(10), TimeSpan.FromMilliseconds(50), CheckOutcome.Up, 200, null), monitor);
        state.Apply(new CheckResult(monitor.Id, Start.AddSeconds(5), TimeSpan.FromSeconds(10), CheckOutcome.Down, null, "No answer within 10 s.", Tokyo), monitor);
        Assert.Equal((Start.AddSeconds(10), TimeSpan.FromMilliseconds(50), 200, null), (state.LastCheckAt!.Value, state.LastDuration!.Value, state.LastStatusCode!.Value, state.LastDetail));
    }

    [Fact]
    public void A_clock_far_behind_leaves_no_voice_and_no_fault()
    {
        var monitor = new Monitor(Settings(1, fromHere: false), Start);
        var state = new MonitorState(monitor.Id, Start);
        state.Apply(new CheckResult(monitor.Id, Start.AddDays(1), TimeSpan.FromMilliseconds(50), CheckOutcome.Up, 200, null, Frankfurt), monitor);
        Assert.Equal(Transition.None, state.Apply(new CheckResult(monitor.Id, Start, TimeSpan.FromMilliseconds(50), CheckOutcome.Up, 200, null, Tokyo), monitor) with { Gap = null });
        state.Suspend(Start);
        Assert.Equal(Transition.None, state.Apply(new CheckResult(monitor.Id, Start, TimeSpan.FromMilliseconds(50), CheckOutcome.Down, 200, null, Tokyo), monitor) with { Gap = null });
    }

    [Fact]
    public void What_others_find_counts_where_the_portal_itself_does_not_look()
    {
        var (state, transitions) = Run(new Monitor(Settings(2, fromHere: false), Start), "------", "UUDDDD", "UUUDDD");
        Assert.Equal(4, Assert.Single(transitions).Minute);
        Assert.DoesNotContain(state.Places, p => p.Place is null);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public void As_many_places_as_look_can_be_wanted(int wanted) =>
        Assert.Equal("placesBeforeDown", Assert.Throws<DomainException>(() => new Monitor(Settings(wanted), Start)).Field);

    [Fact]
    public void Somebody_looks_and_the_portals_own_parts_and_heartbeats_are_looked_at_from_the_portal()
    {
        Assert.Equal("places", Assert.Throws<DomainException>(() => new Monitor(Settings(1, fromHere: false) with { Places = [] }, Start)).Field);
        Assert.Equal("places", Assert.Throws<DomainException>(() => new Monitor(Settings(1) with { Target = "self:/health/live" }, Start, builtIn: true)).Field);
        var left = new Monitor(Settings(2, fromHere: false), Start);
        left.Leave(Frankfurt, Start, out var alone);
        Assert.False(alone);
        left.Leave(Tokyo, Start, out alone);
        Assert.True(alone);
        Assert.Equal((true, 1, 0), (left.FromHere, left.PlacesBeforeDown, left.Places.Count));
    }

    [Fact]
    public void A_result_that_comes_again_is_known_by_its_number_until_the_program_there_starts_anew()
    {
        var place = new ProbePlace("Frankfurt", Start);
        place.See(Guid.Parse("00000000-0000-7000-8000-000000000001"), "1.0", TimeSpan.FromHours(-3), 0, Start.AddSeconds(5));
        Assert.Equal([true, true, false, false, true], new long[] { 1, 2, 2, 1, 3 }.Select(place.Take));
        Assert.False(place.IsLost(Start.AddSeconds(50)));
        Assert.True(place.IsLost(Start.AddSeconds(51)));
        place.See(Guid.Parse("00000000-0000-7000-8000-000000000002"), "1.0", TimeSpan.Zero, 0, Start.AddMinutes(2));
        Assert.True(place.Take(1));
    }
}
