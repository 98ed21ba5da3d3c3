using Microsoft.AspNetCore.Components;
using Portal.Domain.Shared;

namespace Portal.Features.Access;

/// <summary>Keys for programs: created with scopes, shown once, revoked.</summary>
public sealed partial class ApiKeysPage
{
    readonly HashSet<string> scopes = [];
    string? name, createdName;
    CreateApiKey.Created? created;

    protected override string Topic => "api-keys";

    protected override object KeyOf(ApiKeyList.Row row) => row.Id;

    protected override Task<IReadOnlyList<ApiKeyList.Row>> LoadPart(ApiKeyList.Row? after, int most, Actor actor) => Keys.Load(after?.Id, most, actor, Left);

    void Choose(string scope, ChangeEventArgs e)
    {
        if (e.Value is true) scopes.Add(scope);
        else scopes.Remove(scope);
    }

    async Task CreateIt()
    {
        var wanted = name?.Trim();
        var done = await Run(async actor => (created, createdName) = (await Create.Execute(new(name, [.. scopes]), actor, Left), wanted));
        if (!done) return;
        (IsFormOpen, name) = (false, null);
        scopes.Clear();
    }

    async Task RevokeIt()
    {
        if (Asked is not { } row) return;
        Asked = null;
        await Run(actor => Revoke.Execute(row.Id, actor, Left));
    }
}
