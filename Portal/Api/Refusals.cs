using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.EntityFrameworkCore;
using Portal.Components;
using Portal.Domain.Shared;
using Portal.Hosting;

namespace Portal.Api;

/// <summary>The one place where exceptions become answers: a program gets problem details, a person a calm page.</summary>
sealed class Refusals(ILogger<Refusals> log) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        // Whoever asked has gone: nobody reads an answer, and nothing went wrong here.
        if (httpContext.RequestAborted.IsCancellationRequested)
        {
            httpContext.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            return true;
        }
        var problem = Explain(exception, httpContext);
        if (exception is TooOftenException { Wait: var wait }) RateLimits.TellWait(httpContext, wait);
        if (problem.Status == 500) log.LogError(exception, "{Method} {Path} failed", httpContext.Request.Method, SafePath.Of(httpContext));
        else if (problem.Status == 503) log.LogWarning("{Method} {Path} could not reach the database: {Reason}", httpContext.Request.Method, SafePath.Of(httpContext), exception.Message);
        await ErrorPage.Answer(httpContext, problem);
        return true;
    }

    static Problem Explain(Exception exception, HttpContext http) => exception switch
    {
        DomainException e => Problem.Of(e),
        NotFoundException e => Problem.Of(404, e.Message),
        ConflictException e => Problem.Of(409, e.Message) with { Current = e.Current },
        ForbiddenException e => Problem.Of(403, e.Message),
        TooOftenException e => Problem.Of(429, e.Message),
        BadHttpRequestException e => BadRequest.Explain(e, http.Features.Get<IExceptionHandlerFeature>()?.Endpoint?.Metadata.GetMetadata<IAcceptsMetadata>()?.RequestType),
        DbUpdateConcurrencyException => Problem.Of(409, Refusal.TextFor(exception)),
        _ when Refusal.IsDatabaseAway(exception) => Problem.Of(503),
        _ => Problem.Of(500),
    };
}
