using System.Text;
using Portal.Domain.Monitoring;

namespace Portal.Infrastructure.Monitoring;

/// <summary>PING, as any Redis answers it, after AUTH where there is a password. Source: the Redis serialization protocol (RESP).</summary>
/// <remarks>Spoken by hand: the client library resolves names and connects by itself, past the guard.</remarks>
public sealed class RedisProbe(GuardedConnector connector, TimeProvider clock) : ConnectionProbe(connector, clock)
{
    public override MonitorKind Kind => MonitorKind.Redis;

    protected override async Task<ProbeAnswer> Talk(Stream stream, ProbeRequest request, Progress look, CancellationToken ct)
    {
        if (request.Target.Scheme != "rediss") return await Ask(stream, request, ct);
        await using var tls = await Encrypt(stream, request, look, null, ct);
        return await Ask(tls, request, ct);
    }

    static async Task<ProbeAnswer> Ask(Stream stream, ProbeRequest request, CancellationToken ct)
    {
        if (request.Password is { } password)
        {
            await Command(stream, request.User is { } user ? ["AUTH", user, password] : ["AUTH", password], ct);
            switch (await ReadLine(stream, ct))
            {
                case "+OK": break;
                case null: return Ended();
                // The server may repeat what it was told; nobody needs its words.
                case ['-', 'W', 'R', 'O', 'N', 'G', 'P', 'A', 'S', 'S', ..]: return Down("The server refused the password.");
                default: return Down("The server refused AUTH.");
            }
        }
        await Command(stream, ["PING"], ct);
        return await ReadLine(stream, ct) switch
        {
            "+PONG" => Up(),
            null => Ended(),
            ['-', 'N', 'O', 'A', 'U', 'T', 'H', ..] => Down("The server asks for a password."),
            ['-', .. var refusal] => Down($"The server refused PING: {refusal}"),
            var other => Down($"Answered \"{other}\" to PING; expected PONG. Is it a Redis?"),
        };
    }

    static ProbeAnswer Ended() => Down("The connection ended before the answer was complete.");

    /// <summary>With lengths in front, so that a password may hold any character.</summary>
    static Task Command(Stream stream, string[] words, CancellationToken ct) =>
        stream.WriteAsync(Encoding.UTF8.GetBytes($"*{words.Length}\r\n{string.Concat(words.Select(w => $"${Encoding.UTF8.GetByteCount(w)}\r\n{w}\r\n"))}"), ct).AsTask();
}
