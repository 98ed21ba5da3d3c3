using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portal.Api;
using Portal.Components;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Access;

/// <summary>Knows programs by <c>Authorization: Bearer</c>. Every request reads the key's row, so that a revoked key ends at once on all nodes.</summary>
public sealed class ApiKeyHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logs, UrlEncoder encoder,
    IDbContextFactory<PortalDbContext> contexts, TimeProvider clock) : AuthenticationHandler<AuthenticationSchemeOptions>(options, logs, encoder)
{
    static readonly TimeSpan TouchEvery = TimeSpan.FromMinutes(1);
    const string Bearer = "Bearer ";
    const int Longest = 1000;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)) return AuthenticateResult.NoResult();
        var secret = header[Bearer.Length..].Trim();
        if (secret.Length is 0 or > Longest) return AuthenticateResult.Fail("The API key is malformed.");
        try
        {
            return await Find(secret) is { } principal
                ? AuthenticateResult.Success(new(principal, Scheme.Name))
                : AuthenticateResult.Fail("The API key is unknown or revoked.");
        }
        // Whoever answers strangers too (health) goes on answering; the management API says that the database is away.
        catch (Exception e) when (Refusal.IsDatabaseAway(e) && Context.GetEndpoint()?.Metadata.GetMetadata<KeysOnly>() is null)
        {
            Logger.LogWarning(e, "An API key cannot be checked: the database cannot be reached");
            return AuthenticateResult.Fail(e);
        }
    }

    async Task<ClaimsPrincipal?> Find(string secret)
    {
        var (hash, now, ct) = (Secret.HashOf(secret), clock.GetUtcNow(), Context.RequestAborted);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var key = await db.ApiKeys.AsNoTracking().SingleOrDefaultAsync(k => k.SecretHash == hash && k.RevokedAt == null, ct);
        if (key is null) return null;
        if (key.LastUsedAt is not { } last || now - last >= TouchEvery)
            await db.ApiKeys.Where(k => k.Id == key.Id && (k.LastUsedAt == null || k.LastUsedAt < now)).ExecuteUpdateAsync(k => k.SetProperty(x => x.LastUsedAt, now), ct);
        List<Claim> claims =
        [
            new(ClaimTypes.NameIdentifier, key.Id.ToString()),
            new(ClaimTypes.Name, key.Name),
            new(ActorSource.KindClaim, nameof(ActorKind.ApiKey)),
            .. key.Scopes.Select(scope => new Claim(ActorSource.ScopeClaim, scope)),
        ];
        if (Visitor.Of(Context).From is { } from) claims.Add(new(ActorSource.AddressClaim, from));
        return new(new ClaimsIdentity(claims, Schemes.ApiKey));
    }
}
