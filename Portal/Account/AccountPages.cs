using System.Globalization;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Mvc;
using Portal.Features.Access;
using Portal.Public;

namespace Portal.Account;

/// <summary>Sign-in, set-up and the own account: static pages whose forms work without JavaScript.</summary>
public static class AccountPages
{
    static readonly string[] Reading = [HttpMethods.Get, HttpMethods.Head];

    public static IServiceCollection AddAccountPages(this IServiceCollection services) => services
        // The framework's own request lines would write the secret of a one-time link into the log.
        .AddLogging(logging => logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Warning))
        .Configure<AntiforgeryOptions>(options =>
        {
            options.Cookie.Name = "Portal.Form";
            options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            options.SuppressXFrameOptionsHeader = true;
        });

    public static IEndpointRouteBuilder MapAccountPages(this IEndpointRouteBuilder app)
    {
        var pages = app.MapGroup("").ExcludeFromDescription().AddEndpointFilter(AccountAnswers.Guard).WithMetadata(new RequestSizeLimitAttribute(64 * 1024));
        pages.MapSignIn();
        pages.MapSetup();
        pages.MapOwnAccount();
        return app;
    }

    static void MapSignIn(this IEndpointRouteBuilder pages)
    {
        pages.MapMethods("/login", Reading, async (HttpContext http, SignedInSessions sessions, string? returnUrl) =>
        {
            var next = AccountAnswers.LocalPath(returnUrl, "/ops");
            return SessionCookie.Read(http.Request) is { } secret && await sessions.Find(secret, http.RequestAborted) is not null
                ? AccountAnswers.Go(http, next)
                : Login(http, returnUrl, null, http.Request.Query.ContainsKey("done") ? AccountText.For(http)["You are signed out."] : null);
        }).AllowAnonymous();
        pages.MapPost("/login", (HttpContext http, SignIn signIn, TimeProvider clock) => PostLogin(http, signIn, clock)).AllowAnonymous();
        pages.MapPost("/logout", PostLogout).RequireAuthorization();
    }

    static async Task<IResult> PostLogin(HttpContext http, SignIn signIn, TimeProvider clock)
    {
        var form = await AccountAnswers.Form(http);
        var (email, returnUrl) = (form["email"].ToString(), form["returnUrl"].ToString());
        return await AccountAnswers.Act(http, async () =>
        {
            var outcome = await signIn.Execute(new(email, form["password"]), Visitor.Of(http), http.RequestAborted);
            switch (outcome)
            {
                case SignIn.Started started:
                    SessionCookie.Write(http, started.Secret);
                    return AccountAnswers.Go(http, AccountAnswers.LocalPath(returnUrl, "/ops"));
                case SignIn.Wait wait:
                    var left = Math.Max(1, (int)Math.Ceiling((wait.Until - clock.GetUtcNow()).TotalSeconds));
                    http.Response.Headers.RetryAfter = left.ToString(CultureInfo.InvariantCulture);
                    return Login(http, returnUrl, email, null, new(TooMany(AccountText.For(http), left), null, 429));
                default:
                    return Login(http, returnUrl, email, null, new(AccountText.For(http)["E-mail address or password is wrong. Check both and try again."], null, 422));
            }
        }, problem => Task.FromResult(Login(http, returnUrl, email, null, problem)));
    }

    static string TooMany(AccountText text, int seconds) => seconds < 90
        ? text.Of("Too many failed sign-ins from here. Try again in {0} seconds.", seconds)
        : text.Of("Too many failed sign-ins from here. Try again in {0} minutes.", (seconds + 59) / 60);

    static IResult Login(HttpContext http, string? returnUrl, string? email, string? notice, AccountProblem? problem = null) =>
        AccountAnswers.Page<LoginPage>(new { Token = AccountAnswers.Token(http), ReturnUrl = AccountAnswers.LocalPath(returnUrl, ""), Email = email, Notice = notice, Problem = problem }, problem?.Status ?? 200);

    /// <summary>Without a token, so that a screen can offer it as a plain form: the cookie is not sent from other sites, and other origins are refused.</summary>
    static async Task<IResult> PostLogout(HttpContext http, RevokeSession revoke)
    {
        if (!IsFromHere(http)) return Results.StatusCode(StatusCodes.Status403Forbidden);
        await revoke.Execute(http.CurrentSession(), current: true, http.User.ToActor(), http.RequestAborted);
        SessionCookie.Remove(http);
        return AccountAnswers.Go(http, "/login?done");
    }

    static bool IsFromHere(HttpContext http) =>
        http.Request.Headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site ? site is "same-origin" or "none"
        : http.Request.Headers.Origin.ToString() is not { Length: > 0 } origin || http.RequestServices.GetRequiredService<PublicAddress>().IsSameOrigin(origin, http.Request.Host);

    static void MapSetup(this IEndpointRouteBuilder pages)
    {
        pages.MapMethods("/setup", Reading, async (HttpContext http, LinkTarget links, string? token) =>
            Setup(http, await links.Load(token, http.RequestAborted), token is "" ? null : token, null, null, null)).AllowAnonymous();
        pages.MapPost("/setup", async (HttpContext http, UseLink use, LinkTarget links) =>
        {
            var form = await AccountAnswers.Form(http);
            var (token, name, email) = (form["token"].ToString(), form["name"].ToString(), form["email"].ToString());
            return await AccountAnswers.Act(http, async () =>
            {
                if (await use.Execute(new(token, name, email, form["password"], form["repeated"]), Visitor.Of(http), http.RequestAborted) is { } session)
                {
                    SessionCookie.Write(http, session);
                    return AccountAnswers.Go(http, "/ops");
                }
                return AccountAnswers.Page<MessagePage>(new { Heading = AccountText.For(http)["That is done"], Words = AccountText.For(http)["The account is ready. Sign in with the e-mail address and the password that you just chose."], LinkHref = "/login", LinkWords = AccountText.For(http)["Sign in"] });
            }, async problem => Setup(http, await links.Load(token, http.RequestAborted), token, name, email, problem));
        }).AllowAnonymous();
    }

    static IResult Setup(HttpContext http, LinkTarget.State state, string? link, string? name, string? email, AccountProblem? problem) =>
        AccountAnswers.Page<SetupPage>(new { Token = AccountAnswers.Token(http), State = state, Link = link, Name = name, Email = email, Problem = problem },
            problem?.Status ?? (state.Purpose is null && link is not null ? StatusCodes.Status410Gone : 200));

    public static Guid CurrentSession(this HttpContext http) =>
        Guid.ParseExact(http.User.FindFirst(ActorSource.SessionClaim)!.Value, "N");
}
