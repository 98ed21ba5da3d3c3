using Microsoft.EntityFrameworkCore;
using Portal.Domain.Backups;
using Portal.Domain.Incidents;
using Portal.Domain.Jobs;
using Portal.Domain.Metrics;
using Portal.Domain.Monitoring;
using Portal.Domain.StatusPages;
using Portal.Features.Backups;
using Portal.Features.Drills;
using Portal.Features.Incidents;
using Portal.Features.Jobs;
using Portal.Features.Maintenance;
using Portal.Features.Metrics;
using Portal.Features.Monitoring;
using Portal.Features.StatusPages;
using Portal.Tests.Support;

namespace Portal.Tests.Persistence;

/// <summary>The screens' own queries on 200,000 rows of each kind: none reads a large table from end to end, and each stays below a stated number of 8 kB pages.</summary>
[Trait("Category", "Slow")]
public sealed class IndexTests(GrownDatabase grown) : IClassFixture<GrownDatabase>
{
    static readonly DateTimeOffset Now = GrownDatabase.Now;
    static readonly FakeClock Clock = new(Now);

    [Theory]
    [InlineData(null, null, 1_250)]
    [InlineData(true, null, 130)]
    [InlineData(false, null, 1_250)]
    [InlineData(null, Severity.P0, 1_250)]
    public async Task A_part_of_the_incident_list_costs_the_same_wherever_it_begins(bool? open, Severity? severity, long most)
    {
        var filter = new IncidentList.Filter(open, severity);
        await Costs(most, async plans => Assert.NotEmpty(await new IncidentList(plans).Load(filter, null, 51, default)));
        await Costs(most, async plans => Assert.NotEmpty(await new IncidentList(plans).Load(filter, GrownDatabase.Incident(open == true ? GrownDatabase.Rows - 2 : 100_000), 51, default)));
    }

    [Theory]
    [InlineData("number 1999", null, 100, 3_500)]
    [InlineData("no such words", null, 0, 520)]
    [InlineData("NUMBER 18999", 190_001, 10, 1_300)]
    [InlineData("number 1", null, 101, 2_500)]
    public Task A_part_of_a_title_is_looked_for_in_so_many_and_not_in_all(string text, int? after, int found, long most) => Costs(most, async plans =>
        Assert.Equal(found, (await new IncidentList(plans).Load(new(Text: text), after is { } number ? GrownDatabase.Incident(number) : null, 101, default)).Count));

    [Fact]
    public Task Checks_of_a_monitor_are_found_from_any_time_on() => Costs(130, async plans =>
    {
        var history = new MonitorHistory(plans);
        Assert.Equal(51, (await history.LoadChecks(GrownDatabase.Monitor(3), null, 51, Cast.Bob, default)).Count);
        Assert.Equal(51, (await history.LoadChecks(GrownDatabase.Monitor(3), Now.AddDays(-4), 51, Cast.Bob, default)).Count);
    });

    [Theory]
    [InlineData("24h", 1_600)]
    [InlineData("7d", 600)]
    [InlineData("90d", 2_600)]
    public Task A_chart_reads_its_own_monitor_and_its_own_time(string name, long most) => Costs(most, async plans =>
    {
        var range = ChartRange.Named(name);
        var buckets = await new ResponseTimeHistory(plans).Load(GrownDatabase.Monitor(3), range.Until(Now), range.Step, Cast.Bob, default);
        Assert.InRange(buckets.Count, range.Length / range.Step * 0.9, range.Length / range.Step);
        Assert.All(buckets, b => Assert.InRange(b.Percentile(0.5)!.Value, 40, 90));
    });

    [Theory]
    [InlineData(15 * 60, 10, 250)]
    [InlineData(3 * 3600, 60, 800)]
    [InlineData(24 * 3600, 300, 5_000)]
    public Task The_portals_own_figures_are_read_by_series_and_time(int seconds, int step, long most) => Costs(most, async plans =>
    {
        var measured = await new Measurements(plans).Load([MetricNames.Requests, MetricNames.RequestTime], new(Now.AddSeconds(-seconds), Now), TimeSpan.FromSeconds(step), default);
        Assert.Equal(seconds / step, measured.Count(MetricNames.Requests, ("status", "2xx")).Count);
        Assert.InRange(measured.Series.Count, 2, 4);
    });

    [Fact]
    public Task Outages_and_gaps_of_a_monitor_are_found_newest_first() => Costs(60, async plans =>
    {
        var history = new MonitorHistory(plans);
        Assert.Equal(50, (await history.LoadOutages(GrownDatabase.Monitor(3), 50, Cast.Bob, default)).Count);
        Assert.Equal(50, (await history.LoadGaps(GrownDatabase.Monitor(3), 50, Cast.Bob, default)).Count);
    });

    [Fact]
    public Task The_overview_finds_what_is_wrong_and_what_changed_last() => Costs(70, async plans =>
    {
        var view = await new SituationNow(plans, new ComponentStatuses(plans, Clock), Clock).Load(default);
        Assert.NotEmpty(view.Unwell);
        Assert.NotNull(view.QuietSince);
        Assert.Equal(10, view.Changes.Count);
    });

