using System.Text.Json;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Tests.Support;
using static Portal.Tests.Alerting.AlertingRig;

namespace Portal.Tests.Alerting;

/// <summary>What alerts, signals, services and silences do by themselves.</summary>
public class AlertDomainTests
{
    static readonly DateTimeOffset Noon = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);
    static readonly ServiceId Shop = new(Guid.Parse("00000000-0000-7000-8000-000000000001"));

    static Alert New(string key = "disk", Severity severity = Severity.P1, DateTimeOffset? at = null, DateTimeOffset? now = null, bool isTest = false) => new(Shop, Signal(key, severity: severity, at: at) with { IsTest = isTest }, now ?? Noon);

    [Fact]
    public void An_alert_begins_with_a_trigger_and_believes_its_source_when_it_began_within_a_day()
    {
        Assert.Equal("action", Assert.Throws<DomainException>(() => new Alert(Shop, Signal("disk", SignalAction.Resolve), Noon)).Field);
        Assert.Equal(Noon.AddMinutes(-5), New(at: Noon.AddMinutes(-5)).BeganAt);
        Assert.Equal(Noon, New(at: Noon.AddMinutes(5)).BeganAt);
        Assert.Equal(Noon, New(at: Noon.AddDays(-2)).BeganAt);
        Assert.Equal(Noon, New().BeganAt);
    }

    [Fact]
    public void Heard_again_it_counts_keeps_the_worst_and_tells_the_latest()
    {
        var alert = New(severity: Severity.P2);
        Assert.False(alert.Again(Signal("disk", severity: Severity.P3, summary: "milder"), Noon.AddMinutes(1)));
        Assert.Equal((2L, Severity.P2, "milder", Noon.AddMinutes(1), Noon), (alert.Count, alert.Severity, alert.Summary, alert.LastAt, alert.TriggeredAt));
        Assert.True(alert.Again(Signal("disk", severity: Severity.P0), Noon.AddMinutes(2)));
        Assert.Equal(Severity.P0, alert.Severity);
        alert.Resolve("Bob", Noon.AddMinutes(3));
        Assert.Throws<DomainException>(() => alert.Again(Signal("disk"), Noon.AddMinutes(4)));
    }

    [Fact]
    public void The_first_person_who_takes_it_ends_MTTA_and_a_program_does_not()
    {
        var alert = New();
        alert.Acknowledge(Actor.System, Noon.AddMinutes(1));
        Assert.Null(alert.FirstHumanAt);
        alert.Acknowledge(Cast.Bob, Noon.AddMinutes(2));
        alert.Release();
        alert.Acknowledge(Cast.Alice, Noon.AddMinutes(9));
        Assert.Equal((Noon.AddMinutes(2), "Alice", Noon.AddMinutes(9)), (alert.FirstHumanAt, alert.AcknowledgedBy, alert.AcknowledgedAt));
    }

    [Fact]
    public void Its_source_ends_it_when_it_says_unless_that_cannot_be_and_an_end_stays()
    {
        Alert Ended(DateTimeOffset? at)
        {
            var alert = New();
            alert.End(at, Noon.AddMinutes(10));
            return alert;
        }
        Assert.Equal(Noon.AddMinutes(4), Ended(Noon.AddMinutes(4)).EndedAt);
        Assert.Equal(Noon.AddMinutes(10), Ended(Noon.AddMinutes(11)).EndedAt);
        Assert.Equal(Noon.AddMinutes(10), Ended(Noon.AddMinutes(-1)).EndedAt);
        Assert.Equal(Noon.AddMinutes(10), Ended(null).EndedAt);
        var byHand = New();
        byHand.Resolve("Bob", Noon.AddMinutes(1));
        byHand.End(null, Noon.AddMinutes(2));
        Assert.Equal(("Bob", Noon.AddMinutes(1), null), (byHand.ResolvedBy, byHand.ResolvedAt, byHand.EndedAt));
    }

    [Fact]
    public void It_takes_others_of_its_kind_within_the_window_since_the_last_and_for_a_day_at_most()
    {
        var (head, window) = (New("a"), TimeSpan.FromMinutes(5));
        Alert At(int minutes, Severity severity = Severity.P1, bool isTest = false) => New($"b{minutes}", severity, now: Noon.AddMinutes(minutes), isTest: isTest);
        Assert.True(head.Takes(At(4), window, Noon.AddMinutes(4)));
        Assert.False(head.Takes(At(5), window, Noon.AddMinutes(5)));
        Assert.False(head.Takes(At(1, Severity.P0), window, Noon.AddMinutes(1)));
        Assert.False(head.Takes(At(1, isTest: true), window, Noon.AddMinutes(1)));
        Assert.False(head.Takes(At(0), TimeSpan.Zero, Noon));
        At(4).Join(head, Noon.AddMinutes(4));
        Assert.True(head.Takes(At(8), window, Noon.AddMinutes(8)));
        for (var minute = 8; minute < 1_440; minute += 4) At(minute).Join(head, Noon.AddMinutes(minute));
        Assert.True(head.Takes(At(1_439), window, Noon.AddMinutes(1_439)));
        Assert.False(head.Takes(At(1_440), window, Noon.AddMinutes(1_440)));
        var member = At(2);
        member.Join(head, Noon);
        Assert.Throws<DomainException>(() => At(3).Join(member, Noon));
        Assert.Throws<DomainException>(() => head.Join(head, Noon));
    }

    [Fact]
    public void A_silence_needs_labels_a_reason_and_an_end_and_covers_what_has_all_of_them_until_then()
    {
        Silence Made(IReadOnlyList<AlertLabel> labels, TimeSpan length, string reason = "Known") => new(labels, Noon, Noon + length, reason, "Bob", Noon);
        var (env, team) = (new AlertLabel("env", "test"), new AlertLabel("team", "shop"));
        Assert.Equal("labels", Assert.Throws<DomainException>(() => Made([], TimeSpan.FromHours(1))).Field);
        Assert.Equal("to", Assert.Throws<DomainException>(() => Made([env], TimeSpan.Zero)).Field);
        Assert.Equal("to", Assert.Throws<DomainException>(() => Made([env], TimeSpan.FromDays(32))).Field);
        Assert.Equal("reason", Assert.Throws<DomainException>(() => Made([env], TimeSpan.FromHours(1), " ")).Field);
        var silence = Made([env, team], TimeSpan.FromHours(1));
        Assert.True(silence.Covers([team, env, new("x", "y")], Noon));
        Assert.False(silence.Covers([env], Noon));
        Assert.False(silence.Covers([env, team], Noon.AddHours(1)));
        silence.End(Noon.AddMinutes(10));
        Assert.False(silence.Covers([env, team], Noon.AddMinutes(10)));
        silence.End(Noon.AddMinutes(20));
        Assert.Equal(Noon.AddMinutes(10), silence.To);
    }

    [Fact]
    public void A_signal_is_cut_to_its_bounds_and_long_keys_stay_different()
    {
        var text = new string('x', 5_000);
        var signal = new AlertSignal(SignalAction.Trigger, text + "1", Severity.P1, text, text, new([.. Enumerable.Range(0, 100).Select(i => new AlertLabel(text, text))]), $"\"{text}\"", "ftp://example.com", By: text).Bounded();
        Assert.Equal((255, 1_024, 255, 64, 255, 100), (signal.Key.Length, signal.Summary.Length, signal.Source.Length, signal.Labels.Count, signal.Labels[0].Value.Length, signal.By!.Length));
        Assert.Null(signal.Link);
        Assert.NotEqual(signal.Key, (signal with { Key = text + "2" }).Bounded().Key);
        Assert.Equal(signal, signal.Bounded());
        Assert.Null((signal with { Details = $"\"{new string('x', AlertSignal.DetailsLength)}\"" }).Bounded().Details);
        Assert.Null((signal with { Details = "{" }).Bounded().Details);
    }

    [Fact]
    public void What_cannot_be_stored_is_replaced()
    {
        // Not as data of a theory: half a character does not survive the way to it.
        foreach (var (given, stored) in new[] { ("a\0b\u0007c", "a b c"), ("half \ud800 of it", "half \ufffd of it"), ("whole \ud83d\ude00", "whole \ud83d\ude00") })
        {
            var signal = (Signal("k") with { Key = given, Summary = given, Source = given, Labels = new([new(given, given)]), Details = JsonSerializer.Serialize(new Dictionary<string, string> { ["a\0"] = "b\0" }) }).Bounded();
            Assert.Equal((stored, stored, stored, new AlertLabel(stored, stored)), (signal.Key, signal.Summary, signal.Source, signal.Labels[0]));
            Assert.DoesNotContain("\\u0000", signal.Details, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_happens_to_an_alert_in_one_instant_stays_in_its_order()
    {
        var alert = New();
        var events = Enumerable.Range(0, 20_000).Select(i => new AlertEvent(alert.Id, AlertEventKind.Noted, null, $"{i}", Noon)).ToList();
        Assert.Equal(events, events.OrderBy(e => e.Id.ToString("N"), StringComparer.Ordinal));
        Assert.All(events, e => Assert.Equal((7, 8), (e.Id.Version, e.Id.Variant & 0xc)));
    }

    [Fact]
    public void A_text_is_never_cut_in_the_midst_of_a_character() =>
        Assert.Equal(new string('x', 1_022) + "…", (Signal("k") with { Summary = new string('x', 1_022) + "\ud83d\ude00\ud83d\ude00" }).Bounded().Summary);

    [Fact]
    public void A_service_has_a_name_bounds_and_policies_by_severity()
    {
        var none = new SeverityPolicies(null, null, null, null);
        Service Made(string name = "Shop", string? slug = null, int? acknowledgedFor = null, int groupFor = 0) => new(new(name, slug, null, none, null, acknowledgedFor, groupFor, null, []), [1], [2], Noon);
        Assert.Equal("payments-api", Made("Payments API").Slug);
        Assert.Equal("name", Assert.Throws<DomainException>(() => Made(" ")).Field);
        Assert.Equal("slug", Assert.Throws<DomainException>(() => Made(slug: "No Slug")).Field);
        Assert.Equal("acknowledgedFor", Assert.Throws<DomainException>(() => Made(acknowledgedFor: 0)).Field);
        Assert.Equal("acknowledgedFor", Assert.Throws<DomainException>(() => Made(acknowledgedFor: 10_081)).Field);
        Assert.Equal("groupFor", Assert.Throws<DomainException>(() => Made(groupFor: 1_441)).Field);
        var service = Made();
        var (policy, other) = (new Domain.OnCall.EscalationPolicyId(Guid.CreateVersion7()), new Domain.OnCall.EscalationPolicyId(Guid.CreateVersion7()));
        service.Change(service.Settings with { Policies = new(policy, policy, null, other) });
        Assert.Equal([policy, policy, null, other], Enum.GetValues<Severity>().Select(service.Policies.Of));
    }
}
