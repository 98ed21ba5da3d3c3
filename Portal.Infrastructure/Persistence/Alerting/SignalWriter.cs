using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Portal.Domain.Alerting;

namespace Portal.Infrastructure.Persistence.Alerting;

/// <summary>Signals of one message, to be stored together.</summary>
/// <param name="Message">What names a message that must not be taken twice; null for those that may be repeated.</param>
public sealed record HeardOnce(ServiceId Service, IReadOnlyList<AlertSignal> Signals, DateTimeOffset At, byte[]? Message = null);

/// <summary>Writes many signals at once, in their order: one COPY, one commit, one notice.</summary>
public sealed class SignalWriter(Database database)
{
    static readonly string[] Topics = ["signals"];

    /// <returns>For each message whether it is stored now; false for one that had been taken before.</returns>
    public async Task<IReadOnlyList<bool>> Write(IReadOnlyList<HeardOnce> messages, CancellationToken ct)
    {
        await using var connection = await database.Source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await IdleLimit.Set(connection, ct);
        var isNew = await Unheard(connection, messages, ct);
        await Copy(connection, messages.Where((_, i) => isNew[i]), ct);
        var announcement = Announcement.Of(Topics);
        await using (var notify = new NpgsqlCommand("select pg_notify($1, $2)", connection) { Parameters = { new() { Value = Changes.Channel }, new() { Value = announcement.Text } } })
            await notify.ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(ct);
        database.Tell(announcement);
        return isNew;
    }

    static async Task Copy(NpgsqlConnection connection, IEnumerable<HeardOnce> messages, CancellationToken ct)
    {
        await using var copy = await connection.BeginBinaryImportAsync("copy heard_signals (service_id, signal, heard_at) from stdin (format binary)", ct);
        foreach (var message in messages)
            foreach (var signal in message.Signals)
            {
                await copy.StartRowAsync(ct);
                await copy.WriteAsync(message.Service.Value, NpgsqlDbType.Uuid, ct);
                await copy.WriteAsync(JsonSerializer.Serialize(signal.Bounded(), StoredJson.Sparse), NpgsqlDbType.Jsonb, ct);
                await copy.WriteAsync(message.At, NpgsqlDbType.TimestampTz, ct);
            }
        await copy.CompleteAsync(ct);
    }

    static async Task<bool[]> Unheard(NpgsqlConnection connection, IReadOnlyList<HeardOnce> messages, CancellationToken ct)
    {
        var isNew = Enumerable.Repeat(true, messages.Count).ToArray();
        var named = messages.Select((m, i) => (Message: m, Index: i)).Where(m => m.Message.Message is not null).ToList();
        if (named.Count == 0) return isNew;
        await using var command = new NpgsqlCommand("insert into heard_messages (hash, heard_at) select * from unnest($1, $2) on conflict do nothing returning hash", connection)
        { Parameters = { new() { Value = named.Select(m => m.Message.Message!).ToArray() }, new() { Value = named.Select(m => m.Message.At).ToArray() } } };
        var stored = new HashSet<string>();
        await using (var reader = await command.ExecuteReaderAsync(ct))
            while (await reader.ReadAsync(ct)) stored.Add(Convert.ToHexString(reader.GetFieldValue<byte[]>(0)));
        // The first of two in one batch is the new one.
        foreach (var (message, index) in named) isNew[index] = stored.Remove(Convert.ToHexString(message.Message!));
        return isNew;
    }
}
