using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Alerting;
using Portal.Domain.Notifications;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Persistence.Outbox;

namespace Portal.Infrastructure.Notifications;

/// <summary>Writes what became of deliveries, and goes on by the next way where one did not reach anybody: in one transaction each.</summary>
public sealed class DeliveryRecords(IDbContextFactory<PortalDbContext> contexts, NodeName node, TimeProvider clock)
{
    /// <summary>A channel that does not answer for so long is not waited for: the next way is tried beside it.</summary>
    public static readonly TimeSpan SecondWayAfter = TimeSpan.FromMinutes(1);
    /// <summary>The outbox topic of what somebody answered to a message.</summary>
    public const string Answered = "alert.answered";

    /// <summary>What an answer says, as the outbox carries it.</summary>
    public sealed record AnsweredAlert(string Delivery, string Alert, string? Person, string Answer, string By);

    public Task Taken(DeliveryClaim claim, string? providerId, CancellationToken ct) => Settle(claim, async (db, rows, now) =>
    {
        var lead = rows.Single(d => d.Id == claim.Lead);
        var (words, who) = ($"The channel took it at attempt {claim.Attempt}.", await Who(db, lead, ct));
        var provider = providerId is { Length: > 200 } ? providerId[..200] : providerId;
        await db.Database.ExecuteSqlAsync($"update deliveries set state = 'Sent', sent_at = clock_timestamp(), ended_at = clock_timestamp(), last_error = null, provider_id = {provider}, body = case when purpose = 'Code' then '' else body end where id = {lead.Id.Value}", ct);
        Note(db, lead, DeliveryState.Sent, words, AlertEventKind.Delivered, $"{who}: sent", now);
        if (rows.Count > 1)
        {
            var part = $"Part of one message with {rows.Count - 1} others.";
            await db.Database.ExecuteSqlAsync($"update deliveries set state = 'Dropped', ended_at = clock_timestamp(), last_error = {part} where id = any({claim.Others.Select(o => o.Value).ToArray()})", ct);
            foreach (var other in rows.Where(d => d != lead)) Note(db, other, DeliveryState.Dropped, part, AlertEventKind.Delivered, $"{who}: sent as part of one message with {rows.Count - 1} others", now);
        }
        await db.Database.ExecuteSqlAsync($"update deliveries set state = 'Dropped', ended_at = clock_timestamp(), last_error = 'The first way came through.' where instead_of = {lead.Id.Value} and state = 'Waiting' and claimed_by is null", ct);
    }, ct);

    /// <param name="wait">Until the next attempt.</param>
    public Task Later(DeliveryClaim claim, string reason, TimeSpan wait, CancellationToken ct) => Settle(claim, async (db, rows, now) =>
    {
        await db.Database.ExecuteSqlAsync($"update deliveries set claimed_by = null, due_at = clock_timestamp() + {wait}, last_error = {Cut(reason)} where id = any({Ids(claim)}) and state = 'Waiting'", ct);
        foreach (var row in rows.Where(IsWanted))
        {
            db.DeliveryEvents.Add(new DeliveryEvent(row.Id, DeliveryState.Waiting, $"Attempt {claim.Attempt}: {reason} Again in {wait.TotalSeconds:0} s.", now));
            var began = await db.DeliveryEvents.Where(e => e.DeliveryId == row.Id && e.State == DeliveryState.Waiting).MinAsync(e => (DateTimeOffset?)e.At, ct) ?? now;
            // Whoever is woken a minute late by another way is better off than whoever waits for a channel that is broken.
            if (now + wait >= began + SecondWayAfter) await GoOn(db, row, reason, began + SecondWayAfter > now ? began + SecondWayAfter : now, now, ct);
        }
    }, ct);

