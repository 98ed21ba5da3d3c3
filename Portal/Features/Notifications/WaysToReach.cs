using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Notifications;
using Portal.Domain.OnCall;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Notifications;

/// <summary>By which messages those are reached whom a step tells: a person's verified contacts in their own order, channels, and the members of contact groups.</summary>
public static class WaysToReach
{
    /// <param name="After">Since the page, as long as nobody acknowledged.</param>
    public sealed record Way(Told Told, DeliveryAddress Address, TimeSpan After);

    /// <summary>Somebody without a verified contact is reached by the mail address that they sign in with. A deactivated person, a disabled channel and a schedule with nobody have no way.</summary>
    /// <remarks>Four queries, however many are told.</remarks>
    public static async Task<IReadOnlyList<Way>> Load(PortalDbContext db, IReadOnlyCollection<Told> told, CancellationToken ct) => [.. (await LoadAll(db, told, ct)).DistinctBy(w => w.Address)];

    /// <summary>As <see cref="Load"/>, for several steps at once: an address that two of them name is there for each.</summary>
    public static async Task<IReadOnlyList<Way>> LoadAll(PortalDbContext db, IReadOnlyCollection<Told> told, CancellationToken ct)
    {
        var groupIds = told.Where(t => t.Target.Kind == EscalationTargetKind.ContactGroup).Select(t => new ContactGroupId(t.Target.Id)).ToList();
        var groups = await db.ContactGroups.AsNoTracking().Where(g => groupIds.Contains(g.Id)).ToDictionaryAsync(g => g.Id, ct);
        var channelIds = told.Where(t => t.Target.Kind == EscalationTargetKind.Channel).Select(t => new ChannelId(t.Target.Id)).Concat(groups.Values.SelectMany(g => g.Members).Select(m => m.Channel).OfType<ChannelId>()).ToList();
        var personIds = told.Select(t => t.Person).OfType<PersonId>().ToList();
        var contacts = (await db.Contacts.AsNoTracking().Where(c => personIds.Contains(c.PersonId) && c.VerifiedAt != null).ToListAsync(ct)).ToLookup(c => c.PersonId);
        channelIds.AddRange(contacts.SelectMany(c => c).Select(c => c.ChannelId).OfType<ChannelId>());
        var channels = await db.Channels.AsNoTracking().Where(c => channelIds.Contains(c.Id) && c.DisabledAt == null).ToDictionaryAsync(c => c.Id, ct);
        var mails = await db.People.AsNoTracking().Where(p => personIds.Contains(p.Id) && p.DeactivatedAt == null).ToDictionaryAsync(p => p.Id, p => p.Email, ct);

        var ways = new List<Way>();
        foreach (var one in told)
            if (one.Person is { } person)
            {
                if (!mails.TryGetValue(person, out var mail)) continue;
                var own = contacts[person].Where(c => c.ChannelId is not { } id || channels.ContainsKey(id)).OrderBy(c => c.AfterMinutes).ThenBy(c => c.CreatedAt).ToList();
                ways.AddRange(own.Select(c => new Way(one, new DeliveryAddress(c.Kind, c.ChannelId, person, c.Id, c.Address), TimeSpan.FromMinutes(c.AfterMinutes))));
                if (own.Count == 0) ways.Add(new(one, new DeliveryAddress(ChannelKind.Email, null, person, null, mail), TimeSpan.Zero));
            }
            else if (one.Target.Kind == EscalationTargetKind.Channel && channels.GetValueOrDefault(new ChannelId(one.Target.Id)) is { } channel) ways.Add(new(one, Of(channel), TimeSpan.Zero));
            else if (one.Target.Kind == EscalationTargetKind.ContactGroup && groups.GetValueOrDefault(new ContactGroupId(one.Target.Id)) is { } group)
                foreach (var member in group.Members)
                    if (member.Email is { } email) ways.Add(new(one, new DeliveryAddress(ChannelKind.Email, null, null, null, email), TimeSpan.Zero));
                    else if (member.Channel is { } id && channels.GetValueOrDefault(id) is { } place) ways.Add(new(one, Of(place), TimeSpan.Zero));
        return ways;
    }

    static DeliveryAddress Of(Channel channel) => new(channel.Kind, channel.Id, null, null, channel.Name);
}
