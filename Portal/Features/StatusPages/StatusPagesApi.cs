using Portal.Api;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.Access;

namespace Portal.Features.StatusPages;

/// <summary><c>/api/v1/components</c>.</summary>
public static class StatusPagesApi
{
    /// <param name="Slug">The word in its address; left out, it is made from the name.</param>
    /// <param name="Group">Id or name of a group; made when there is none of that name.</param>
    public sealed record NewComponent(string? Name, string? Slug = null, string? Group = null, string? Description = null);

    /// <summary>What is left out stays as it is; null clears.</summary>
    /// <param name="Status">Set by hand until it is cleared with null.</param>
    public sealed record ComponentPatch(Given<string> Name, Given<string> Description, Given<string> Group, Given<ComponentStatus?> Status, uint? Version = null);

    /// <param name="Status">What customers see.</param>
    /// <param name="Override">What was set by hand; null while monitors and incidents speak.</param>
    /// <param name="Version">Send it back with a PATCH to be refused when somebody else was faster.</param>
    public sealed record ComponentAnswer(
        ComponentId Id, string Slug, string Name, string? Description, ComponentStatus Status, ComponentStatus? Override, GroupAnswer? Group, int Position,
        DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, uint Version);

    public sealed record GroupAnswer(ComponentGroupId Id, string Name);

    public static void MapStatusPagesApi(this IEndpointRouteBuilder api)
    {
        var components = api.MapGroup("/components").WithTags("Components");
        components.MapGet("/", List).RequireAuthorization(nameof(Permission.ViewOps)).WithSummary("Components in the order of the status page").Produces<CursorPage<ComponentAnswer>>();
        components.MapGet("/{component}", Get).RequireAuthorization(nameof(Permission.ViewOps)).WithSummary("One component, by id or slug").Produces<ComponentAnswer>();
        components.MapPost("/", Add).RequireAuthorization(nameof(Permission.ManageComponents)).WithSummary("Add a component").Produces<ComponentAnswer>(StatusCodes.Status201Created);
        components.MapPatch("/{component}", Change).RequireAuthorization(nameof(Permission.ManageComponents))
            .WithSummary("Change a component, or set its status by hand").Produces<ComponentAnswer>();
        components.MapDelete("/{component}", Remove).RequireAuthorization(nameof(Permission.ManageComponents))
            .WithSummary("Delete a component with its history; its monitors stay").Produces(StatusCodes.Status204NoContent);
    }

    static async Task<CursorPage<ComponentAnswer>> List(Cursor cursor, ComponentStatuses statuses, CancellationToken ct)
    {
        // A page has tens of components and their order is by hand: they are read whole, and the cursor is a place in that order.
        var all = (await statuses.Load(ct)).Components;
        var start = cursor.AfterId<ComponentId>() is { } after ? all.ToList().FindIndex(c => c.Id == after) + 1 : 0;
        if (cursor.After is not null && start == 0) throw new DomainException("The value of after must be the next of an earlier answer, unchanged.", "after");
        return cursor.Page([.. all.Skip(start).Take(cursor.Take)], Answer, c => c.Id.ToString());
    }

    static async Task<ComponentAnswer> Get(string component, HttpContext http, ComponentStatuses statuses, CancellationToken ct) =>
        Told(http, await Find(component, statuses, ct));

    static async Task<IResult> Add(NewComponent body, HttpContext http, AddComponent add, ComponentStatuses statuses, CancellationToken ct)
    {
        var made = await add.Execute(new AddComponent.Request(body.Name ?? "", body.Slug, body.Description, body.Group), http.User.ToActor(), ct);
        return Results.Created($"/api/v1/components/{made.Id}", Told(http, await Find(made.Id.ToString(), statuses, ct)));
    }

    static async Task<ComponentAnswer> Change(string component, ComponentPatch body, HttpContext http, ChangeComponent change, ComponentStatuses statuses, CancellationToken ct)
    {
        var id = (await Find(component, statuses, ct)).Id;
        await change.Execute(new ChangeComponent.Request(id, body.Name, body.Description, body.Group, body.Status, RowVersion.Expected(http, body.Version)), http.User.ToActor(), ct);
        return Told(http, await Find(id.ToString(), statuses, ct));
    }

    static async Task<IResult> Remove(string component, HttpContext http, DeleteComponent delete, ComponentStatuses statuses, CancellationToken ct)
    {
        await delete.Execute((await Find(component, statuses, ct)).Id, http.User.ToActor(), ct);
        return Results.NoContent();
    }

    static async Task<ComponentStatuses.Row> Find(string idOrSlug, ComponentStatuses statuses, CancellationToken ct)
    {
        var isId = Id.TryParse<ComponentId>(idOrSlug, out var id);
        return (await statuses.Load(ct)).Components.FirstOrDefault(c => isId && c.Id == id || c.Slug == idOrSlug) ?? throw new NotFoundException("component");
    }

    static ComponentAnswer Told(HttpContext http, ComponentStatuses.Row row)
    {
        RowVersion.Tell(http, row.Version);
        return Answer(row);
    }

    static ComponentAnswer Answer(ComponentStatuses.Row row) => new(
        row.Id, row.Slug, row.Name, row.Description, row.Effective, row.Override,
        row.GroupId is { } group ? new GroupAnswer(group, row.GroupName!) : null, row.Position, row.CreatedAt, row.UpdatedAt, row.Version);
}
