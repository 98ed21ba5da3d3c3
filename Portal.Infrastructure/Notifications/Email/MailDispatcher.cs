using Microsoft.Extensions.Logging;
using Npgsql;
using Portal.Domain.Notifications;
using Portal.Infrastructure.Persistence;

namespace Portal.Infrastructure.Notifications.Email;

/// <summary>Sends what waits in the table of mails, each by one node, at least once and for a day at most.</summary>
/// <remarks>
/// A claim pushes the mail's time behind a lease that is much longer than a mail may take, and only its holder writes what became of it. So a mail comes twice only if a node ends,
/// or is cut off from the database, after the server took the mail and before that is written; its Message-ID is the same then. All times are the database's.
/// </remarks>
/// <param name="address">The portal's public address, without a slash at the end.</param>
public sealed class MailDispatcher(Database database, MailDelivery delivery, NodeName node, Func<string> address, TimeProvider clock, ILogger<MailDispatcher> log)
{
    public static readonly TimeSpan Lease = TimeSpan.FromMinutes(2), GivenUpAfter = TimeSpan.FromHours(24), Kept = TimeSpan.FromDays(30);
    static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(15), LongestWait = TimeSpan.FromHours(1), NoticesKept = TimeSpan.FromDays(90);
    /// <summary>So many are on their way at once: one address that hangs does not stop the others.</summary>
    const int Width = 3;

    sealed record Claimed(OutgoingMail Mail, int Attempt, bool IsLast);

    /// <summary>Sends everything that is due, unless the server is away.</summary>
    /// <returns>How many were tried.</returns>
    public async Task<int> Drain(CancellationToken ct)
    {
        var tried = await Task.WhenAll(Enumerable.Range(0, Width).Select(_ => Lane(ct)));
        return tried.Sum();
    }

    /// <summary>Removes what was sent, given up or resolved long ago.</summary>
    public async Task Tidy(CancellationToken ct)
    {
        await Execute("delete from mails where ended_at < clock_timestamp() - $1", ct, Kept);
        await Execute("delete from notices where resolved_at < clock_timestamp() - $1", ct, NoticesKept);
    }

    /// <summary>How long to wait after so many attempts.</summary>
    public static TimeSpan WaitAfter(int attempts) =>
        TimeSpan.FromSeconds(Math.Min(LongestWait.TotalSeconds, FirstWait.TotalSeconds * Math.Pow(2, Math.Min(20, attempts - 1))));

    async Task<int> Lane(CancellationToken ct)
    {
        for (var tried = 0; ; tried++)
        {
            ct.ThrowIfCancellationRequested();
            var began = clock.GetTimestamp();
            if (await Claim(ct) is not { } claimed) return tried;
            // Whoever was frozen since may have been followed by another node.
            if (clock.GetElapsedTime(began) > Lease / 4) continue;
            if (await Send(claimed, ct)) continue;
            // The next turn tries again with one: it would be the same with all of them.
            return tried + 1;
        }
    }

    async Task<Claimed?> Claim(CancellationToken ct)
    {
        const string sql = """
            update mails set claimed_by = $1, attempts = attempts + 1, due_at = clock_timestamp() + $2
            where id = (select id from mails where state = 'Waiting' and due_at <= clock_timestamp() order by due_at limit 1 for update skip locked)
            returning id, recipient, subject, body, link, attempts, created_at < clock_timestamp() - $3
            """;
        await using var command = Command(sql, node.Value, Lease, GivenUpAfter);
        await using var reader = await command.ExecuteReaderAsync(ct);
        if (!await reader.ReadAsync(ct)) return null;
        var link = reader.IsDBNull(4) ? null : $"{address()}{reader.GetString(4)}";
        return new Claimed(new OutgoingMail(reader.GetGuid(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), link), reader.GetInt32(5), reader.GetBoolean(6));
    }

    /// <returns>False where the server takes no mail at all now.</returns>
    async Task<bool> Send(Claimed claimed, CancellationToken ct)
    {
        // What the server took is written although the portal stops.
        switch (await delivery.Send(claimed.Mail, ct))
        {
            case MailSent:
                await Settle(claimed, "state = 'Sent', ended_at = clock_timestamp(), last_error = null", CancellationToken.None);
                return true;
            case MailWritten:
                await Settle(claimed, "state = 'Written', ended_at = clock_timestamp(), last_error = null", CancellationToken.None);
                return true;
            case MailRefused refused:
                await GiveUp(claimed, refused.Why, ct);
                return true;
            case MailNotNow { Why: var why } when claimed.IsLast:
                await GiveUp(claimed, $"Given up after {GivenUpAfter.TotalHours:0} hours and {claimed.Attempt} attempts. {why}", ct);
                return true;
            case MailNotNow later:
                log.LogWarning("A mail could not be sent at attempt {Attempt}: {Reason}", claimed.Attempt, later.Why);
                await Settle(claimed, "due_at = clock_timestamp() + $4, last_error = $5", CancellationToken.None, WaitAfter(claimed.Attempt), Cut(later.Why));
                return !later.IsServer;
            default: throw new InvalidOperationException("A mail ended in no known way.");
        }
    }

    /// <summary>Those who run the portal see it on their screens: a mail about a mail would not come either.</summary>
    async Task GiveUp(Claimed claimed, string why, CancellationToken ct)
    {
        log.LogError("A mail is given up at attempt {Attempt}: {Reason}", claimed.Attempt, why);
        if (await Settle(claimed, "state = 'Failed', ended_at = clock_timestamp(), last_error = $4", CancellationToken.None, Cut(why)) == 0) return;
        await using var db = database.CreateDbContext();
        await Noticeboard.Tell(db, new News(NoticeSeverity.Warning, "A mail could not be delivered", $"\"{claimed.Mail.Subject}\" to {claimed.Mail.To}: {why}", "mail", $"mail-failed/{claimed.Mail.Id:N}", ByMail: false), clock.GetUtcNow(), ct);
        await db.SaveChangesAsync(ct);
    }

    /// <summary>Only while the claim is still ours.</summary>
    Task<int> Settle(Claimed claimed, string set, CancellationToken ct, params object[] more) =>
        Execute($"update mails set {set} where id = $1 and claimed_by = $2 and attempts = $3 and state = 'Waiting'", ct, [claimed.Mail.Id, node.Value, claimed.Attempt, .. more]);

    async Task<int> Execute(string sql, CancellationToken ct, params object[] values)
    {
        await using var command = Command(sql, values);
        return await command.ExecuteNonQueryAsync(ct);
    }

    NpgsqlCommand Command(string sql, params object[] values)
    {
        var command = database.Source.CreateCommand(sql);
        foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }

    static string Cut(string text) => text.Length <= QueuedMail.ErrorLength ? text : string.Concat(text.AsSpan(0, QueuedMail.ErrorLength - 1), "…");
}
