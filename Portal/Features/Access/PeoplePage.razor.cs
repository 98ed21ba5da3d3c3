using Microsoft.AspNetCore.Components;
using Portal.Domain.Access;
using Portal.Domain.Shared;

namespace Portal.Features.Access;

/// <summary>Who may sign in: adding, roles, one-time links, deactivating.</summary>
public sealed partial class PeoplePage
{
    /// <summary>A refused choice makes the controls anew, so that they show what stands.</summary>
    int refusedRoles;
    bool deactivating;
    string? name, email, linkFor;
    Role role = Role.Staff;
    PersonalLink? link;
    PersonId? me;

    protected override string Topic => "people";

    protected override object KeyOf(PeopleList.Row row) => row.Id;

    protected override Task<IReadOnlyList<PeopleList.Row>> LoadPart(PeopleList.Row? after, int most, Actor actor)
    {
        me = actor is { Kind: ActorKind.Person, Id: { } id } ? new PersonId(id) : null;
        return People.Load(after?.Id, most, actor, Left);
    }

    async Task AddThem()
    {
        var wanted = name?.Trim();
        var added = await Run(async actor => (link, linkFor) = (await Add.Execute(new(name, email, role), actor, Left), wanted));
        if (added) (IsFormOpen, name, email, role) = (false, null, null, Role.Staff);
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
        (Asked, deactivating) = (row, deactivate);
        if (!deactivate && row.Standing != PeopleList.Standing.Active) await Confirmed();
    }

    async Task Confirmed()
    {
        if (Asked is not { } row) return;
        Asked = null;
        await Run(async actor =>
        {
            if (deactivating) await Change.Execute(new(row.Id, Active: false), actor, Left);
            else (link, linkFor) = (await Issue.Execute(row.Id, actor, Left), row.Name);
        });
    }
}
