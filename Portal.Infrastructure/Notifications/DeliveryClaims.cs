using Npgsql;
using NpgsqlTypes;
using Portal.Domain.Notifications;
using Portal.Infrastructure.Persistence;

namespace Portal.Infrastructure.Notifications;

/// <summary>A node's right to send: one delivery, and with it those that go as one message.</summary>
/// <param name="Refusal">Why it must not go out; null where it may.</param>
public sealed record DeliveryClaim(DeliveryId Lead, IReadOnlyList<DeliveryId> Others, int Attempt, string? Refusal = null, bool IsCap = false)
{
    public IEnumerable<DeliveryId> All => [Lead, .. Others];
}

/// <summary>Decides what is sent next: what is due, its channel and address not overdone, nobody else at it. All times are the database's.</summary>
/// <remarks>
/// A claim pushes the row's time behind the lease; whoever dies is followed by whoever claims it then. What a claim counts (messages of a minute, of an address, of a month) is
/// counted under a lock of the channel, with what is on its way: two nodes do not overdo it together.
/// </remarks>
public sealed class DeliveryClaims(Database database, NodeName node)
{
    /// <summary>Longer than any channel may take.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);
    /// <summary>More pages to one address within <see cref="PageSpan"/> wait for each other, so long at most.</summary>
    public static readonly TimeSpan LongestGathering = TimeSpan.FromMinutes(1), PageSpan = TimeSpan.FromMinutes(5);
    public const int PagesInARow = 5;
    const int MostGathered = 500;

    sealed record Row(Guid Id, string Purpose, Guid? Channel, Guid? Contact, string Kind, string Address, bool IsTest, DateTime? Gathering, int Attempts)
    {
        public bool Gathers => !IsTest && Purpose is nameof(DeliveryPurpose.Page) or nameof(DeliveryPurpose.Follow);
    }

    sealed record Counts(int? PerMinute, bool IsDisabled, int? Cents, int? Cap, long LastMinute, long Pages, long Month, bool HasGathered, DateTime Now, DateTime? OldestPage);

    /// <param name="busy">Ways that have enough on their way from this node: channel ids, and kinds that need none.</param>
    /// <returns>The claim, and the way that it takes; null when nothing is due.</returns>
    public async Task<(DeliveryClaim? Claim, string Way)?> Next(IReadOnlyCollection<string> busy, CancellationToken ct)
    {
        await using var connection = await database.Source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (await Due(connection, busy, ct) is not { } row) return null;
        var way = row.Channel?.ToString("D") ?? row.Kind;
        await Run(connection, "select pg_advisory_xact_lock(hashtextextended($1, 21))", ct, row.Channel is null ? $"{row.Kind}/{row.Address}" : way);
        var counts = await Count(connection, row, ct);
        var claim = await Decide(connection, row, counts, ct);
        await transaction.CommitAsync(ct);
        return (claim, way);
    }

