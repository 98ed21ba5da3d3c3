using System.Security.Claims;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;
using Portal.Components;
using Portal.Hosting.Logs;
using Portal.Live;

namespace Portal.Features.Access;

/// <summary>Keeps asking, for each open screen, whether its session still stands; hears at once when a person or a session changes.</summary>
public sealed class CircuitIdentity : RevalidatingServerAuthenticationStateProvider
{
    readonly SignedInSessions sessions;
    readonly ILogger<CircuitIdentity> log;
    readonly CancellationTokenSource closed = new();
    readonly IDisposable watching;

    public CircuitIdentity(ILoggerFactory logs, SignedInSessions sessions, ChangeFeed changes) : base(logs)
    {
        (this.sessions, log) = (sessions, logs.CreateLogger<CircuitIdentity>());
        watching = changes.Subscribe("people", Check);
    }

    protected override TimeSpan RevalidationInterval => TimeSpan.FromSeconds(30);

    protected override Task<bool> ValidateAuthenticationStateAsync(AuthenticationState authenticationState, CancellationToken cancellationToken) =>
        Stands(authenticationState.User, cancellationToken);

    async Task Check()
    {
        sessions.Forget();
        AuthenticationState state;
        try { state = await GetAuthenticationStateAsync(); }
        // Before the circuit has its first state there is nothing to take away.
        catch (InvalidOperationException) { return; }
        if (state.User.Identity?.IsAuthenticated == true && !await Stands(state.User, closed.Token))
            SetAuthenticationState(Task.FromResult(new AuthenticationState(new ClaimsPrincipal(new ClaimsIdentity()))));
    }

    async Task<bool> Stands(ClaimsPrincipal user, CancellationToken ct)
    {
        if (!Guid.TryParse(user.FindFirstValue(ActorSource.SessionClaim), out var session)) return false;
        using var scope = log.BeginScope(new ActingUser(user.FindFirstValue(ClaimTypes.NameIdentifier)));
        try
        {
            if (await sessions.Find(session, ct) is not { } now) return false;
            if (now.Name != user.FindFirstValue(ClaimTypes.Name) || now.Role.ToString() != user.FindFirstValue(ClaimTypes.Role))
                SetAuthenticationState(Task.FromResult(new AuthenticationState(now.ToPrincipal(user.FindFirstValue(ActorSource.AddressClaim)))));
            return true;
        }
        catch (Exception e) when (Refusal.IsDatabaseAway(e))
        {
            // Without the database an open screen can do nothing anyway; signing everybody out would only add to the trouble.
            log.LogWarning(e, "A session could not be checked again");
            return true;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            watching.Dispose();
            closed.Cancel();
            closed.Dispose();
        }
        base.Dispose(disposing);
    }
}
