using Portal.Domain.Monitoring;

namespace Portal.Infrastructure.Monitoring;

/// <summary>Takes a connection, says nothing and closes it.</summary>
public sealed class TcpProbe(GuardedConnector connector, TimeProvider clock) : ConnectionProbe(connector, clock)
{
    public override MonitorKind Kind => MonitorKind.Tcp;

    protected override Task<ProbeAnswer> Talk(Stream stream, ProbeRequest request, Progress look, CancellationToken ct) => Task.FromResult(Up());
}
