using Portal.Infrastructure.Persistence;

namespace Portal.Features.Health.Parts;

/// <summary>PostgreSQL answers a query on the portal's own tables.</summary>
sealed class DatabasePart(Database database, TimeProvider clock) : IHealthPart
{
    public string Name => "database";

    public async Task<PartReport> Look(CancellationToken ct)
    {
        var asked = clock.GetTimestamp();
        await using var command = database.Source.CreateCommand(
            "select version, pg_database_size(current_database()), (select count(*) from pg_stat_activity where datname = current_database()), current_setting('server_version') from page_versions where id = 1");
        await using var reader = await command.ExecuteReaderAsync(ct);
        if (!await reader.ReadAsync(ct)) return PartReport.Failing("The page's version row is missing.");
        return PartReport.Ok(
            ("milliseconds", Math.Round(clock.GetElapsedTime(asked).TotalMilliseconds, 2)),
            ("pageVersion", reader.GetInt64(0)),
            ("sizeBytes", reader.GetInt64(1)),
            ("connections", reader.GetInt64(2)),
            ("serverVersion", reader.GetString(3)));
    }
}
