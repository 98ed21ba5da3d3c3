using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Support;

namespace Portal.Tests.Metrics;

public class SeriesUpkeepTests
{
    [Fact]
    public async Task A_running_portal_has_partitions_ahead_rolls_up_what_is_due_and_drops_what_is_over()
    {
        await using var host = await PortalHost.Start();
        var contexts = host.Get<IDbContextFactory<PortalDbContext>>();
        await using var db = await contexts.CreateDbContextAsync();
        var now = TimeProvider.System.GetUtcNow();
        await Soon.Comes(async () => await db.Database.SqlQuery<bool>($"select to_regclass({$"check_results_{now.AddDays(2).UtcDateTime.ToString("yyyyMMdd", CultureInfo.InvariantCulture)}"}) is not null as \"Value\"").SingleAsync(), "a partition for the day after tomorrow");

        var (monitor, minute) = (Guid.CreateVersion7(), new DateTime(now.UtcTicks - now.UtcTicks % TimeSpan.TicksPerMinute - TimeSpan.TicksPerHour, DateTimeKind.Utc));
        await db.Database.ExecuteSqlAsync($"insert into check_results (monitor_id, at, milliseconds, outcome, node, epoch) values ({monitor}, {minute.AddSeconds(3)}, 5, 0, 'a', 1)");
        await db.Database.ExecuteSqlAsync($"insert into rollups_due (width, at, ready_at) values (0, {minute}, now()) on conflict (width, at) do update set ready_at = now()");
        await Soon.Comes(async () => await db.Database.SqlQuery<long>($"select count(*) as \"Value\" from metric_minutes where series_id = {monitor} and at = {minute}").SingleAsync() == 1, "the minute");
        using var client = host.Client();
        Assert.Contains("\nportal_rollups_waiting ", await client.GetStringAsync("/metrics"), StringComparison.Ordinal);
    }
}
