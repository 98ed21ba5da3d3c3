using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Incidents;
using Portal.Domain.Notifications;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.OnCall;

/// <summary>Everything that on-call is answered from for a range of time: who is on call, who would be paged, what is missing. For what is saved and for a draft alike.</summary>
public sealed class OnCallDesk(IDbContextFactory<PortalDbContext> contexts)
{
    public sealed record Somebody(PersonId Id, string Name, bool IsActive, bool HasContact);

    /// <param name="PolicyOf">Null: an alert of that severity pages nobody.</param>
    public sealed record ServiceRoute(string Name, string Slug, Func<Severity, EscalationPolicyId?> PolicyOf, SupportHours? Hours);

    public async Task<View> Load(Interval range, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var rosters = await Rosters.Load(db, range, null, ct);
        var rotations = await db.Rotations.AsNoTracking().OrderBy(r => r.Name).ThenBy(r => r.Id).ToListAsync(ct);
        var people = await db.People.AsNoTracking().OrderBy(p => p.Name).ThenBy(p => p.Id).Select(p => new { p.Id, p.Name, p.Email, Active = p.DeactivatedAt == null }).ToListAsync(ct);
        var own = (await db.Contacts.AsNoTracking().Where(c => c.VerifiedAt != null).OrderBy(c => c.AfterMinutes).ThenBy(c => c.CreatedAt).Select(c => new { c.PersonId, c.Kind, c.Address, c.AfterMinutes }).ToListAsync(ct)).ToLookup(c => c.PersonId);
        var contacts = people.Where(p => p.Active).ToDictionary(p => p.Id, p => (IReadOnlyList<PersonalContact>)(own[p.Id].Any()
            ? [.. own[p.Id].Select(c => new PersonalContact(OnCallWords.Of(c.Kind), c.Address, TimeSpan.FromMinutes(c.AfterMinutes), true))]
            // Whoever has none is told by the address that they sign in with, and everybody is warned of it.
            : [new PersonalContact("mail", p.Email, TimeSpan.Zero, false)]));
        var policies = await db.EscalationPolicies.AsNoTracking().OrderBy(p => p.Name).ThenBy(p => p.Id).ToListAsync(ct);
        var services = await db.Services.AsNoTracking().OrderBy(s => s.Name).ToListAsync(ct);
        var names = new Dictionary<EscalationTarget, string>();
        foreach (var person in people.Where(p => p.Active)) names[EscalationTarget.Of(person.Id)] = person.Name;
        foreach (var schedule in rosters.Schedules) names[EscalationTarget.Of(schedule.Id)] = schedule.Name;
        foreach (var channel in await db.Channels.AsNoTracking().Where(c => c.DisabledAt == null).Select(c => new { c.Id, c.Name }).ToListAsync(ct)) names[EscalationTarget.Of(channel.Id)] = channel.Name;
        foreach (var group in await db.ContactGroups.AsNoTracking().Select(g => new { g.Id, g.Name }).ToListAsync(ct)) names[EscalationTarget.Of(group.Id)] = group.Name;
        return new(range, rosters, rotations, [.. people.Select(p => new Somebody(p.Id, p.Name, p.Active, own[p.Id].Any()))], policies, [.. services.Select(s => new ServiceRoute(s.Name, s.Slug, s.Policies.Of, s.Hours))], names, contacts);
    }

    /// <param name="Range">Overrides outside of it are not known here.</param>
    /// <param name="Targets">What a step can tell, by name.</param>
    public sealed record View(Interval Range, Rosters Rosters, IReadOnlyList<Rotation> Rotations, IReadOnlyList<Somebody> People, IReadOnlyList<EscalationPolicy> Policies, IReadOnlyList<ServiceRoute> Services,
        IReadOnlyDictionary<EscalationTarget, string> Targets, IReadOnlyDictionary<PersonId, IReadOnlyList<PersonalContact>> Contacts)
    {
        readonly Dictionary<PersonId, Somebody> byId = People.ToDictionary(p => p.Id);

        public string NameOf(PersonId person) => byId.TryGetValue(person, out var found) ? found.Name : "Somebody who is gone";

        public Somebody? Find(PersonId person) => byId.GetValueOrDefault(person);

        public string NameOf(EscalationTarget target) => Targets.GetValueOrDefault(target) ?? "something that is gone";

        /// <summary>A schedule whose layers somebody is changing: overrides stay as they are.</summary>
        public Roster Draft(string zone, IEnumerable<OnCallLayer> layers, OnCallSchedule? saved) =>
            new(zone, [.. layers.Select(l => new RosterLayer(l.Name, l.Rotation is { } id ? Rotations.FirstOrDefault(r => r.Id == id) : null, l.Person, l.Only))], saved?.Overrides ?? [], saved?.Temporaries ?? []);

        /// <param name="drafts">Instead of what is saved of a schedule.</param>
        public IReadOnlyList<PlannedPage> Plan(EscalationPolicyVersion version, DateTimeOffset firstAt, IReadOnlyDictionary<OnCallScheduleId, Roster>? drafts = null) =>
            EscalationPlan.Of(version, firstAt, (id, at) => drafts?.GetValueOrDefault(id) is { } draft ? draft.OnCallAt(at).Select(p => p.Person) : Rosters.OnCallAt(id, at), person => Contacts.GetValueOrDefault(person) ?? []);

        /// <summary>What is wrong with a policy, seen without sending anything.</summary>
        public IReadOnlyList<PathFinding> Check(EscalationPolicyVersion version, DateTimeOffset now) =>
            PathChecks.Of(version, new(target => Targets.GetValueOrDefault(target), id => Rosters[id], person => Contacts.GetValueOrDefault(person) ?? []), now);

        /// <summary>One after the other, each as long as somebody is on call without a break.</summary>
        public IEnumerable<(OnCallSchedule Schedule, Shift Shift)> ShiftsOf(PersonId person, DateTimeOffset from, DateTimeOffset to) =>
            Rosters.Schedules.SelectMany(s => Rosters[s.Id]!.Shifts(from, to).Where(h => h.Person == person).Select(h => (s, h))).OrderBy(x => x.h.Time.From);
    }
}
