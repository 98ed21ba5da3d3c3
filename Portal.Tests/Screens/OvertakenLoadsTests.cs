using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portal.Domain.Incidents;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Features.Incidents;
using Portal.Features.Monitoring;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Support;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Tests.Screens;

/// <summary>Two questions to the database on their way at once, of which the first is answered last.</summary>
public class OvertakenLoadsTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    static readonly TimeSpan Wait = TimeSpan.FromSeconds(20);
    readonly FakeClock clock = new();

    /// <summary>Lets the next question wait until it is let go.</summary>
    sealed class Held(IDbContextFactory<PortalDbContext> real) : IDbContextFactory<PortalDbContext>
    {
        readonly TaskCompletionSource held = new(TaskCreationOptions.RunContinuationsAsynchronously), released = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int toHold;

        /// <summary>Completes when a question waits.</summary>
        public Task Holds => held.Task.WaitAsync(Wait);

        public void HoldNext() => Volatile.Write(ref toHold, 1);

        public void Release() => released.SetResult();

        public PortalDbContext CreateDbContext() => real.CreateDbContext();

        public async Task<PortalDbContext> CreateDbContextAsync(CancellationToken cancellationToken = default)
        {
            if (Interlocked.Exchange(ref toHold, 0) == 1)
            {
                held.SetResult();
                await released.Task.WaitAsync(cancellationToken);
            }
            return await real.CreateDbContextAsync(cancellationToken);
        }
    }

    (StaffScreen Screen, Held Database) Screen()
    {
        var screen = new StaffScreen(database, clock, Cast.Bob);
        var held = new Held(database.Contexts);
        screen.Services.AddSingleton<IDbContextFactory<PortalDbContext>>(held);
        screen.Services.AddTransient<MonitorList>().AddTransient<ComponentChoices>();
        return (screen, held);
    }

    static void Go(StaffScreen screen, string address) => screen.Services.GetRequiredService<NavigationManager>().NavigateTo(address);

    [Fact]
    public async Task Incidents_that_were_asked_for_first_and_come_last_do_not_stand_under_the_filter_chosen_since()
    {
        var declare = new DeclareIncident(database.Contexts, clock);
        await declare.Execute(new("Still open", Severity.P1, "We are looking.", []), Cast.Bob, default);
        await declare.Execute(new("Long over", Severity.P1, "It was short.", [], Status: IncidentStatus.Resolved), Cast.Bob, default);
        var (screen, held) = Screen();
        await using var _ = screen;
        Go(screen, "/ops/incidents");
        var list = screen.Render<IncidentsPage>();
        list.WaitForAssertion(() => Assert.Contains("Still open", list.Markup, StringComparison.Ordinal), Wait);

        held.HoldNext();
        screen.Hint("incidents");
        await held.Holds;
        Go(screen, "/ops/incidents?show=past");
        list.WaitForAssertion(() => Assert.Contains("Long over", list.Markup, StringComparison.Ordinal), Wait);
        var renders = list.RenderCount;
        held.Release();
        list.WaitForAssertion(() => Assert.True(list.RenderCount > renders), Wait);
        Assert.Contains("Long over", list.Markup, StringComparison.Ordinal);
        Assert.DoesNotContain("Still open", list.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Monitors_that_were_asked_for_first_and_come_last_do_not_stand_under_the_filter_chosen_since()
    {
        await using (var db = database.Open())
        {
            var now = clock.GetUtcNow();
            foreach (var name in (string[])["Shop front", "Ware house"])
            {
                var monitor = new Monitor(new MonitorSettings(name, MonitorKind.Http, "https://example.com/", TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10), null), now);
                db.AddRange(monitor, new MonitorState(monitor.Id, now));
            }
            await db.SaveChangesAsync();
        }
        var (screen, held) = Screen();
        await using var _ = screen;
        Go(screen, "/ops/monitors?q=shop");
        var list = screen.Render<MonitorsPage>();
        list.WaitForAssertion(() => Assert.Contains("Shop front", list.Markup, StringComparison.Ordinal), Wait);

        held.HoldNext();
        screen.Hint("monitors");
        await held.Holds;
        Go(screen, "/ops/monitors?q=ware");
        list.WaitForAssertion(() => Assert.Contains("Ware house", list.Markup, StringComparison.Ordinal), Wait);
        var renders = list.RenderCount;
        held.Release();
        list.WaitForAssertion(() => Assert.True(list.RenderCount > renders), Wait);
        Assert.Contains("Ware house", list.Markup, StringComparison.Ordinal);
        Assert.DoesNotContain("Shop front", list.Markup, StringComparison.Ordinal);
    }
}
