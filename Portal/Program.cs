using Portal.Api;
using Portal.Components;
using Portal.Features.Access;
using Portal.Features.Health;
using Portal.Features.Incidents;
using Portal.Features.Monitoring;
using Portal.Features.StatusPages;
using Portal.Hosting;
using Portal.Live;
using Portal.Public;

var builder = WebApplication.CreateBuilder(args);
builder.WebHost.UseStaticWebAssets();
builder.Services
    .AddHosting()
    .AddLive()
    .AddPublicPages()
    .AddAccess()
    .AddStatusPages()
    .AddIncidents()
    .AddMonitoring()
    .AddHealth()
    .AddApi();
builder.Services.AddRazorComponents().AddInteractiveServerComponents();
builder.Services.AddCascadingAuthenticationState();
builder.Services.AddAuthentication();
builder.Services.AddAuthorization();

var app = builder.Build();
app.UsePublished();
app.UseRequestFrame();
app.UseLiveOrigin();
app.UseErrorAnswers();
app.UseRouting();
app.UseRateLimiter();
app.UseAuthentication();
app.UseAuthorization();
app.UseIdempotentWrites();
app.UseAntiforgery();
app.MapStaticAssets();
app.MapPublicPages();
app.MapLive();
app.MapAccess();
app.MapStatusPages();
app.MapIncidents();
app.MapMonitoring();
app.MapHealth();
app.MapApi();
app.MapRazorComponents<App>().AddInteractiveServerRenderMode();
app.Run();

public partial class Program;
