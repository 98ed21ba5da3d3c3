using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Features.Alerting;
using Portal.Tests.Persistence;
using Portal.Tests.Support;

namespace Portal.Tests.Alerting;

/// <summary>The lists of alerts over 200,000 of them, one a minute, of which every 200th is open: each reads what it shows, and no more.</summary>
[Trait("Category", "Slow")]
public sealed class AlertIndexTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    static readonly DateTimeOffset Now = new(2026, 3, 20, 12, 0, 0, TimeSpan.Zero);
    Service service = null!;

    public async Task InitializeAsync()
    {
        await Heard.Clear(database);
        service = await Heard.Service(database);
        await using var db = database.Open();
        db.Add(new Alert(service.Id, new AlertSignal(SignalAction.Trigger, "first", Severity.P1, "The disk is full", "db-7", new([])), Now));
        await db.SaveChangesAsync();
        db.Database.SetCommandTimeout(TimeSpan.FromMinutes(5));
        await db.Database.ExecuteSqlRawAsync("""
            insert into alerts select copy.* from alerts a, generate_series(1, 200000) n, lateral jsonb_populate_record(a, jsonb_build_object(
                'id', gen_random_uuid(), 'key', n::text, 'began_at', a.triggered_at - n * interval '1 minute', 'triggered_at', a.triggered_at - n * interval '1 minute',
                'state', case when n % 200 = 0 then 'Triggered' else 'Resolved' end, 'resolved_at', case when n % 200 = 0 then null else a.triggered_at - (n - 1) * interval '1 minute' end)) copy;
            analyze alerts; analyze services
            """);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    async Task Costs(long most, Func<QueryPlans, Task> query)
    {
        var plans = new QueryPlans(database.Database.Source);
        await query(plans);
        var all = await plans.Explain();
        Assert.NotEmpty(all);
        Assert.All(all, plan => Assert.True(!plan.ReadWhole.Contains("alerts"), $"Reads all alerts:\n{plan}"));
        Assert.True(all.Sum(p => p.Buffers) <= most, $"{all.Sum(p => p.Buffers)} pages instead of at most {most}:\n{string.Join("\n\n", all)}");
    }

    [Fact]
    public async Task A_part_of_the_list_costs_the_same_wherever_it_begins_and_counts_read_what_is_open()
    {
        AlertId middle;
        await using (var db = database.Open()) middle = await db.Alerts.OrderBy(a => a.TriggeredAt).Skip(100_000).Select(a => a.Id).FirstAsync();
        foreach (var filter in new AlertBoard.Filter[] { new(), new(Open: null), new(Open: false), new(Open: null, Service: service.Id), new(State: AlertState.Triggered), new(Severity: Severity.P1) })
            foreach (var after in new AlertId?[] { null, middle })
                await Costs(1_500, async plans => Assert.Equal(51, (await new AlertBoard(plans).Load(filter, after, 51, Cast.Bob, default)).Count));
        await Costs(2_500, async plans => Assert.Equal(1_001, (await new AlertBoard(plans).LoadCounts(default)).Triggered));
    }
}
