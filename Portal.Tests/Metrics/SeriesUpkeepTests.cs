using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Monitoring;
using Portal.Features.Access;
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

    [Fact]
    public async Task Response_times_are_read_by_range_through_the_api()
    {
        await using var host = await PortalHost.Start();
        var made = await host.Get<CreateApiKey>().Execute(new("Reader", ["monitors:read"]), Cast.Alice, default);
        using var client = host.Client(made.Secret);
        await using var db = await host.Get<IDbContextFactory<PortalDbContext>>().CreateDbContextAsync();
        var monitor = new Domain.Monitoring.Monitor(new("Read", MonitorKind.Http, "https://shop.example/", TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(5), null), TimeProvider.System.GetUtcNow());
        monitor.Pause(TimeProvider.System.GetUtcNow());
        db.AddRange(monitor, new MonitorState(monitor.Id, TimeProvider.System.GetUtcNow()));
        await db.SaveChangesAsync();
        Task<JsonElement> Read(string range) => client.GetFromJsonAsync<JsonElement>($"/api/v1/monitors/{monitor.Id}/response-times{range}");
        Assert.Equal(0, (await Read("")).GetProperty("items").GetArrayLength());
        foreach (var (days, ms, outcome) in new[] { (2, 100f, 0), (2, 120f, 0), (2, 9f, 1), (5, 500f, 0) })
            await db.Database.ExecuteSqlAsync($"insert into check_results (monitor_id, at, milliseconds, outcome, node, epoch) values ({monitor.Id.Value}, {TimeProvider.System.GetUtcNow().AddDays(-days).AddMilliseconds(ms).UtcDateTime}, {ms}, {(short)outcome}, 'a', 1)");
        var week = await Read("?range=7d");
        // What is older than seven days may be dropped at any moment.
        Assert.Equal(2, week.GetProperty("items").GetArrayLength());
        var step = week.GetProperty("items")[1];
        Assert.Equal((2, 1, 110, 120, 3600, "ms"), (step.GetProperty("count").GetInt32(), step.GetProperty("failed").GetInt32(), step.GetProperty("avg").GetDouble(), step.GetProperty("max").GetDouble(), week.GetProperty("stepSeconds").GetDouble(), week.GetProperty("unit").GetString()));
        Assert.InRange(step.GetProperty("p50").GetDouble(), 98, 102);
        Assert.Equal(2, (await Read("?range=30d")).GetProperty("items").GetArrayLength());
        using var wrong = await client.GetAsync($"/api/v1/monitors/{monitor.Id}/response-times?range=century");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.StatusCode);
        Assert.Contains("24h, 7d", (await wrong.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("errors").GetProperty("range")[0].GetString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync($"/api/v1/monitors/{Guid.CreateVersion7():N}/response-times")).StatusCode);
    }
}
