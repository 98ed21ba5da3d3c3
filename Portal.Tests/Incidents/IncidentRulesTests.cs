using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Tests.Support;

namespace Portal.Tests.Incidents;

public class IncidentRulesTests
{
    static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    static readonly ComponentId Payments = Id.New<ComponentId>(Now), Search = Id.New<ComponentId>(Now.AddSeconds(1));

    static Incident Declared(DateTimeOffset? startedAt = null)
    {
        var incident = new Incident("Card payments fail", Severity.P1, null, startedAt, Now);
        Say(incident, IncidentStatus.Investigating, Now, new(Payments, ComponentStatus.PartialOutage), new(Search, ComponentStatus.DegradedPerformance));
        return incident;
    }

    static IncidentUpdate Say(Incident incident, IncidentStatus status, DateTimeOffset at, params ComponentChange[] changes) =>
        incident.Post(status, $"Now {status}.", UpdateVisibility.Public, changes, Cast.Bob, at);

    static string? FieldOf(Func<object?> refused) => Assert.Throws<DomainException>(() => { refused(); }).Field;

    static string? FieldOf(Action refused) => Assert.Throws<DomainException>(refused).Field;

    [Fact]
    public void An_update_tells_the_status_that_each_component_had_before()
    {
        var incident = Declared();
        var update = Say(incident, IncidentStatus.Identified, Now.AddMinutes(5), new ComponentChange(Payments, ComponentStatus.MajorOutage));
        Assert.Equal([new AffectedComponent(Payments, ComponentStatus.PartialOutage, ComponentStatus.MajorOutage)], update.Affected);
        Assert.Equal(ComponentStatus.MajorOutage, incident.Current.Single(e => e.ComponentId == Payments).Status);
        Assert.Equal(Now.AddMinutes(5), incident.Effects.Single(e => e.Status == ComponentStatus.PartialOutage).To);
        Assert.Equal(ComponentStatus.DegradedPerformance, incident.Current.Single(e => e.ComponentId == Search).Status);
    }

    [Fact]
    public void Resolving_ends_every_effect_but_those_that_are_named()
    {
        var incident = Declared();
        incident.Promise(Now.AddMinutes(30), Now);
        Say(incident, IncidentStatus.Resolved, Now.AddHours(1), new ComponentChange(Search, ComponentStatus.DegradedPerformance));
        Assert.Equal((Now.AddHours(1), (DateTimeOffset?)null), (incident.ResolvedAt, incident.NextUpdateBy));
        Assert.Equal(Now.AddHours(1), incident.Effects.Single(e => e.ComponentId == Payments).To);
        Assert.Null(incident.Effects.Single(e => e.ComponentId == Search).To);
    }

    [Fact]
    public void A_component_that_stayed_affected_after_the_resolution_can_still_recover()
    {
        var incident = Declared();
        Say(incident, IncidentStatus.Resolved, Now.AddHours(1), new ComponentChange(Search, ComponentStatus.DegradedPerformance));
        Assert.Equal("components", FieldOf(() => Say(incident, IncidentStatus.Resolved, Now.AddHours(2), new ComponentChange(Payments, ComponentStatus.PartialOutage))));
        Say(incident, IncidentStatus.Postmortem, Now.AddHours(2), new ComponentChange(Search, ComponentStatus.Operational));
        Assert.All(incident.Effects, e => Assert.NotNull(e.To));
        Assert.Equal(IncidentStatus.Postmortem, incident.Status);
        Assert.Equal(Now.AddHours(1), incident.ResolvedAt);
    }

    [Fact]
    public void A_resolved_incident_is_history_and_a_post_mortem_follows_only_a_resolution()
    {
        var incident = Declared();
        Assert.Equal("status", FieldOf(() => Say(incident, IncidentStatus.Postmortem, Now)));
        Say(incident, IncidentStatus.Resolved, Now.AddHours(1));
        Assert.Equal("status", FieldOf(() => Say(incident, IncidentStatus.Investigating, Now.AddHours(2))));
        Say(incident, IncidentStatus.Postmortem, Now.AddHours(3));
        Assert.Equal(3, incident.Updates.Count);
    }

    [Fact]
    public void A_back_dated_incident_affects_its_components_from_when_it_began()
    {
        var incident = Declared(startedAt: Now.AddHours(-2));
        Assert.All(incident.Effects, e => Assert.Equal(Now.AddHours(-2), e.From));
        Say(incident, IncidentStatus.Identified, Now.AddMinutes(1), new ComponentChange(Payments, ComponentStatus.MajorOutage));
        Assert.Equal(Now.AddMinutes(1), incident.Current.Single(e => e.ComponentId == Payments).From);
        Assert.Equal("startedAt", FieldOf(() => new Incident("x", Severity.P3, null, Now.AddDays(-400), Now)));
        Assert.Equal("startedAt", FieldOf(() => new Incident("x", Severity.P3, null, Now.AddHours(1), Now)));
    }