    [Fact]
    public Task The_public_page_reads_its_91_days_and_not_the_years_before() => Costs(18_000, async plans =>
    {
        var model = await new StatusPageSnapshot(plans).Load(null, Now, default);
        Assert.InRange(model.Incidents.Count, 364, 400);
        Assert.Contains(model.ResponseTimes, s => s.Milliseconds.Any(ms => ms > 0));
    });

    [Fact]
    public Task The_list_of_monitors_never_looks_at_their_history() => Costs(10, async plans =>
    {
        Assert.Equal(10, (await new MonitorList(plans, Clock).Load(new MonitorList.Filter(), null, 51, Cast.Bob, default)).Count);
        Assert.NotEmpty(await new MonitorList(plans, Clock).Count(Cast.Bob, default));
    });

    [Fact]
    public async Task Old_incidents_are_found_by_id_and_by_month()
    {
        await Costs(35, async plans => Assert.NotNull(await new PublicIncidents(plans).Load(GrownDatabase.Incident(70_000), Now, default)));
        await Costs(2_700, async plans => Assert.InRange((await new PublicIncidents(plans).Load(Now.AddDays(-5_030), Now.AddDays(-5_000), Now, default)).Count, 119, 121));
    }

    [Theory]
    [InlineData(null, 250)]
    [InlineData(false, 60)]
    [InlineData(true, 400)]
    public async Task A_part_of_the_maintenance_list_costs_the_same_wherever_it_begins(bool? over, long most)
    {
        var filter = new MaintenanceList.Filter(over);
        await Costs(most, async plans => Assert.NotEmpty(await new MaintenanceList(plans, Clock).Load(filter, null, 51, default)));
        if (over != false) await Costs(most, async plans => Assert.Equal(51, (await new MaintenanceList(plans, Clock).Load(filter, GrownDatabase.Window(100_000), 51, default)).Count));
    }

    [Fact]
    public async Task Maintenance_is_found_by_id_by_month_by_component_and_by_what_it_meets()
    {
        var component = (await new ComponentStatuses(new QueryPlans(grown.Source), Clock).Load(default)).Components[3].Id;
        await Costs(30, async plans => Assert.NotNull(await new PublicMaintenances(plans).Load(GrownDatabase.Window(70_000), default)));
        await Costs(30, async plans => Assert.NotEmpty((await new MaintenanceFile(plans, Clock).Load(GrownDatabase.Window(70_000), default)).Components));
        await Costs(1_700, async plans => Assert.InRange((await new PublicMaintenances(plans).Load(Now.AddDays(-5_030), Now.AddDays(-5_000), default)).Count, 119, 121));
        await Costs(600, async plans => Assert.NotEmpty(await new MaintenanceCover(plans).Load(component, Now.AddDays(-7), Now, default)));
        await Costs(120, async plans => Assert.NotEmpty((await new MaintenanceOverlaps(plans, Clock).Load([.. Enumerable.Range(0, 10).Select(n => new ComponentId(new($"c0000000-0000-7000-8000-{n:x12}")))], new(Now, Now.AddDays(1)), default, default)).Windows));
    }

    [Theory]
    [InlineData(null, null, 160)]
    [InlineData(null, "drill", 160)]
    [InlineData(RunState.Failed, null, 160)]
    public async Task A_part_of_the_history_of_jobs_costs_the_same_wherever_it_begins(RunState? state, string? kind, long most)
    {
        foreach (var after in new JobRunId?[] { null, GrownDatabase.Run(100_000) })
            await Costs(most, async plans => Assert.Equal(51, (await new JobList(plans).Load(new(state, kind), after, 51, default)).Count));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(4)]
    public async Task Backups_and_drills_are_found_from_any_time_on(int? target)
    {
        BackupTargetId? of = target is { } number ? GrownDatabase.Target(number) : null;
        foreach (var after in new[] { GrownDatabase.Rows, 100_000 })
        {
            await Costs(260, async plans => Assert.Equal(51, (await new BackupList(plans).Load(new(of), GrownDatabase.Backup(after), 51, Cast.Alice, default)).Count));
            await Costs(260, async plans => Assert.Equal(51, (await new DrillList(plans).Load(of, GrownDatabase.Run(after), 51, Cast.Alice, default)).Count));
        }
    }

    [Fact]
    public async Task A_query_without_an_index_is_noticed()
    {
        var plans = new QueryPlans(grown.Source);
        await using (var db = plans.CreateDbContext())
            Assert.NotEqual(0, await db.Incidents.Where(i => i.Impact == Indicator.Minor).CountAsync());
        var plan = Assert.Single(await plans.Explain());
        Assert.Contains("incidents", plan.ReadWhole);
        Assert.True(plan.Buffers > 1_000, $"{plan.Buffers} pages");
    }

    async Task Costs(long most, Func<QueryPlans, Task> query)
    {
        var plans = new QueryPlans(grown.Source);
        await query(plans);
        var all = await plans.Explain();
        Assert.NotEmpty(all);
        Assert.All(all, plan => Assert.True(!plan.ReadWhole.Any(read => GrownDatabase.Large.Any(large => read == large || read.StartsWith($"{large}_", StringComparison.Ordinal))), $"Reads {string.Join(", ", plan.ReadWhole)} from end to end:\n{plan}"));
        Assert.True(all.Sum(p => p.Buffers) <= most, $"{all.Sum(p => p.Buffers)} pages instead of at most {most}:\n{string.Join("\n\n", all.OrderByDescending(p => p.Buffers).Take(2))}");
    }
}
