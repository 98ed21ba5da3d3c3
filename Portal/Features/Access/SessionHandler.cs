using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;
using Portal.Account;
using Portal.Components;

namespace Portal.Features.Access;

/// <summary>Knows people by their session cookie, and answers in words and at the endpoint whoever may not enter.</summary>
public sealed class SessionHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logs, UrlEncoder encoder, SignedInSessions sessions)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logs, encoder)
{
    Exception? databaseAway;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        // What everybody may see is answered without asking the database who is looking.
        if (Context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null || SessionCookie.Read(Request) is not { } secret)
            return AuthenticateResult.NoResult();
        try
        {
            return await sessions.Find(secret, Context.RequestAborted) is { } signedIn
                ? AuthenticateResult.Success(new(signedIn.ToPrincipal(Visitor.Of(Context).From), Scheme.Name))
                : AuthenticateResult.Fail("The session is over.");
        }
        catch (Exception e) when (Refusal.IsDatabaseAway(e))
        {
            Logger.LogWarning(e, "Nobody can be recognised: the database cannot be reached");
            databaseAway = e;
            return AuthenticateResult.Fail(e);
        }
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        // An address that does not exist is not found, and one that does not take the method (routing's own stand-in) says so: nobody is asked to sign in for it.
        if (Context.GetEndpoint() is not RouteEndpoint)
        {
            Response.StatusCode = StatusCodes.Status404NotFound;
            return Context.GetEndpoint()?.RequestDelegate?.Invoke(Context) ?? Task.CompletedTask;
        }
        if (databaseAway is not null) return AccountAnswers.DatabaseAway(Context).ExecuteAsync(Context);
        if (!IsForPeople)
        {
            Response.StatusCode = StatusCodes.Status401Unauthorized;
            return Task.CompletedTask;
        }
        var wanted = HttpMethods.IsGet(Request.Method) ? Request.PathBase + Request.Path + Request.QueryString : "/";
        Response.Headers.CacheControl = "no-store";
        Response.Redirect(wanted is "/" ? "/login" : "/login?returnUrl=" + Uri.EscapeDataString(wanted));
        return Task.CompletedTask;
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        if (IsForPeople) return AccountAnswers.Forbidden(Context).ExecuteAsync(Context);
        Response.StatusCode = StatusCodes.Status403Forbidden;
        return Task.CompletedTask;
    }

    bool IsForPeople => !Request.Path.StartsWithSegments("/api") && !Request.Path.StartsWithSegments("/_blazor") && !Request.Path.StartsWithSegments("/hubs");
}
