using Microsoft.EntityFrameworkCore;
using Portal.Domain.Notifications;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Notifications;

/// <summary>Channels in the order of their names, with what went out by them last. Secrets are not among it.</summary>
public sealed class ChannelList(IDbContextFactory<PortalDbContext> contexts)
{
    /// <param name="Failure">The newest one; null where there was none.</param>
    public sealed record Row(Channel Channel, DateTimeOffset? LastSentAt, DateTimeOffset? FailedAt, string? Failure, IReadOnlyList<string> UsedBy);

    /// <remarks>A hundred at most: they are read whole.</remarks>
    public async Task<IReadOnlyList<Row>> Load(Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageChannels);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var rows = await db.Channels.AsNoTracking().OrderBy(c => c.Name).Select(c => new
        {
            Channel = c,
            Sent = db.Deliveries.Where(d => d.ChannelId == c.Id && d.SentAt != null).Max(d => d.SentAt),
            Failed = db.Deliveries.Where(d => d.ChannelId == c.Id && d.State == DeliveryState.Failed).OrderByDescending(d => d.EndedAt).Select(d => new { d.EndedAt, d.LastError }).FirstOrDefault(),
        }).ToListAsync(ct);
        var uses = await ChannelUses.Of(db, ct);
        return [.. rows.Select(r => new Row(r.Channel, r.Sent, r.Failed?.EndedAt, r.Failed?.LastError, uses[r.Channel.Id]))];
    }
}

/// <summary>Who is reached by which channel.</summary>
static class ChannelUses
{
    public sealed class Users(ILookup<ChannelId, string> names)
    {
        public IReadOnlyList<string> this[ChannelId id] => [.. names[id]];
    }

    public static async Task<Users> Of(PortalDbContext db, CancellationToken ct)
    {
        var contacts = await (from c in db.Contacts join p in db.People on c.PersonId equals p.Id where c.ChannelId != null select new { Id = c.ChannelId!.Value, p.Name }).Distinct().ToListAsync(ct);
        var groups = await db.ContactGroups.AsNoTracking().ToListAsync(ct);
        var policies = await db.EscalationPolicies.AsNoTracking().ToListAsync(ct);
        var uses = contacts.Select(c => (c.Id, c.Name))
            .Concat(groups.SelectMany(g => g.Members.Where(m => m.Channel is not null).Select(m => (m.Channel!.Value, $"the group {g.Name}"))))
            .Concat(policies.SelectMany(p => p.Current.Steps.SelectMany(s => s.Targets).Where(t => t.Kind == EscalationTargetKind.Channel).Select(t => (new ChannelId(t.Id), $"the policy {p.Name}"))));
        return new Users(uses.Distinct().ToLookup(u => u.Item1, u => u.Item2));
    }
}
