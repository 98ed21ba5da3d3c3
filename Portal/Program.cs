using Portal.Api;
using Portal.Components;
using Portal.Features.Access;
using Portal.Features.Alerting;
using Portal.Features.Audit;
using Portal.Features.Backups;
using Portal.Features.Drills;
using Portal.Features.Health;
using Portal.Features.Incidents;
using Portal.Features.Jobs;
using Portal.Features.Maintenance;
using Portal.Features.Metrics;
using Portal.Features.Monitoring;
using Portal.Features.Monitoring.Imports;
using Portal.Features.Notices;
using Portal.Features.Notifications;
using Portal.Features.OnCall;
using Portal.Features.StatusPages;
using Portal.Hosting;
using Portal.Hosting.Errors;
using Portal.Hosting.Logs;
using Portal.Live;
using Portal.Public;

var line = CommandLine.Parse(args);
if (line.Word is not null) return await Commands.Run(line);
var builder = WebApplication.CreateBuilder(ConfigurationSources.HostOptions(args));
if (builder.AddOptions(line) is not { } options) return Startup.Refused;
builder.Logging.AddPortalLogs();
builder.WebHost.UseStaticWebAssets();
builder.Services
    .AddErrorReports(options)
    .AddHosting()
    .AddLive()
    .AddRedis(options)
    .AddPublicPages()
    .AddAccess()
    .AddAudit()
    .AddStatusPages()
    .AddIncidents()
    .AddMaintenance()
    .AddJobs()
    .AddBackups()
    .AddDrills()
    .AddNotices()
    .AddNotifications()
    .AddOnCall()
    .AddAlerting()
    .AddMeasurements()
    .AddMonitoring()
    .AddHealth()
    .AddApi();
builder.Services.AddRazorComponents().AddInteractiveServerComponents();
builder.Services.AddCascadingAuthenticationState();
builder.Services.WithoutEarlyKeys();

var app = builder.Build();
app.UsePublished();
app.UseRequestFrame();
app.UseErrorTrails();
app.UseRequestLog();
app.UseLiveLimits();
app.UseErrorAnswers();
app.UseRouting();
app.UseRateLimiter();
app.UseAuthentication();
app.UseAuthorization();
app.UseIdempotentWrites();
app.UseAntiforgery();
app.MapStaticAssets().AllowAnonymous();
app.MapPublicPages();
app.MapLive();
app.MapAccess();
app.MapHealth();
app.MapApi();
app.MapMonitorFiles();
app.MapDrillReport();
app.MapNotifications();
app.MapOnCall();
app.MapAlerting();
app.MapRazorComponents<App>().AddInteractiveServerRenderMode();
return await app.RunPortal();

public partial class Program;
