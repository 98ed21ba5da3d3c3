using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;

namespace Portal.Features.Health;

/// <summary>Listens to the process's meters and writes them in Prometheus' text format.</summary>
/// <remarks>The exporter of OpenTelemetry for Prometheus cannot be had as a package here (docs/adr/0006); what we need of it is this.</remarks>
sealed class PrometheusText(IMeterFactory meters) : IHostedService, IDisposable
{
    static readonly HashSet<string> Meters =
    [
        Figures.MeterName, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.AspNetCore.Http.Connections", "System.Runtime", "Npgsql",
    ];

    /// <summary>Labels that are worth their lines; null of an instrument that is not listed takes those of its first measurement.</summary>
    static readonly Dictionary<string, string[]> Chosen = new()
    {
        ["http.server.request.duration"] = ["http.request.method", "http.response.status_code", "http.route"],
        ["http.server.active_requests"] = ["http.request.method"],
        ["kestrel.active_connections"] = [],
        ["kestrel.queued_connections"] = [],
        ["kestrel.connection.duration"] = ["error.type"],
        ["signalr.server.active_connections"] = ["signalr.transport"],
        ["signalr.server.connection.duration"] = ["signalr.connection.status"],
        // The pool's name is its connection string without the password: nothing for a scrape.
        ["db.client.connection.count"] = ["db.client.connection.state"],
        ["db.client.connections.usage"] = ["state"],
    };

    readonly ConcurrentDictionary<Instrument, Family> families = new();
    readonly MeterListener listener = new();

    public Task StartAsync(CancellationToken cancellationToken)
    {
        listener.InstrumentPublished = (instrument, listening) =>
        {
            if (!Meters.Contains(instrument.Meter.Name) || instrument.Meter.Scope is { } scope && scope != meters) return;
            // What names no labels of its own and would show the pool's name is kept to one line.
            var labels = Chosen.GetValueOrDefault(instrument.Name) ?? (instrument.Meter.Name == "Npgsql" ? [] : null);
            listening.EnableMeasurementEvents(instrument, families.GetOrAdd(instrument, i => new Family(i, labels)));
        };
        listener.SetMeasurementEventCallback<byte>((_, measured, tags, state) => ((Family)state!).Record(measured, tags));
        listener.SetMeasurementEventCallback<short>((_, measured, tags, state) => ((Family)state!).Record(measured, tags));
        listener.SetMeasurementEventCallback<int>((_, measured, tags, state) => ((Family)state!).Record(measured, tags));
        listener.SetMeasurementEventCallback<long>((_, measured, tags, state) => ((Family)state!).Record(measured, tags));
        listener.SetMeasurementEventCallback<float>((_, measured, tags, state) => ((Family)state!).Record(measured, tags));
        listener.SetMeasurementEventCallback<double>((_, measured, tags, state) => ((Family)state!).Record(measured, tags));
        listener.SetMeasurementEventCallback<decimal>((_, measured, tags, state) => ((Family)state!).Record((double)measured, tags));
        listener.Start();
        return Task.CompletedTask;
    }

    public string Write()
    {
        listener.RecordObservableInstruments();
        var text = new StringBuilder(16 * 1024);
        foreach (var family in families.Values.OrderBy(f => f.Name, StringComparer.Ordinal)) family.Write(text);
        return text.ToString();
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => listener.Dispose();
}
