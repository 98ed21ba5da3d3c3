using Npgsql;
using Portal.Infrastructure.Persistence;

namespace Portal.Api;

/// <param name="Request">SHA-256 of the request that the key was first used for.</param>
/// <param name="Status">Null while that request is at work.</param>
/// <param name="Body">Null where it is not kept because it held a secret.</param>
public sealed record StoredAnswer(byte[] Request, int? Status, string? Body, string? Location);

/// <summary>The answers under <c>Idempotency-Key</c>s, shared by all nodes through the database.</summary>
public sealed class AnswerStore(Database database, TimeProvider clock, ILogger<AnswerStore> log) : BackgroundService
{
    public static readonly TimeSpan Kept = TimeSpan.FromHours(24);
    static readonly TimeSpan Sweep = TimeSpan.FromHours(1);

    /// <returns>True for exactly one of those who come with the key.</returns>
    public async Task<bool> Claim(byte[] key, byte[] request, DateTimeOffset now, CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand(
            """
            insert into idempotent_answers (key, request, created_at) values ($1, $2, $3)
            on conflict (key) do update set request = excluded.request, status = null, body = null, location = null, created_at = excluded.created_at
              where idempotent_answers.created_at <= $4
            """);
        Add(command, key, request, now, now - Kept);
        return await command.ExecuteNonQueryAsync(ct) == 1;
    }

    public async Task<StoredAnswer?> Find(byte[] key, CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand("select request, status, body, location from idempotent_answers where key = $1");
        Add(command, key);
        await using var reader = await command.ExecuteReaderAsync(ct);
        if (!await reader.ReadAsync(ct)) return null;
        return new StoredAnswer(reader.GetFieldValue<byte[]>(0), reader.IsDBNull(1) ? null : reader.GetInt32(1),
            reader.IsDBNull(2) ? null : reader.GetString(2), reader.IsDBNull(3) ? null : reader.GetString(3));
    }

    /// <summary>Not cancelled with the request: the write is done, so its answer must stand even if the caller has hung up.</summary>
    public async Task<bool> Keep(byte[] key, int status, string? body, string? location)
    {
        await using var command = database.Source.CreateCommand("update idempotent_answers set status = $2, body = $3, location = $4 where key = $1");
        Add(command, key, status, (object?)body ?? DBNull.Value, (object?)location ?? DBNull.Value);
        return await command.ExecuteNonQueryAsync(CancellationToken.None) == 1;
    }

    public async Task Release(byte[] key)
    {
        try
        {
            await using var command = database.Source.CreateCommand("delete from idempotent_answers where key = $1 and status is null");
            Add(command, key);
            await command.ExecuteNonQueryAsync(CancellationToken.None);
        }
        catch (NpgsqlException e)
        {
            // The request's own fault is what its caller must hear of.
            log.LogWarning(e, "A claim on an idempotency key could not be given back; it expires by itself");
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Sweep, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            try
            {
                await Forget(clock.GetUtcNow(), stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                log.LogWarning(e, "Expired idempotency keys could not be removed; tried again in an hour");
            }
    }

    public async Task<int> Forget(DateTimeOffset now, CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand("delete from idempotent_answers where created_at <= $1");
        Add(command, now - Kept);
        return await command.ExecuteNonQueryAsync(ct);
    }

    static void Add(NpgsqlCommand command, params object[] values)
    {
        foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value is DateTimeOffset at ? at.ToUniversalTime() : value });
    }
}
