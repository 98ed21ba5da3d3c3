using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.JSInterop;
using Microsoft.JSInterop.Infrastructure;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Live;

namespace Portal.Components;

/// <summary>What every staff and admin screen shares: who acts, cancellation when it is left, live hints, and refusals as words.</summary>
public abstract class StaffPage : ComponentBase, IDisposable
{
    readonly CancellationTokenSource left = new();
    readonly List<IDisposable> watching = [];
    bool isStale, isAway, refused;

    /// <summary>So long after a load in vain comes the next one.</summary>
    static readonly TimeSpan NextTry = TimeSpan.FromSeconds(2);

    /// <summary>A browser that is there answers within this time; a call with a token of its own has no other limit.</summary>
    public static readonly TimeSpan BrowserPatience = TimeSpan.FromSeconds(5);

    [Inject] protected ChangeFeed Feed { get; set; } = null!;
    [Inject] protected ILoggerFactory Logs { get; set; } = null!;
    [Inject] IJSRuntime Browser { get; set; } = null!;
    [Inject] TimeProvider Time { get; set; } = null!;
    [CascadingParameter] Task<AuthenticationState>? Authentication { get; set; }
    [CascadingParameter] Patience? Patience { get; set; }

    // Taken once: the source is gone when a screen that was left asks for it between two loads.
    protected StaffPage() => Left = left.Token;

    /// <summary>Cancelled when the screen is left.</summary>
    protected CancellationToken Left { get; }

    /// <summary>The last refusal, safe to show; null when the last action succeeded.</summary>
    protected string? Problem { get; set; }

    /// <summary>The field that <see cref="Problem"/> is about, in camelCase; null where none is.</summary>
    protected string? ProblemField { get; private set; }

    /// <summary>The refusal, if it is about this field.</summary>
    protected string? ProblemWith(string field) => ProblemField == field ? Problem : null;

    /// <summary>The refusal, unless one of these fields says it.</summary>
    protected string? ProblemBeside(params string[] fields) => fields.Contains(ProblemField) ? null : Problem;

    protected async Task<Actor> CurrentActor() =>
        Authentication is null ? throw new ForbiddenException("Sign in first.") : (await Authentication).User.ToActor();

    /// <summary>Loads again whenever the topic changes, until the screen is left.</summary>
    /// <param name="throttle">At most this often; null for what changes seldom.</param>
    protected void Watch(string topic, Func<Task> reload, TimeSpan? throttle = null)
    {
        // Left while it loaded: nobody would end the subscription.
        if (Left.IsCancellationRequested) return;
        watching.Add(Feed.Subscribe(topic, () => InvokeAsync(() => Refresh(reload)), throttle));
    }

    /// <summary>Loads again unasked.</summary>
    protected async Task Refresh(Func<Task> reload)
    {
        var (problem, field) = (Problem, ProblemField);
        var fresh = await Attempt(reload);
        // What somebody else changed must not take away the refusal that this person is reading.
        if (fresh && !isStale) (Problem, ProblemField) = (problem, field);
        isStale = !fresh;
        if (!Left.IsCancellationRequested) StateHasChanged();
    }

    /// <summary>Loads what the screen shows. Where the database does not answer it says so, and tries again until it does.</summary>
    protected async Task<bool> Fetch(Func<Task> load)
    {
        while (isStale = !await Try(load))
        {
            if (!isAway || Left.IsCancellationRequested) return false;
            StateHasChanged();
            try
            {
                await Task.Delay(NextTry, Time, Left);
            }
            catch (OperationCanceledException) { return false; }
        }
        return true;
    }

    /// <summary>Runs an action of the person; a refusal becomes <see cref="Problem"/> and nothing typed is lost.</summary>
    protected async Task<bool> Try(Func<Task> action)
    {
        using var waiting = Patience?.Begin();
        var done = await Attempt(action);
        refused |= !done && ProblemField is not null;
        return done;
    }

    /// <summary>Once the wrong field is drawn as wrong, the cursor goes there.</summary>
    protected sealed override void OnAfterRender(bool firstRender)
    {
        if (!refused || Left.IsCancellationRequested) return;
        refused = false;
        _ = InBrowser(() => Browser.InvokeVoidAsync("portalFocusWrong", Left));
    }

    async Task<bool> Attempt(Func<Task> action)
    {
        try
        {
            await action();
            (Problem, ProblemField) = (null, null);
            return true;
        }
        catch (OperationCanceledException) when (Left.IsCancellationRequested) { return false; }
        catch (Exception e) when (Refusal.TextFor(e) is { } text)
        {
            (Problem, ProblemField, isAway) = (text, (e as DomainException)?.Field, Refusal.IsDatabaseAway(e));
            if (isAway) Logs.CreateLogger(GetType()).LogWarning(e, "A screen could not reach the database");
            return false;
        }
        catch (Exception e) when (Left.IsCancellationRequested)
        {
            // The next screen stands there already and must not be shown as stopped for the sake of this one.
            Logs.CreateLogger(GetType()).LogWarning(e, "A screen failed after it was left");
            return false;
        }
    }

    /// <summary>Puts the cursor there, unless the element or the whole screen has gone meanwhile.</summary>
    protected Task Focus(ElementReference element) => InBrowser(() => element.FocusAsync());

    /// <summary>Asks the browser, and again until it answers: what is sent while the connection is away is lost. Only for what may run twice.</summary>
    protected async Task<T> Ask<T>(string function, params object?[] arguments)
    {
        while (true)
        {
            using var limit = new CancellationTokenSource(BrowserPatience, Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(Left, limit.Token);
            try
            {
                return await Browser.InvokeAsync<T>(function, either.Token, arguments);
            }
            catch (OperationCanceledException) when (!Left.IsCancellationRequested) { }
        }
    }

    /// <summary>As <see cref="Ask"/>, where nothing is to be answered.</summary>
    protected Task Tell(string function, params object?[] arguments) => Ask<IJSVoidResult>(function, arguments);

    async Task InBrowser(Func<ValueTask> act)
    {
        try
        {
            await act();
        }
        catch (Exception e) when (e is JSException or JSDisconnectedException or OperationCanceledException)
        {
            Logs.CreateLogger(GetType()).LogDebug(e, "What was to get the focus is gone");
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
