using Portal.Domain.Access;
using Portal.Domain.Shared;

namespace Portal.Domain.OnCall;

/// <summary>One of a person's own ways to be told, in their own order: push, after 2 min SMS, after 5 a call.</summary>
/// <param name="Way">In words: "push", "SMS", "call".</param>
/// <param name="Address">Where it goes; compared to find out that everything ends in one place.</param>
/// <param name="After">Since the person was paged, as long as they have not acknowledged; zero or longer.</param>
/// <param name="IsVerified">A code that was sent there came back.</param>
public sealed record PersonalContact(string Way, string Address, TimeSpan After, bool IsVerified);

/// <summary>Somebody would be told at this moment.</summary>
/// <param name="Round">0 the first time through the policy.</param>
/// <param name="Step">From 0.</param>
/// <param name="Person">Null for a channel and a contact group, and where nobody is on call.</param>
/// <param name="By">Null where it is no person, or one without any contact: then they are not reached.</param>
public sealed record PlannedPage(DateTimeOffset At, int Round, int Step, EscalationTarget Target, PersonId? Person, PersonalContact? By)
{
    /// <summary>Nobody hears of this one: nobody is on call, or the person has no contact.</summary>
    public bool ReachesNobody => Person is null ? Target.Kind == EscalationTargetKind.Schedule : By is null;
}

/// <summary>"Who would be paged, when and how" if something happened at an instant and nobody acknowledged; the same for a policy that is saved and one that is being edited.</summary>
public static class EscalationPlan
{
    /// <param name="firstAt">When the first step fires; support hours are asked before (<see cref="SupportHours.FirstAt"/>).</param>
    /// <param name="onCall">Who is on call by a schedule at an instant: asked for the moment at which each step fires.</param>
    /// <param name="contacts">A person's own, in any order.</param>
    /// <returns>In the order of time.</returns>
    public static IReadOnlyList<PlannedPage> Of(EscalationPolicyVersion version, DateTimeOffset firstAt,
        Func<OnCallScheduleId, DateTimeOffset, IEnumerable<PersonId>> onCall, Func<PersonId, IReadOnlyList<PersonalContact>> contacts)
    {
        var (pages, at) = (new List<PlannedPage>(), firstAt.ToUniversalTime());
        for (var position = 0; position < version.StepsInAll; position++)
        {
            var (round, index) = Math.DivRem(position, version.Steps.Count);
            foreach (var told in version.Steps[index].At(at, onCall))
            {
                var ways = told.Person is { } person ? contacts(person) : [];
                if (ways.Count == 0) pages.Add(new(at, round, index, told.Target, told.Person, null));
                pages.AddRange(ways.Select(way => new PlannedPage(at + way.After, round, index, told.Target, told.Person, way)));
            }
            at = at.AddMinutes(version.Steps[index].DelayMinutes);
        }
        return [.. pages.OrderBy(p => p.At)];
    }
}
