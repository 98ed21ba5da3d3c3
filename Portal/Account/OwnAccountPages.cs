using Portal.Features.Access;

namespace Portal.Account;

/// <summary>The own account: name, password, sessions.</summary>
static class OwnAccountPages
{
    public static void MapOwnAccount(this IEndpointRouteBuilder pages)
    {
        var account = pages.MapGroup("/account").RequireAuthorization();
        account.MapGet("", (HttpContext http, OwnSessions own, string? done) => Show(http, own, Words(done) is { } words ? AccountText.For(http)[words] : null));
        account.MapPost("/name", (HttpContext http, OwnSessions own, ChangeOwnName change) => Post(http, own, "name", (form, ct) =>
            change.Execute(form["name"], http.User.ToActor(), ct)));
        account.MapPost("/password", (HttpContext http, OwnSessions own, ChangeOwnPassword change) => Post(http, own, "password", (form, ct) =>
            change.Execute(new(form["current"], form["password"], form["repeated"], http.CurrentSession()), http.User.ToActor(), Visitor.Of(http), ct)));
        account.MapPost("/sessions/revoke", (HttpContext http, OwnSessions own, RevokeSession revoke) => Post(http, own, "session", (form, ct) =>
            revoke.Execute(Guid.TryParseExact(form["session"], "N", out var id) ? id : default, current: false, http.User.ToActor(), ct)));
        account.MapPost("/sessions/revoke-others", (HttpContext http, OwnSessions own, RevokeOtherSessions revoke) => Post(http, own, "sessions", (_, ct) =>
            revoke.Execute(http.CurrentSession(), http.User.ToActor(), ct)));
    }

    static string? Words(string? done) => done switch
    {
        "name" => "Your name is saved.",
        "password" => "Your password is changed. All other sessions were ended.",
        "session" => "The session was ended.",
        "sessions" => "All other sessions were ended.",
        _ => null,
    };

    static async Task<IResult> Post(HttpContext http, OwnSessions own, string done, Func<IFormCollection, CancellationToken, Task> act)
    {
        var form = await AccountAnswers.Form(http);
        return await AccountAnswers.Act(http, async () =>
        {
            await act(form, http.RequestAborted);
            return AccountAnswers.Go(http, $"/account?done={done}");
        }, problem => Show(http, own, null, form.ContainsKey("name") ? form["name"].ToString() : null, problem));
    }

    static async Task<IResult> Show(HttpContext http, OwnSessions own, string? notice, string? name = null, AccountProblem? problem = null)
    {
        var account = await own.Load(http.User.ToActor().OwnAccount(), http.RequestAborted);
        return account is null
            ? AccountAnswers.Forbidden(http)
            : AccountAnswers.Page<AccountPage>(new { Token = AccountAnswers.Token(http), Account = account, Current = http.CurrentSession(), Name = name, Notice = notice, Problem = problem }, problem?.Status ?? 200);
    }
}
