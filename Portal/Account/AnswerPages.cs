using Microsoft.AspNetCore.Mvc;
using Portal.Features.Access;
using Portal.Features.Alerting;
using Portal.Infrastructure.Notifications;

namespace Portal.Account;

/// <summary><c>/answer/{token}</c>: whoever was paged answers without signing in. Reading it changes nothing, since mail gateways and chats read every link.</summary>
public static class AnswerPages
{
    static readonly string[] Reading = [HttpMethods.Get, HttpMethods.Head];

    public static void MapAnswers(this IEndpointRouteBuilder app)
    {
        var pages = app.MapGroup("").ExcludeFromDescription().AddEndpointFilter(AccountAnswers.Guard).WithMetadata(new RequestSizeLimitAttribute(64 * 1024));
        pages.MapMethods("/answer/{token}", Reading, async (string token, HttpContext http, AnswerLinks links, AnswerTarget target) =>
            Page(http, token, await target.Load(links.Read(token), http.RequestAborted), null)).AllowAnonymous();
        pages.MapPost("/answer/{token}", Post).AllowAnonymous();
    }

    static async Task<IResult> Post(string token, HttpContext http, AnswerLinks links, AnswerTarget target, AnswerAlert answer)
    {
        var form = await AccountAnswers.Form(http);
        return await AccountAnswers.Act(http, async () =>
        {
            if (links.Read(token) is not { } delivery) return Page(http, token, null, null);
            var before = await target.Load(delivery, http.RequestAborted);
            var after = await answer.Execute(delivery, form["do"] == "resolve", Visitor.Of(http).From, http.RequestAborted);
            return Page(http, token, after, null, done: after is not null && before?.State is AnswerState.Open or AnswerState.Acknowledged);
        }, async problem => Page(http, token, await target.Load(links.Read(token), http.RequestAborted), problem));
    }

    static IResult Page(HttpContext http, string token, AnswerTarget.View? view, AccountProblem? problem, bool done = false) =>
        AccountAnswers.Page<AnswerPage>(new { Token = AccountAnswers.Token(http), Link = token, View = view, Problem = problem, Done = done },
            problem?.Status ?? (view is null ? StatusCodes.Status404NotFound : view.State == AnswerState.Expired ? StatusCodes.Status410Gone : 200));
}
