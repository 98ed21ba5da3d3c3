using System.Net.Sockets;
using System.Text;
using Portal.Hosting;

namespace Portal.Features.Health.Parts;

/// <summary>The mail server greets, where one is configured.</summary>
sealed class MailPart(PortalOptions options) : IHealthPart
{
    public string Name => "mail";

    public async Task<PartReport> Look(CancellationToken ct)
    {
        if (options.Smtp is not { } smtp)
            return PartReport.NotConfigured("Mail is not configured: Smtp:Host is empty, so mail is written to the folder outbox in the data folder and none leaves the portal.");
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(smtp.Host, smtp.Port, ct);
        var buffer = new byte[256];
        var greeting = Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer, ct));
        return greeting.StartsWith("220", StringComparison.Ordinal) ? PartReport.Ok() : PartReport.Failing("The mail server does not greet with 220.");
    }
}

/// <summary>A part that this installation does not have: its monitor shows as unknown with the reason, never as red.</summary>
sealed class AbsentPart(string name, string note) : IHealthPart
{
    public string Name => name;

    public Task<PartReport> Look(CancellationToken ct) => Task.FromResult(PartReport.NotConfigured(note));
}
