using System.Security.Claims;
using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Domain.Access;
using Portal.Domain.Shared;
using Portal.Features.Alerting;
using Portal.Features.Incidents;
using Portal.Features.Jobs;
using Portal.Features.Maintenance;
using Portal.Features.Metrics;
using Portal.Features.Monitoring;
using Portal.Features.OnCall;
using Portal.Features.StatusPages;
using Portal.Infrastructure;
using Portal.Infrastructure.Jobs;
using Portal.Infrastructure.Persistence;
using Portal.Live;

namespace Portal.Tests.Support;

/// <summary>A staff screen in front of somebody, on a real database. Hints reach it as from another node: <see cref="Hint"/>.</summary>
sealed class StaffScreen : BunitContext
{
    public ChangeFeed Feed { get; } = new(TimeProvider.System, NullLogger<ChangeFeed>.Instance);

    public StaffScreen(TestDatabase database, TimeProvider clock, Actor actor)
    {
        JSInterop.Mode = JSRuntimeMode.Loose;
        Services.AddLogging().AddSingleton(clock).AddSingleton(Feed).AddSingleton<IDbContextFactory<PortalDbContext>>(database.Database);
        Services.AddAlertScreens();
        Services.AddIncidents().AddMaintenance().AddStatusPages().AddTransient<MonitorList>().AddOnCallScreens();
        Services.AddMetrics().AddSingleton(database.Database).AddSingleton(new NodeName("here")).AddSingleton(TelemetrySettings.Default).AddSingleton<Telemetry>().AddSingleton<TelemetryRecorder>()
            .AddSingleton<Measurements>().AddSingleton<LiveFigures>().AddSingleton<LatestChecks>().AddSingleton(new UptimeOverDays(() => null, TimeZoneInfo.Utc, clock));
        Services.AddSingleton<JobKind>(new CheckDatabase(database.Database)).AddSingleton<JobKinds>().AddSingleton<JobList>().AddSingleton<JobScheduleList>().AddSingleton<JobsNow>().AddSingleton<CancelRun>().AddSingleton<RepeatRun>().AddSingleton<RunSchedule>().AddSingleton<PauseSchedule>()
            .AddSingleton(new QuartzDelivery(database.Database, "here", new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)), NullLoggerFactory.Instance, (_, _) => Task.CompletedTask));
        Services.AddAuthorizationCore();
        Services.AddCascadingValue(_ => Task.FromResult(new AuthenticationState(Principal(actor))));
    }

    public void Hint(string topic) => Feed.Publish(topic);

    static ClaimsPrincipal Principal(Actor actor) => new(new ClaimsIdentity(
    [
        new(ClaimTypes.NameIdentifier, actor.Id!.Value.ToString()),
        new(ClaimTypes.Name, actor.Name),
        new(ClaimTypes.Role, actor.May(Permission.ManagePeople) ? nameof(Role.Admin) : nameof(Role.Staff)),
    ], "test"));
}
