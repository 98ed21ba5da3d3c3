using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;
using Portal.Domain.Audit;
using Portal.Domain.Incidents;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Infrastructure.Metrics;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Infrastructure.Persistence.DemoData;

/// <summary>Ninety days of a company that does not exist, for looking around and for pictures: the same story at every time, told relative to now.</summary>
/// <remarks>Its monitors look at this portal itself, never at the outside world. The setting <c>demo</c> marks the database.</remarks>
public sealed class DemoData(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public const string SettingKey = "demo";
    /// <summary>So many days of history, and so many of single check results; of the days before there are hours.</summary>
    public const int Days = 90, ResultDays = 2;

    /// <returns>False when the database holds this data already.</returns>
    /// <exception cref="CannotStartException">The database holds something else.</exception>
    public async Task<bool> Fill(CancellationToken ct)
    {
        var now = Minute(clock.GetUtcNow());
        await using var db = await contexts.CreateDbContextAsync(ct);
        if (await db.Settings.AnyAsync(s => s.Key == SettingKey, ct)) return false;
        if (await db.Components.AnyAsync(ct) || await db.Incidents.AnyAsync(ct) || await db.Monitors.AnyAsync(ct) || await db.ComponentGroups.AnyAsync(ct))
            throw new CannotStartException("--demo fills an empty database only, and this one holds components, monitors or incidents already: start without --demo, or choose another folder with --data DIR.");
        var company = new DemoCompany(now);
        var incidents = DemoIncidents.Tell(company, now).ToList();
        var windows = DemoMaintenance.Tell(company, now).ToList();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        db.AddRange(company.Groups);
        db.AddRange(company.Components);
        db.AddRange(company.Monitors);
        db.AddRange(company.States);
        db.AddRange(company.Outages);
        db.AddRange(company.Gaps);
        db.AddRange(incidents);
        db.AddRange(windows);
        db.Add(new Setting { Key = SettingKey, Value = "true" });
        await db.Commit([.. company.Deeds.OrderBy(d => d.At), new AuditEntry(Actor.System, "demo.filled", SettingKey, "The database was filled with demonstration data", now)], ct);
        var connection = (NpgsqlConnection)db.Database.GetDbConnection();
        await CopyResults(connection, company, now, ct);
        await Rollups.Plant(connection, company.Hours(now.AddDays(-Days), now.AddDays(-ResultDays)), ct);
        await transaction.CommitAsync(ct);
        return true;
    }

    static async Task CopyResults(NpgsqlConnection connection, DemoCompany company, DateTimeOffset now, CancellationToken ct)
    {
        var minutes = new HashSet<DateTimeOffset>();
        await using var rows = await connection.BeginBinaryImportAsync("copy check_results (monitor_id, at, milliseconds, outcome, status_code, detail, node, epoch) from stdin (format binary)", ct);
        foreach (var result in company.Results(now.AddDays(-ResultDays), now))
        {
            await rows.StartRowAsync(ct);
            await rows.WriteAsync(result.Monitor.Value, NpgsqlDbType.Uuid, ct);
            await rows.WriteAsync(result.At, NpgsqlDbType.TimestampTz, ct);
            await rows.WriteAsync((float)result.Duration.TotalMilliseconds, NpgsqlDbType.Real, ct);
            await rows.WriteAsync((short)result.Outcome, NpgsqlDbType.Smallint, ct);
            if (result.StatusCode is { } code) await rows.WriteAsync((short)code, NpgsqlDbType.Smallint, ct);
            else await rows.WriteNullAsync(ct);
            if (result.Detail is { } detail) await rows.WriteAsync(detail, NpgsqlDbType.Text, ct);
            else await rows.WriteNullAsync(ct);
            await rows.WriteAsync("demo", NpgsqlDbType.Text, ct);
            await rows.WriteAsync(0L, NpgsqlDbType.Bigint, ct);
            minutes.Add(result.At);
        }
        await rows.CompleteAsync(ct);
        await rows.CloseAsync(ct);
        await Rollups.Mark(connection, minutes, ct);
    }

    static DateTimeOffset Minute(DateTimeOffset time) => new(time.Ticks - time.Ticks % TimeSpan.TicksPerMinute, TimeSpan.Zero);
}
