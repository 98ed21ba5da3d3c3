using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Access;

/// <summary>A new key for a program. Nobody gives a key more than they may do themselves.</summary>
public sealed class CreateApiKey(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public sealed record Request(string? Name, IReadOnlyList<string>? Scopes);

    /// <param name="Secret">Shown once, kept nowhere.</param>
    public sealed record Created(ApiKeyId Id, string Secret);

    public async Task<Created> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageApiKeys);
        var now = clock.GetUtcNow();
        var secret = Secret.NewApiKey();
        var key = new ApiKey(request.Name ?? "", request.Scopes ?? [], Secret.StartOf(secret), Secret.HashOf(secret), actor.Name, now);
        if (!actor.Grants.IsSupersetOf(Permissions.OfScopes(key.Scopes)))
            throw new DomainException("A key cannot be given more than you may do yourself.", "scopes");
        await using var db = await contexts.CreateDbContextAsync(ct);
        db.Add(key);
        await db.Commit(new AuditEntry(actor, "api-key.created", key.Id.ToString(), $"{key.Name} ({key.Start}): {string.Join(", ", key.Scopes)}", now), ct);
        return new Created(key.Id, secret);
    }
}
