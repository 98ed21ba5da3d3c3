using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http.HttpResults;
using Portal.Components;
using Portal.Domain.Shared;
using Portal.Features.Access;

namespace Portal.Account;

/// <summary>Why a form comes back, safe to show.</summary>
/// <param name="Field">The input to blame; null for none.</param>
/// <param name="Status">Of the answer.</param>
public sealed record AccountProblem(string Text, string? Field, int Status);

/// <summary>What all account pages share: how they answer, and that a form is believed only from our own page.</summary>
public static class AccountAnswers
{
    const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

    public static IResult Page<T>(object parameters, int status = 200) where T : Microsoft.AspNetCore.Components.IComponent =>
        new WithHeaders(new RazorComponentResult<T>(parameters) { StatusCode = status, PreventStreamingRendering = true });

    public static IResult Forbidden(HttpContext http) => Page<MessagePage>(new
    {
        Heading = AccountText.For(http)["You may not open this"],
        Words = AccountText.For(http)["You are signed in, but this needs a right that your account does not have. An administrator can change your role."],
        Status = 403,
        LinkHref = "/ops",
        LinkWords = AccountText.For(http)["Go to the overview"],
        MaySignOut = true,
    }, 403);

    public static IResult DatabaseAway(HttpContext http) => Page<MessagePage>(new
    {
        Heading = AccountText.For(http)["The database cannot be reached"],
        Words = AccountText.For(http)["So nobody can be signed in and nothing can be changed at the moment. The public status page goes on being served, and monitoring continues as soon as the database is back. Reload this page in a few seconds."],
        Status = 503,
        LinkHref = "/",
        LinkWords = AccountText.For(http)["Go to the status page"],
    }, 503);

    /// <summary>Runs what the person asked for; a refusal brings the page back with what was typed.</summary>
    public static async Task<IResult> Act(HttpContext http, Func<Task<IResult>> act, Func<AccountProblem, Task<IResult>> again)
    {
        AccountProblem problem;
        try
        {
            if (!await http.RequestServices.GetRequiredService<IAntiforgery>().IsRequestValidAsync(http))
                problem = new(AccountText.For(http)["This page was open for too long, or cookies are blocked. Nothing was done: try again now."], null, 400);
            else return await act();
        }
        catch (TooBusyException e) { problem = new(AccountText.For(http)[e.Message], null, 429); }
        catch (Exception e) when (!Refusal.IsDatabaseAway(e) && Refusal.TextFor(e) is { } text)
        {
            problem = new(AccountText.For(http)[text], (e as DomainException)?.Field, e is ConflictException ? 409 : 422);
        }
        if (problem.Status == 429) http.Response.Headers.RetryAfter = "5";
        return await again(problem);
    }

    /// <summary>What was sent; nothing where it was no form.</summary>
    public static async Task<IFormCollection> Form(HttpContext http) =>
        http.Request.HasFormContentType ? await http.Request.ReadFormAsync(http.RequestAborted) : FormCollection.Empty;

    public static AntiforgeryTokenSet Token(HttpContext http) =>
        http.RequestServices.GetRequiredService<IAntiforgery>().GetAndStoreTokens(http);

    /// <summary>303: what comes next is read with GET, so that a reload repeats nothing.</summary>
    public static IResult Go(HttpContext http, string to)
    {
        http.Response.Headers.Location = to;
        http.Response.Headers.CacheControl = "no-store";
        return Results.StatusCode(StatusCodes.Status303SeeOther);
    }

    /// <summary>Only a path of this portal: nobody is sent elsewhere after signing in.</summary>
    public static string LocalPath(string? wanted, string otherwise) =>
        wanted is ['/', ..] and not ['/', '/' or '\\', ..] && wanted.Length <= 2000 && !wanted.Any(c => c is <= ' ' or > '~' or '\\') ? wanted : otherwise;

    /// <summary>Wherever the database goes away, the page says so.</summary>
    public static async ValueTask<object?> Guard(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        try { return await next(context); }
        catch (Exception e) when (Refusal.IsDatabaseAway(e))
        {
            http.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(AccountAnswers)).LogWarning(e, "An account page could not reach the database");
            return DatabaseAway(http);
        }
    }

    sealed class WithHeaders(IResult page) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            var headers = httpContext.Response.Headers;
            headers.CacheControl = "no-store";
            headers["Referrer-Policy"] = "no-referrer";
            headers.ContentSecurityPolicy = Policy;
            headers.XContentTypeOptions = "nosniff";
            headers.Vary = "Accept-Language";
            if (page is IStatusCodeHttpResult { StatusCode: 503 }) headers.RetryAfter = "5";
            return page.ExecuteAsync(httpContext);
        }
    }
}
