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

    public sealed record Page(IReadOnlyList<Row> Items, ApiKeyId? Next);

    public async Task<Page> Load(ApiKeyId? after, int limit, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageApiKeys);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var query = after is { } cursor ? db.ApiKeys.FromSql($"select * from api_keys where id > {cursor.Value}") : db.ApiKeys;
        var keys = await query.AsNoTracking().OrderBy(k => k.Id).Take(limit + 1).ToListAsync(ct);
        var rows = keys.Take(limit).Select(RowOf).ToList();
        return new(rows, keys.Count > limit ? rows[^1].Id : null);
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
