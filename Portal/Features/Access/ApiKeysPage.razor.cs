using Microsoft.AspNetCore.Components;
using Portal.Domain.Shared;

namespace Portal.Features.Access;

/// <summary>Keys for programs: created with scopes, shown once, revoked.</summary>
public sealed partial class ApiKeysPage
{
    const int PageSize = 100;

    readonly HashSet<string> scopes = [];
    List<ApiKeyList.Row>? rows;
    ElementReference first;
    bool more, creating, focusing, busy;
    string? name, createdName;
    CreateApiKey.Created? created;
    ApiKeyList.Row? asked;

    protected override async Task OnInitializedAsync()
    {
        Watch("api-keys", Reload);
        await Try(Reload);
    }

    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (!focusing) return;
        focusing = false;
        await Focus(first);
    }

    void StartCreating() => creating = focusing = true;

    async Task Reload()
    {
        var wanted = Math.Max(PageSize, rows?.Count ?? 0);
        var loaded = await Keys.Load(null, wanted + 1, await CurrentActor(), Left);
        (rows, more) = ([.. loaded.Take(wanted)], loaded.Count > wanted);
    }

    async Task LoadMore() => await Try(async () =>
    {
        var loaded = await Keys.Load(rows![^1].Id, PageSize + 1, await CurrentActor(), Left);
        rows.AddRange(loaded.Take(PageSize));
        more = loaded.Count > PageSize;
    });

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
        (creating, name) = (false, null);
        scopes.Clear();
    }

    async Task RevokeIt()
    {
        if (asked is not { } row) return;
        asked = null;
        await Run(actor => Revoke.Execute(row.Id, actor, Left));
    }

    /// <summary>One action at a time, and then what stands now.</summary>
    async Task<bool> Run(Func<Actor, Task> action)
    {
        if (busy) return false;
        busy = true;
        var done = await Try(async () =>
        {
            await action(await CurrentActor());
            await Reload();
        });
        busy = false;
        return done;
    }
}
