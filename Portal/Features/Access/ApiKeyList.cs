using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Access;

/// <summary>All keys, in the order in which they were made; never their secrets.</summary>
public sealed class ApiKeyList(IDbContextFactory<PortalDbContext> contexts)
{
    public sealed record Row(ApiKeyId Id, string Name, string Start, IReadOnlyList<string> Scopes, string CreatedBy, DateTimeOffset CreatedAt, DateTimeOffset? LastUsedAt, DateTimeOffset? RevokedAt);

    /// <param name="take">How many rows at most.</param>
    public async Task<IReadOnlyList<Row>> Load(ApiKeyId? after, int take, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageApiKeys);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var query = after is { } cursor ? db.ApiKeys.FromSql($"select * from api_keys where id > {cursor.Value}") : db.ApiKeys;
        return (await query.AsNoTracking().OrderBy(k => k.Id).Take(take).ToListAsync(ct)).ConvertAll(RowOf);
    }

    /// <exception cref="NotFoundException">There is no such key.</exception>
    public async Task<Row> LoadOne(ApiKeyId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageApiKeys);
        await using var db = await contexts.CreateDbContextAsync(ct);
        return RowOf(await db.ApiKeys.AsNoTracking().SingleOrDefaultAsync(k => k.Id == id, ct) ?? throw new NotFoundException("API key"));
    }

    static Row RowOf(ApiKey k) => new(k.Id, k.Name, k.Start, k.Scopes, k.CreatedBy, k.CreatedAt, k.LastUsedAt, k.RevokedAt);
}
