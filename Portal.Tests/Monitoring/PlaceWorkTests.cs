using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Logging;
using Portal.Domain.Access;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Features.Monitoring.Places;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Support;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Tests.Monitoring;

/// <summary>What a program at another place is given when it asks.</summary>
public sealed class PlaceWorkTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    readonly LogLines log = new();

    PlaceWork Ask => new(database.Contexts, Sealing.Secrets, TimeProvider.System, new Logger<PlaceWork>(log));

    static Actor Program(string key) => new(ActorKind.ApiKey, new Guid("00000000-0000-7000-8000-0000000000f0"), key, new HashSet<Permission> { Permission.RunProbe }, "192.0.2.9");

    static PlaceWork.Request Request(int session) => new(Guid.Parse($"00000000-0000-7000-8000-{session:x12}"), "1.0", TimeProvider.System.GetUtcNow(), 0, null);

    [Fact]
    public async Task Of_programs_that_bring_the_same_new_key_at_once_one_brings_the_place_and_all_get_an_answer()
    {
        var answers = await Task.WhenAll(Enumerable.Range(1, 12).Select(n => Ask.Ask(Request(n), Program("Frankfurt"), default)));
        Assert.All(answers, a => Assert.Equal("Frankfurt", a.Place));
        await using var db = database.Open();
        Assert.Equal(1, await db.ProbePlaces.CountAsync(p => p.Name == "Frankfurt"));
        Assert.Equal(1, await db.Audit.CountAsync(a => a.Action == "place.joined"));
    }

    [Fact]
    public async Task Monitors_are_read_only_when_one_of_them_has_changed()
    {
        var (probe, now) = (Program("Lima"), TimeProvider.System.GetUtcNow());
        var ask = new PlaceWork(new Recorded(database, out var commands), Sealing.Secrets, TimeProvider.System, new Logger<PlaceWork>(log));
        await ask.Ask(Request(1), probe, default);
        await using var db = database.Open();
        var place = await db.ProbePlaces.SingleAsync(p => p.Name == "Lima");
        var monitor = db.Add(new Monitor(new MonitorSettings("Shop", MonitorKind.Http, "https://shop.example/", TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10), null, Places: [place.Id]), now)).Entity;
        await db.SaveChangesAsync();
        bool Full() => commands.Any(c => c.Contains("expect_status", StringComparison.Ordinal));
        var work = await ask.Ask(Request(1), probe, default);
        Assert.Single(work.Items!);
        Assert.True(Full());
        commands.Clear();
        Assert.Null((await ask.Ask(Request(1) with { Known = work.Tag }, probe, default)).Items);
        Assert.NotEmpty(commands);
        Assert.False(Full());
        monitor.Change(monitor.Settings with { Name = "Renamed" }, now);
        await db.SaveChangesAsync();
        Assert.Equal("Renamed", Assert.Single((await ask.Ask(Request(1) with { Known = work.Tag }, probe, default)).Items!).Settings.Name);
    }

    /// <summary>Contexts whose commands are written down.</summary>
    sealed class Recorded : IDbContextFactory<PortalDbContext>
    {
        readonly DbContextOptions<PortalDbContext> options;

        public Recorded(TestDatabase database, out ConcurrentQueue<string> commands)
        {
            var written = commands = new();
            options = new DbContextOptionsBuilder<PortalDbContext>(Database.OptionsFor(database.Database.Source)).LogTo(written.Enqueue, [RelationalEventId.CommandExecuted]).Options;
        }

        public PortalDbContext CreateDbContext() => new(options);
    }

    [Fact]
    public async Task A_monitor_whose_secrets_cannot_be_opened_keeps_no_other_from_being_looked_at()
    {
        var (probe, now) = (Program("Oslo"), TimeProvider.System.GetUtcNow());
        await Ask.Ask(Request(1), probe, default);
        await using var db = database.Open();
        var place = await db.ProbePlaces.SingleAsync(p => p.Name == "Oslo");
        var monitors = Enumerable.Range(0, 2).Select(n => new Monitor(new MonitorSettings($"Shop {n}", MonitorKind.Http, "https://shop.example/", TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10), null, Places: [place.Id]), now)).ToList();
        monitors[0].Keep(["X-Key"], [1, 2, 3], now);
        db.AddRange(monitors);
        await db.SaveChangesAsync();
        var work = await Ask.Ask(Request(1), probe, default);
        Assert.Equal([monitors[1].Id], work.Items!.Select(i => i.Monitor));
        Assert.Null((await Ask.Ask(Request(1) with { Known = work.Tag }, probe, default)).Items);
        Assert.Contains("Enter them again", Assert.Single(log.All, l => l.Text.Contains(monitors[0].Id.ToString(), StringComparison.Ordinal)).Text, StringComparison.Ordinal);
    }
}
