using System.Globalization;
using System.Text;
using Portal.Domain.Monitoring;

namespace Portal.Infrastructure.Monitoring;

/// <summary>Greeting, EHLO, QUIT: the server takes mail, as far as one can see without sending any. STARTTLS and sign-in where the monitor says so. Source: RFC 5321, 3207, 4954.</summary>
public sealed class SmtpProbe(GuardedConnector connector, TimeProvider clock) : ConnectionProbe(connector, clock)
{
    const int MostLines = 100;
    const string Hello = "EHLO portal.invalid";

    public override MonitorKind Kind => MonitorKind.Smtp;

    protected override async Task<ProbeAnswer> Talk(Stream stream, ProbeRequest request, Progress look, CancellationToken ct)
    {
        if (request.Target.Scheme == "smtps")
        {
            await using var encrypted = await Encrypt(stream, request, look, null, ct);
            return await Greeting(encrypted, ct) ?? await SignIn(encrypted, request, isEncrypted: true, ct);
        }
        if (await Greeting(stream, ct) is { } refused) return refused;
        if (request.Options.StartTls != true) return await SignIn(stream, request, isEncrypted: false, ct);
        if (await Expect(stream, "STARTTLS", "STARTTLS", "220", ct) is { } plain) return plain;
        await using var tls = await Encrypt(stream, request, look, null, ct);
        return await Expect(tls, Hello, "EHLO", "250", ct) ?? await SignIn(tls, request, isEncrypted: true, ct);
    }

    static async Task<ProbeAnswer?> Greeting(Stream stream, CancellationToken ct)
    {
        var greeting = await Reply(stream, ct);
        if (!greeting.StartsWith("220", StringComparison.Ordinal)) return Down($"Greeted with \"{greeting}\"; expected 220.", CodeOf(greeting));
        return await Expect(stream, Hello, "EHLO", "250", ct);
    }

    static async Task<ProbeAnswer> SignIn(Stream stream, ProbeRequest request, bool isEncrypted, CancellationToken ct)
    {
        if (request.Password is { } password)
        {
            if (!isEncrypted) return Down("The password is not sent over a connection that anybody can read: use STARTTLS or smtps://.");
            var plain = Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{request.User}\0{password}"));
            if (await Expect(stream, $"AUTH PLAIN {plain}", "the sign-in", "235", ct) is { } refused) return refused;
        }
        await Say(stream, "QUIT", ct);
        return Up() with { StatusCode = 250 };
    }

    /// <returns>Null when the answer is the expected one.</returns>
    static async Task<ProbeAnswer?> Expect(Stream stream, string line, string called, string code, CancellationToken ct)
    {
        await Say(stream, line, ct);
        var answer = await Reply(stream, ct);
        if (answer.StartsWith(code, StringComparison.Ordinal)) return null;
        // What a server says to a sign-in might repeat it.
        return called == "the sign-in" ? Down($"Answered the sign-in with {CodeOf(answer)}; expected {code}.", CodeOf(answer)) : Down($"Answered {called} with \"{answer}\"; expected {code}.", CodeOf(answer));
    }

    /// <summary>The last line of a reply; those before it have a hyphen behind the code.</summary>
    static async Task<string> Reply(Stream stream, CancellationToken ct)
    {
        for (var i = 0; i < MostLines; i++)
        {
            var line = await ReadLine(stream, ct) ?? throw new IOException("Closed.");
            if (line is not [_, _, _, '-', ..]) return line;
        }
        throw new IOException("A reply without an end.");
    }

    static int? CodeOf(string reply) => reply.Length >= 3 && int.TryParse(reply.AsSpan(0, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var code) ? code : null;
}
