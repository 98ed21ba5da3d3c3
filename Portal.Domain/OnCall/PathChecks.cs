using System.Globalization;
using Portal.Domain.Access;
using Portal.Domain.Shared;

namespace Portal.Domain.OnCall;

/// <summary>What is wrong with the way of an alert to people, seen without sending anything.</summary>
public enum PathFault
{
    NoSteps,
    /// <summary>A step tells nobody, or only what is gone.</summary>
    EmptyStep,
    /// <summary>A step names what is gone, besides others.</summary>
    TargetGone,
    /// <summary>A schedule of a step has nobody at some time.</summary>
    Gap,
    /// <summary>At some time a step reaches nobody at all.</summary>
    StepReachesNobody,
    NoContacts,
    /// <summary>None of a person's contacts is verified.</summary>
    UnverifiedContacts,
    /// <summary>Every way to every person of the policy ends at one address.</summary>
    OneAddress,
}

/// <summary>One thing that is wrong.</summary>
/// <param name="Words">Safe to show: what, and the way out.</param>
/// <param name="Step">From 0; null where it is about a person or the whole policy.</param>
/// <param name="When">The first time at which it is so; null where it always is.</param>
public sealed record PathFinding(PathFault Fault, string Words, int? Step = null, PersonId? Person = null, Interval? When = null);

/// <summary>What checks look up.</summary>
/// <param name="Name">A target's name; null if it is gone.</param>
/// <param name="Roster">Of a schedule; null if it is gone.</param>
/// <param name="Contacts">A person's own.</param>
public sealed record PathLookups(Func<EscalationTarget, string?> Name, Func<OnCallScheduleId, Roster?> Roster, Func<PersonId, IReadOnlyList<PersonalContact>> Contacts);

/// <summary>The static checks of an alert test: a policy, the schedules that it names over the next 30 days, and the contacts of everybody who is on call in them.</summary>
public static class PathChecks
{
    /// <summary>How far gaps are looked for.</summary>
    public static readonly TimeSpan Horizon = TimeSpan.FromDays(30);

    /// <returns>Empty if nothing is wrong; steps first, in their order, then people.</returns>
    public static IReadOnlyList<PathFinding> Of(EscalationPolicyVersion version, PathLookups lookups, DateTimeOffset now)
    {
        if (version.Steps.Count == 0) return [new(PathFault.NoSteps, "The policy has no step: nobody is told. Add one.")];
        var (findings, people) = (new List<PathFinding>(), new HashSet<PersonId>());
        for (var i = 0; i < version.Steps.Count; i++) findings.AddRange(OfStep(version.Steps[i], i, lookups, now, people));
        findings.AddRange(OfPeople(people, lookups, version.Steps.SelectMany(s => s.Targets)));
        return findings;
    }

    static IEnumerable<PathFinding> OfStep(EscalationStep step, int index, PathLookups lookups, DateTimeOffset now, HashSet<PersonId> people)
    {
        var there = step.Targets.Where(t => lookups.Name(t) is not null).ToList();
        if (there.Count == 0)
        {
            yield return new(PathFault.EmptyStep, $"Step {index + 1} tells nobody. Give it a person, a schedule or a channel, or remove it.", index);
            yield break;
        }
        if (there.Count < step.Targets.Count) yield return new(PathFault.TargetGone, $"Step {index + 1} names what is gone. Choose its targets again.", index);
        var (until, silent) = (now + Horizon, (List<Interval>?)null);
        foreach (var target in there)
        {
            List<Interval> gaps = [];
            if (target.Person is { } person) people.Add(person);
            if (target.Schedule is { } schedule)
            {
                var stretches = lookups.Roster(schedule)?.Stretches(now, until) ?? [new(new(now, until), [])];
                people.UnionWith(stretches.SelectMany(s => s.People).Select(p => p.Person));
                gaps = WeeklyTimes.Merged(stretches.Where(s => s.People.Count == 0).Select(s => s.Time));
                if (gaps.Count > 0) yield return new(PathFault.Gap, $"Step {index + 1}: nobody is on call in {lookups.Name(target)} {Words(gaps, now)}. Fill the gap with a layer or an override.", index, When: gaps[0]);
            }
            silent = silent is null ? gaps : Both(silent, gaps);
        }
        if (silent is { Count: > 0 }) yield return new(PathFault.StepReachesNobody, $"Step {index + 1} reaches nobody {Words(silent, now)}.", index, When: silent[0]);
    }

    static IEnumerable<PathFinding> OfPeople(HashSet<PersonId> people, PathLookups lookups, IEnumerable<EscalationTarget> targets)
    {
        var addresses = new List<string>();
        foreach (var person in people)
        {
            var (name, contacts) = (lookups.Name(EscalationTarget.Of(person)) ?? "Somebody who is gone", lookups.Contacts(person));
            addresses.AddRange(contacts.Select(c => c.Address));
            if (contacts.Count == 0) yield return new(PathFault.NoContacts, $"{name} has no contact and cannot be paged. Add one, or put somebody else on call.", Person: person);
            else if (!contacts.Any(c => c.IsVerified)) yield return new(PathFault.UnverifiedContacts, $"{name} has no verified contact. Send a code and enter it.", Person: person);
        }
        if (addresses.Count > 1 && addresses.Distinct(StringComparer.OrdinalIgnoreCase).Count() == 1 && targets.All(t => t.Kind is EscalationTargetKind.Person or EscalationTargetKind.Schedule))
            yield return new(PathFault.OneAddress, "Every way of this policy ends at one address: where that is down or not looked at, nobody is reached. Add a second contact.");
    }

    /// <summary>When both are.</summary>
    static List<Interval> Both(List<Interval> some, List<Interval> others) =>
        [.. some.SelectMany(a => others.Select(a.Intersect)).Where(i => !i.IsEmpty).OrderBy(i => i.From)];

    static string Words(List<Interval> spans, DateTimeOffset now)
    {
        if (spans is [var whole] && whole.From <= now && whole.Length >= Horizon) return "in the next 30 days";
        var first = $"from {Moment(spans[0].From)} to {Moment(spans[0].To)}";
        return spans.Count == 1 ? first : $"{first}, and {spans.Count - 1} more {(spans.Count == 2 ? "time" : "times")} in the next 30 days";
    }

    static string Moment(DateTimeOffset at) => at.UtcDateTime.ToString("d MMM, HH:mm 'UTC'", CultureInfo.InvariantCulture);
}
