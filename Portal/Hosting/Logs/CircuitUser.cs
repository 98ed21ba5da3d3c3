using System.Security.Claims;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server.Circuits;

namespace Portal.Hosting.Logs;

/// <summary>Whose work the lines in this logging scope belong to, where no request says it.</summary>
public sealed record ActingUser(string? Id)
{
    /// <summary>The innermost one; null where there is none.</summary>
    public static string? Of(IExternalScopeProvider? scopes)
    {
        var found = new Found();
        scopes?.ForEachScope(static (scope, found) => { if (scope is ActingUser user) found.Id = user.Id; }, found);
        return found.Id;
    }

    // A scope in words, for other formatters.
    public override string ToString() => $"user {Id}";

    sealed class Found
    {
        public string? Id { get; set; }
    }
}

/// <summary>Lines that are logged while an open screen works carry the person who sits before it.</summary>
public sealed class CircuitUser(AuthenticationStateProvider identity, ILogger<CircuitUser> log) : CircuitHandler
{
    public override Func<CircuitInboundActivityContext, Task> CreateInboundActivityHandler(Func<CircuitInboundActivityContext, Task> next) => async context =>
    {
        var state = await identity.GetAuthenticationStateAsync();
        using var scope = log.BeginScope(new ActingUser(state.User.FindFirstValue(ClaimTypes.NameIdentifier)));
        await next(context);
    };
}