    [Fact]
    public void An_incident_that_is_recorded_when_it_is_over_holds_no_component_beyond_its_end()
    {
        Incident Recorded(DateTimeOffset? end, IncidentStatus status = IncidentStatus.Resolved)
        {
            var incident = new Incident("Card payments failed", Severity.P1, null, Now.AddHours(-2), Now);
            incident.Post(status, "It is over.", UpdateVisibility.Public, [new(Payments, ComponentStatus.MajorOutage)], Cast.Bob, Now, resolvedAt: end);
            return incident;
        }
        foreach (var (given, end) in new[] { ((DateTimeOffset?)null, Now), (Now.AddHours(-1), Now.AddHours(-1)), (Now.AddSeconds(30), Now) })
        {
            var incident = Recorded(given);
            var effect = Assert.Single(incident.Effects);
            Assert.Equal((ComponentStatus.MajorOutage, Now.AddHours(-2), end, end), (effect.Status, effect.From, effect.To, incident.ResolvedAt));
        }
        Assert.Equal("resolvedAt", FieldOf(() => Recorded(Now.AddHours(-3))));
        Assert.Equal("resolvedAt", FieldOf(() => Recorded(Now.AddHours(1))));
        Assert.Equal("resolvedAt", FieldOf(() => Recorded(Now.AddHours(-1), IncidentStatus.Monitoring)));
        Assert.Equal("resolvedAt", FieldOf(() => Declared().Post(IncidentStatus.Resolved, "x", UpdateVisibility.Public, [], Cast.Bob, Now.AddHours(1), resolvedAt: Now)));
    }

    [Fact]
    public void A_promise_lies_in_the_next_seven_days_and_ends_with_the_incident()
    {
        var incident = Declared();
        Assert.Equal("nextUpdateBy", FieldOf(() => incident.Promise(Now, Now)));
        Assert.Equal("nextUpdateBy", FieldOf(() => incident.Promise(Now.AddDays(8), Now)));
        incident.Promise(Now.AddMinutes(15), Now);
        Assert.Equal(Now.AddMinutes(15), incident.NextUpdateBy);
        Say(incident, IncidentStatus.Resolved, Now.AddMinutes(5));
        Assert.Equal("nextUpdateBy", FieldOf(() => incident.Promise(Now.AddHours(1), Now.AddMinutes(5))));
    }

    [Fact]
    public void A_note_for_the_team_changes_nothing_that_customers_see()
    {
        var incident = Declared();
        var before = incident.UpdatedAt;
        var note = incident.Post(IncidentStatus.Resolved, "Looks fixed.", UpdateVisibility.Internal, [], Cast.Bob, Now.AddMinutes(3));
        Assert.Equal((IncidentStatus.Investigating, before), (incident.Status, incident.UpdatedAt));
        Assert.Equal(IncidentStatus.Investigating, note.Status);
        Assert.Equal("components", FieldOf(() => incident.Post(IncidentStatus.Investigating, "x", UpdateVisibility.Internal, [new(Payments, ComponentStatus.Operational)], Cast.Bob, Now)));
    }

    [Fact]
    public void An_edit_keeps_the_old_text_and_a_second_edit_of_the_same_text_is_refused_with_what_stands()
    {
        var incident = Declared();
        var update = incident.Updates[0];
        var invented = Assert.Throws<ConflictException>(() => incident.Edit(update.Id, "Payments fail for some.", 7, Cast.Alice, Now.AddMinutes(1)));
        Assert.Equal("Now Investigating.", invented.Current);
        incident.Edit(update.Id, "Payments fail for some.", 0, Cast.Alice, Now.AddMinutes(1));
        Assert.Equal(("Payments fail for some.", "Now Investigating.", "Alice"), (update.Body, update.Revisions[0].Body, update.Revisions[0].ReplacedBy));
        var conflict = Assert.Throws<ConflictException>(() => incident.Edit(update.Id, "Payments fail for all.", 0, Cast.Bob, Now.AddMinutes(2)));
        Assert.Equal("Payments fail for some.", conflict.Current);
        Assert.Contains("Alice", conflict.Message, StringComparison.Ordinal);
        Assert.Single(update.Revisions);
    }

    [Theory]
    [InlineData(Severity.P0, Indicator.Critical, 15)]
    [InlineData(Severity.P1, Indicator.Major, 30)]
    [InlineData(Severity.P2, Indicator.Minor, 60)]
    [InlineData(Severity.P3, Indicator.None, 240)]
    public void A_severity_brings_its_usual_impact_and_promise(Severity severity, Indicator impact, int minutes)
    {
        Assert.Equal(impact, new Incident("x", severity, null, null, Now).Impact);
        Assert.Equal(Indicator.None, new Incident("x", severity, Indicator.None, null, Now).Impact);
        Assert.Equal(TimeSpan.FromMinutes(minutes), severity.UpdateEvery());
    }
}