    /// <summary>How many are due, up to a limit, and how long until the next one is; null when nothing is expected.</summary>
    public async Task<(int Due, TimeSpan? Next)> Look(int most, CancellationToken ct)
    {
        const string sql = """
            select (select count(*) from (select from deliveries where state = 'Waiting' and due_at <= clock_timestamp() limit $1) d),
              (select extract(epoch from min(due_at) - clock_timestamp())::float8 from deliveries where state = 'Waiting' and due_at > clock_timestamp() and due_at < 'infinity')
            """;
        await using var command = database.Source.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter { Value = most });
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        return ((int)reader.GetInt64(0), reader.IsDBNull(1) ? null : TimeSpan.FromSeconds(Math.Clamp(reader.GetDouble(1), 0, 3_600)));
    }

    static async Task<Row?> Due(NpgsqlConnection connection, IReadOnlyCollection<string> busy, CancellationToken ct)
    {
        const string sql = """
            select id, purpose, channel_id, contact_id, kind, address, is_test, gathering_since, attempts from deliveries
            where state = 'Waiting' and due_at <= clock_timestamp() and coalesce(channel_id::text, kind) <> all($1) order by due_at limit 1 for update skip locked
            """;
        await using var command = Command(connection, sql, (object)busy.ToArray());
        await using var reader = await command.ExecuteReaderAsync(ct);
        if (!await reader.ReadAsync(ct)) return null;
        return new(reader.GetGuid(0), reader.GetString(1), reader.IsDBNull(2) ? null : reader.GetGuid(2), reader.IsDBNull(3) ? null : reader.GetGuid(3), reader.GetString(4), reader.GetString(5), reader.GetBoolean(6), reader.IsDBNull(7) ? null : reader.GetDateTime(7), reader.GetInt32(8));
    }

    static async Task<Counts> Count(NpgsqlConnection connection, Row row, CancellationToken ct)
    {
        const string sql = """
            with flying as (select channel_id, contact_id, kind, address, purpose from deliveries where state = 'Waiting' and claimed_by is not null and due_at > clock_timestamp() and due_at < 'infinity'),
            pages as (select sent_at from deliveries where address = $3 and sent_at > clock_timestamp() - $5 and kind = $4 and contact_id is not distinct from $2 and channel_id is not distinct from $1 and purpose in ('Page', 'Follow') and not is_test)
            select c.per_minute, c.disabled_at is not null, c.cost_cents, c.monthly_cap_cents,
              case when $1::uuid is null then 0 else (select count(*) from deliveries where channel_id = $1 and sent_at > clock_timestamp() - interval '1 minute') + (select count(*) from flying where channel_id = $1) end,
              (select count(*) from pages) + (select count(*) from flying where address = $3 and kind = $4 and contact_id is not distinct from $2 and channel_id is not distinct from $1),
              case when c.monthly_cap_cents is null then 0 else (select count(*) from deliveries where channel_id = $1 and sent_at >= date_trunc('month', clock_timestamp(), 'UTC')) + (select count(*) from flying where channel_id = $1) end,
              exists (select from deliveries where state = 'Waiting' and gathering_since is not null and due_at < 'infinity' and address = $3 and kind = $4 and contact_id is not distinct from $2 and channel_id is not distinct from $1),
              clock_timestamp(), (select min(sent_at) from pages)
            from (select 1) one left join channels c on c.id = $1
            """;
        await using var command = Command(connection, sql, Nullable(row.Channel), Nullable(row.Contact), row.Address, row.Kind, PageSpan);
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        return new(reader.IsDBNull(0) ? null : reader.GetInt32(0), reader.GetBoolean(1), reader.IsDBNull(2) ? null : reader.GetInt32(2), reader.IsDBNull(3) ? null : reader.GetInt32(3),
            reader.GetInt64(4), reader.GetInt64(5), reader.GetInt64(6), reader.GetBoolean(7), reader.GetDateTime(8), reader.IsDBNull(9) ? null : reader.GetDateTime(9));
    }

    /// <returns>Null where it waits for a better time.</returns>
    async Task<DeliveryClaim?> Decide(NpgsqlConnection connection, Row row, Counts counts, CancellationToken ct)
    {
        if (row.Channel is not null && counts.PerMinute is null) return await Take(connection, row, "Its channel was deleted.", false, ct);
        if (counts.IsDisabled) return await Take(connection, row, "Its channel is switched off.", false, ct);
        if (counts is { Cents: > 0 and var cents, Cap: { } cap } && (counts.Month + 1) * cents > cap) return await Take(connection, row, "The channel's cap of costs for this month is reached.", true, ct);
        if (counts.PerMinute is { } most && counts.LastMinute >= most) return await Wait(connection, row, counts.Now.AddSeconds(5), ct);
        // Once some wait for each other, the next one waits with them: it would overtake them.
        if (row.Gathers && (counts.Pages >= PagesInARow || row.Gathering is null && counts.HasGathered))
        {
            var last = (row.Gathering ?? counts.Now) + LongestGathering;
            var until = counts.OldestPage is { } oldest && oldest + PageSpan < last && counts.Pages <= PagesInARow ? oldest + PageSpan : last;
            if (until > counts.Now) return await Wait(connection, row, until, ct);
        }
        return await Take(connection, row, null, false, ct);
    }

    static async Task<DeliveryClaim?> Wait(NpgsqlConnection connection, Row row, DateTime until, CancellationToken ct)
    {
        await Run(connection, "update deliveries set gathering_since = case when $3 then coalesce(gathering_since, clock_timestamp()) else gathering_since end, due_at = $2, claimed_by = null where id = $1", ct, row.Id, until, row.Gathers);
        return null;
    }

    async Task<DeliveryClaim> Take(NpgsqlConnection connection, Row row, string? refusal, bool isCap, CancellationToken ct)
    {
        var others = new List<DeliveryId>();
        if (refusal is null && row.Gathers && row.Gathering is not null)
        {
            const string sql = """
                update deliveries set claimed_by = $6, attempts = $7, due_at = clock_timestamp() + $8 where id in (
                  select id from deliveries where id <> $1 and state = 'Waiting' and gathering_since is not null and not is_test and purpose in ('Page', 'Follow') and due_at < 'infinity' and (claimed_by is null or due_at <= clock_timestamp())
                    and address = $2 and kind = $3 and contact_id is not distinct from $4 and channel_id is not distinct from $5 order by gathering_since limit $9 for update skip locked)
                returning id
                """;
            await using var command = Command(connection, sql, row.Id, row.Address, row.Kind, Nullable(row.Contact), Nullable(row.Channel), node.Value, row.Attempts + 1, Lease, MostGathered);
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct)) others.Add(new DeliveryId(reader.GetGuid(0)));
        }
        await Run(connection, "update deliveries set claimed_by = $2, attempts = attempts + 1, due_at = clock_timestamp() + $3 where id = $1", ct, row.Id, node.Value, Lease);
        return new(new DeliveryId(row.Id), others, row.Attempts + 1, refusal, isCap);
    }

    static async Task Run(NpgsqlConnection connection, string sql, CancellationToken ct, params object[] values)
    {
        await using var command = Command(connection, sql, values);
        await command.ExecuteNonQueryAsync(ct);
    }

    static NpgsqlParameter Nullable(Guid? value) => new() { NpgsqlDbType = NpgsqlDbType.Uuid, Value = value ?? (object)DBNull.Value };

    static NpgsqlCommand Command(NpgsqlConnection connection, string sql, params object[] values)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values) command.Parameters.Add(value as NpgsqlParameter ?? new NpgsqlParameter { Value = value });
        return command;
    }
}
