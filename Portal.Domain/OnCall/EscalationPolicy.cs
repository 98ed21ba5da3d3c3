using Portal.Domain.Access;
using Portal.Domain.Notifications;
using Portal.Domain.Shared;

namespace Portal.Domain.OnCall;

public readonly record struct EscalationPolicyId(Guid Value) : IId<EscalationPolicyId>
{
    public static EscalationPolicyId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>What kind of thing a step tells.</summary>
public enum EscalationTargetKind
{
    Person,
    /// <summary>Whoever is on call when the step fires.</summary>
    Schedule,
    /// <summary>A place where many read: a Slack channel, a webhook.</summary>
    Channel,
    /// <summary>Addresses that are told together: development, operations, PagerDuty.</summary>
    ContactGroup,
}

/// <summary>One that a step tells.</summary>
/// <param name="Id">Of that kind.</param>
public readonly record struct EscalationTarget(EscalationTargetKind Kind, Guid Id)
{
    public static EscalationTarget Of(PersonId person) => new(EscalationTargetKind.Person, person.Value);
    public static EscalationTarget Of(OnCallScheduleId schedule) => new(EscalationTargetKind.Schedule, schedule.Value);
    public static EscalationTarget Of(ChannelId channel) => new(EscalationTargetKind.Channel, channel.Value);
    public static EscalationTarget Of(ContactGroupId group) => new(EscalationTargetKind.ContactGroup, group.Value);

    public PersonId? Person => Kind == EscalationTargetKind.Person ? new PersonId(Id) : null;
    public OnCallScheduleId? Schedule => Kind == EscalationTargetKind.Schedule ? new OnCallScheduleId(Id) : null;
}

/// <summary>One step of a policy: all its targets are told at once.</summary>
/// <param name="DelayMinutes">How long the next step waits for somebody to acknowledge; 0 to 10,080 (a week).</param>
public sealed record EscalationStep(Listed<EscalationTarget> Targets, int DelayMinutes)
{
    public const int MostTargets = 50;
    public const int LongestDelay = 10_080;

    /// <summary>Who is told if the step fires at this instant; a person once, however often they are meant. A schedule in which nobody is on call stands there without a person.</summary>
    /// <param name="onCall">Who is on call by a schedule at an instant.</param>
    public IReadOnlyList<Told> At(DateTimeOffset at, Func<OnCallScheduleId, DateTimeOffset, IEnumerable<PersonId>> onCall)
    {
        var (told, people) = (new List<Told>(), new HashSet<PersonId>());
        foreach (var target in Targets)
        {
            IReadOnlyList<PersonId> meant = target.Person is { } person ? [person] : target.Schedule is { } schedule ? [.. onCall(schedule, at)] : [];
            if (meant.Count == 0) told.Add(new(target, null));
            told.AddRange(meant.Where(people.Add).Select(p => new Told(target, p)));
        }
        return told;
    }
}

/// <summary>Who is told by a step.</summary>
/// <param name="Person">Null for a channel and a contact group, and for a schedule in which nobody is on call.</param>
public readonly record struct Told(EscalationTarget Target, PersonId? Person)
{
    /// <summary>A schedule has nobody: this reaches no one.</summary>
    public bool IsNobody => Target.Kind == EscalationTargetKind.Schedule && Person is null;
}

/// <summary>A policy as it stood at some time: never changed, so that an alert goes on as it began.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Repeat">How often all steps are gone through again while nobody acknowledges; 0 to 9.</param>
public sealed record EscalationPolicyVersion(EscalationPolicyId Policy, int Number, Listed<EscalationStep> Steps, int Repeat, string MadeBy, DateTimeOffset MadeAt)
{
    /// <summary>How many steps fire at most if nobody acknowledges.</summary>
    public int StepsInAll => Steps.Count * (Repeat + 1);
}

/// <summary>Who is told of an alert, one step after the other, until somebody acknowledges.</summary>
public sealed class EscalationPolicy
{
    public const int MostSteps = 20;
    public const int MostRepeats = 9;

    EscalationPolicy() { }

    /// <exception cref="DomainException">Names the field.</exception>
    public EscalationPolicy(string name, IReadOnlyList<EscalationStep> steps, int repeat, string by, DateTimeOffset now, EscalationPolicyId? id = null)
    {
        Id = id ?? Shared.Id.New<EscalationPolicyId>(now);
        CreatedAt = now;
        Rename(name);
        Change(steps, repeat, by, now);
    }

    public EscalationPolicyId Id { get; private set; }
    public string Name { get; private set; } = "";
    /// <summary>Oldest first; all are kept, since alerts refer to them.</summary>
    public IReadOnlyList<EscalationPolicyVersion> Versions { get; private set; } = [];
    public DateTimeOffset CreatedAt { get; private set; }
    public uint Version { get; private set; }

    /// <summary>What a new alert begins with.</summary>
    public EscalationPolicyVersion Current => Versions[^1];

    /// <exception cref="NotFoundException">No such version.</exception>
    public EscalationPolicyVersion Numbered(int number) => Versions.FirstOrDefault(v => v.Number == number) ?? throw new NotFoundException("version of the policy");

    public void Rename(string name) => Name = Text.Required(name, "name", "The name", Text.NameLength);

    /// <summary>Makes a new version, unless nothing is different; alerts that are under way keep theirs.</summary>
    /// <exception cref="DomainException">Names the field.</exception>
    public void Change(IReadOnlyList<EscalationStep> steps, int repeat, string by, DateTimeOffset now)
    {
        if (steps.Count is 0 or > MostSteps) throw new DomainException($"A policy has 1 to {MostSteps} steps.", "steps");
        if (repeat is < 0 or > MostRepeats) throw new DomainException($"The steps are repeated 0 to {MostRepeats} times.", "repeat");
        for (var i = 0; i < steps.Count; i++)
        {
            if (steps[i].Targets.Count is 0 or > EscalationStep.MostTargets) throw new DomainException($"Step {i + 1} tells nobody, or too many: it takes 1 to {EscalationStep.MostTargets} targets.", "steps");
            if (steps[i].Targets.Distinct().Count() != steps[i].Targets.Count) throw new DomainException($"Step {i + 1} names a target twice.", "steps");
            if (steps[i].DelayMinutes is < 0 or > EscalationStep.LongestDelay) throw new DomainException($"After step {i + 1} it waits 0 to {EscalationStep.LongestDelay:N0} minutes.", "steps");
        }
        if (repeat > 0 && steps[^1].DelayMinutes == 0) throw new DomainException("Before the steps are repeated somebody needs time to acknowledge: the last one waits at least 1 minute.", "steps");
        if (Versions.Count > 0 && Current.Repeat == repeat && Current.Steps.SequenceEqual(steps)) return;
        Versions = [.. Versions, new(Id, Versions.Count + 1, new(steps), repeat, by, now)];
    }
}