    public Task Failed(DeliveryClaim claim, string reason, CancellationToken ct) => Settle(claim, async (db, rows, now) =>
    {
        await db.Database.ExecuteSqlAsync($"update deliveries set state = 'Failed', ended_at = clock_timestamp(), last_error = {Cut(reason)}, body = case when purpose = 'Code' then '' else body end where id = any({Ids(claim)}) and state = 'Waiting'", ct);
        foreach (var row in rows.Where(IsWanted)) await Fail(db, row, reason, now, ct);
        if (claim.IsCap && rows[0].ChannelId is { } channel && await db.Channels.AsNoTracking().SingleOrDefaultAsync(c => c.Id == channel, ct) is { } capped)
            await Noticeboard.Tell(db, new News(NoticeSeverity.Problem, $"The channel {capped.Name} has used up its money for this month", "Its messages go by the next way of whoever is reached, or not at all. Raise its cap, or wait for the next month.", $"channel-cap:{channel}", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"channel:{channel}/cap/{now:yyyy-MM}"), "/admin/integrations"), now, ct);
    }, ct);

    /// <summary>What the channel says of a message that it took.</summary>
    /// <returns>False where there is no such message, or the receipt is old.</returns>
    public Task<bool> Receipt(DeliveryId id, ChannelId channel, bool arrived, string detail, CancellationToken ct) => Transact(async (db, now) =>
    {
        var state = arrived ? nameof(DeliveryState.Delivered) : nameof(DeliveryState.Failed);
        if (await db.Database.ExecuteSqlAsync($"update deliveries set state = {state}, sent_at = coalesce(sent_at, clock_timestamp()), ended_at = clock_timestamp(), last_error = {(arrived ? null : Cut(detail))} where id = {id.Value} and channel_id = {channel.Value} and state in ('Sent', 'Waiting')", ct) == 0) return false;
        var row = await db.Deliveries.AsNoTracking().SingleAsync(d => d.Id == id, ct);
        if (arrived) Note(db, row, DeliveryState.Delivered, detail, AlertEventKind.Delivered, $"{await Who(db, row, ct)}: arrived", now);
        else await Fail(db, row, detail, now, ct);
        return true;
    }, ct);

    /// <summary>Somebody answered a message; the first time counts and is told to whoever keeps alerts.</summary>
    /// <returns>False where there is nothing to answer.</returns>
    public Task<bool> Confirm(DeliveryId id, ChannelId? channel, string by, CancellationToken ct) => Transact(async (db, now) =>
    {
        if (await db.Deliveries.AsNoTracking().SingleOrDefaultAsync(d => d.Id == id && d.ChannelId == channel, ct) is not { AlertId: { } alert } row) return false;
        if (await db.Database.ExecuteSqlAsync($"update deliveries set confirmed_at = {now} where id = {id.Value} and confirmed_at is null", ct) == 0) return true;
        var name = row.PersonId is { } person ? await db.People.Where(p => p.Id == person).Select(p => p.Name).SingleAsync(ct) : by;
        db.DeliveryEvents.Add(new DeliveryEvent(id, row.State, $"Answered by {name}.", now));
        db.Outbox.Add(new OutboxMessage(Answered, JsonSerializer.Serialize(new AnsweredAlert(id.ToString(), alert.ToString(), row.PersonId?.ToString(), "acknowledge", name), JsonSerializerOptions.Web), now));
        return true;
    }, ct);

    static async Task Fail(PortalDbContext db, Delivery row, string reason, DateTimeOffset now, CancellationToken ct)
    {
        Note(db, row, DeliveryState.Failed, reason, null, "", now);
        if (!await GoOn(db, row, reason, now, now, ct) && row.AlertId is { } alert) db.AlertEvents.Add(new AlertEvent(alert, AlertEventKind.NotDelivered, null, $"{await Who(db, row, ct)}: {reason}", now));
    }

    /// <summary>The next way of the person who is paged.</summary>
    /// <returns>Whether the timeline says that it failed.</returns>
    static async Task<bool> GoOn(PortalDbContext db, Delivery row, string reason, DateTimeOffset dueAt, DateTimeOffset now, CancellationToken ct)
    {
        if (row is not { Purpose: DeliveryPurpose.Page, AlertId: { } alert, PersonId: { } person } || await db.Deliveries.AnyAsync(d => d.InsteadOf == row.Id, ct)) return false;
        var next = await SecondWay.Find(db, row, alert, person, dueAt, now, ct);
        db.AlertEvents.Add(new AlertEvent(alert, AlertEventKind.NotDelivered, null, $"{await Who(db, row, ct)}: {reason} {next}", now));
        return true;
    }

    static void Note(PortalDbContext db, Delivery row, DeliveryState state, string detail, AlertEventKind? kind, string words, DateTimeOffset now)
    {
        db.DeliveryEvents.Add(new DeliveryEvent(row.Id, state, detail, now));
        if (kind is { } line && row.AlertId is { } alert) db.AlertEvents.Add(new AlertEvent(alert, line, null, words, now));
    }

    /// <summary>As timelines name it: nobody's own address is shown whole.</summary>
    static async Task<string> Who(PortalDbContext db, Delivery row, CancellationToken ct) => row.PersonId is { } person
        ? $"{ChannelWords.Of(row.Kind)} to {await db.People.Where(p => p.Id == person).Select(p => p.Name).SingleAsync(ct)} ({ChannelWords.Hint(row.Kind, row.Address)})"
        : $"{ChannelWords.Of(row.Kind)} to {row.Address}";

    /// <summary>Only while the claim is still ours. What somebody dropped meanwhile was sent nevertheless, and that is what is written.</summary>
    Task<bool> Settle(DeliveryClaim claim, Func<PortalDbContext, IReadOnlyList<Delivery>, DateTimeOffset, Task> write, CancellationToken ct) => Transact(async (db, now) =>
    {
        var ids = Ids(claim);
        var rows = await db.Deliveries.FromSql($"select * from deliveries where id = any({ids}) and claimed_by = {node.Value} and attempts = {claim.Attempt} and state in ('Waiting', 'Dropped') for update").AsNoTracking().ToListAsync(ct);
        if (rows.All(d => d.Id != claim.Lead)) return false;
        await write(db, rows, now);
        return true;
    }, ct);

    Task<bool> Transact(Func<PortalDbContext, DateTimeOffset, Task<bool>> work, CancellationToken ct) => Contention.Settle(async () =>
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (!await work(db, clock.GetUtcNow())) return false;
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return true;
    });

    /// <summary>Not since somebody acknowledged.</summary>
    static bool IsWanted(Delivery row) => row.State == DeliveryState.Waiting;

    static Guid[] Ids(DeliveryClaim claim) => [.. claim.All.Select(i => i.Value)];

    static string Cut(string text) => Message.Cut(text, Delivery.ErrorLength);
}
