using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Live;

namespace Portal.Components;

/// <summary>What every staff and admin screen shares: who acts, cancellation when it is left, live hints, and refusals as words.</summary>
public abstract class StaffPage : ComponentBase, IDisposable
{
    readonly CancellationTokenSource left = new();
    readonly List<IDisposable> watching = [];
    bool isStale;

    [Inject] protected ChangeFeed Feed { get; set; } = null!;
    [Inject] protected ILoggerFactory Logs { get; set; } = null!;
    [CascadingParameter] Task<AuthenticationState>? Authentication { get; set; }
    [CascadingParameter] Patience? Patience { get; set; }

    /// <summary>Cancelled when the screen is left.</summary>
    protected CancellationToken Left => left.Token;

    /// <summary>The last refusal, safe to show; null when the last action succeeded.</summary>
    protected string? Problem { get; set; }

    /// <summary>The field that <see cref="Problem"/> is about, in camelCase; null where none is.</summary>
    protected string? ProblemField { get; private set; }

    protected async Task<Actor> CurrentActor() =>
        Authentication is null ? throw new ForbiddenException("Sign in first.") : (await Authentication).User.ToActor();

    /// <summary>Loads again whenever the topic changes, until the screen is left.</summary>
    protected void Watch(string topic, Func<Task> reload) =>
        watching.Add(Feed.Subscribe(topic, () => InvokeAsync(async () =>
        {
            var (problem, field) = (Problem, ProblemField);
            var fresh = await Attempt(reload);
            // What somebody else changed must not take away the refusal that this person is reading.
            if (fresh && !isStale) (Problem, ProblemField) = (problem, field);
            isStale = !fresh;
            if (!left.IsCancellationRequested) StateHasChanged();
        })));

    /// <summary>Runs an action of the person; a refusal becomes <see cref="Problem"/> and nothing typed is lost.</summary>
    protected async Task<bool> Try(Func<Task> action)
    {
        using var waiting = Patience?.Begin();
        return await Attempt(action);
    }

    async Task<bool> Attempt(Func<Task> action)
    {
        try
        {
            await action();
            (Problem, ProblemField) = (null, null);
            return true;
        }
        catch (OperationCanceledException) when (left.IsCancellationRequested) { return false; }
        catch (Exception e) when (Refusal.TextFor(e) is { } text)
        {
            (Problem, ProblemField) = (text, (e as DomainException)?.Field);
            if (Refusal.IsDatabaseAway(e)) Logs.CreateLogger(GetType()).LogWarning(e, "A screen could not reach the database");
            return false;
        }
    }

    public void Dispose()
    {
        foreach (var subscription in watching) subscription.Dispose();
        left.Cancel();
        left.Dispose();
        Close();
        GC.SuppressFinalize(this);
    }

    /// <summary>For what a screen holds beyond this.</summary>
    protected virtual void Close() { }
}
