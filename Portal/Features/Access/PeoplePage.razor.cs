using Microsoft.AspNetCore.Components;
using Portal.Domain.Access;
using Portal.Domain.Shared;

namespace Portal.Features.Access;

/// <summary>Who may sign in: adding, roles, one-time links, deactivating.</summary>
public sealed partial class PeoplePage
{
    const int PageSize = 100;

    List<PeopleList.Row>? rows;
    /// <summary>A refused choice makes the controls anew, so that they show what stands.</summary>
    int refusedRoles;
    ElementReference first;
    bool more, adding, focusing, busy, deactivating;
    string? name, email, linkFor;
    Role role = Role.Staff;
    PersonalLink? link;
    PeopleList.Row? asked;
    PersonId? me;

    protected override async Task OnInitializedAsync()
    {
        Watch("people", Reload);
        await Try(Reload);
    }

    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (!focusing) return;
        focusing = false;
        await Focus(first);
    }

    void StartAdding() => adding = focusing = true;

    async Task Reload()
    {
        var actor = await CurrentActor();
        me = actor is { Kind: ActorKind.Person, Id: { } id } ? new PersonId(id) : null;
        var wanted = Math.Max(PageSize, rows?.Count ?? 0);
        var loaded = await People.Load(null, wanted + 1, actor, Left);
        (rows, more) = ([.. loaded.Take(wanted)], loaded.Count > wanted);
    }

    async Task LoadMore() => await Try(async () =>
    {
        var loaded = await People.Load(rows![^1].Id, PageSize + 1, await CurrentActor(), Left);
        rows.AddRange(loaded.Take(PageSize));
        more = loaded.Count > PageSize;
    });

    async Task AddThem()
    {
        var wanted = name?.Trim();
        var added = await Run(async actor => (link, linkFor) = (await Add.Execute(new(name, email, role), actor, Left), wanted));
        if (added) (adding, name, email, role) = (false, null, null, Role.Staff);
    }

    async Task SetRole(PeopleList.Row row, ChangeEventArgs e)
    {
        if (!await Run(actor => Change.Execute(new(row.Id, Role: Enum.Parse<Role>((string)e.Value!), Version: row.Version), actor, Left)))
            refusedRoles++;
    }

    static string LinkWords(PeopleList.Row row) => row.Standing == PeopleList.Standing.Active ? "Reset the password" : "New link";

    /// <summary>A new link for somebody who has no password yet takes nothing from them: no question.</summary>
    async Task AskFor(PeopleList.Row row, bool deactivate)
    {
        (asked, deactivating) = (row, deactivate);
        if (!deactivate && row.Standing != PeopleList.Standing.Active) await Confirmed();
    }

    async Task Confirmed()
    {
        if (asked is not { } row) return;
        asked = null;
        await Run(async actor =>
        {
            if (deactivating) await Change.Execute(new(row.Id, Active: false), actor, Left);
            else (link, linkFor) = (await Issue.Execute(row.Id, actor, Left), row.Name);
        });
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
