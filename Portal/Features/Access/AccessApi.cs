using Portal.Api;
using Portal.Domain.Access;
using Portal.Domain.Shared;

namespace Portal.Features.Access;

/// <summary>People and API keys through the management API. Secrets and links are in the creating answer and nowhere else.</summary>
public static class AccessApi
{
    public sealed record PersonView(PersonId Id, string Name, string Email, Role Role, PeopleList.Standing State, DateTimeOffset CreatedAt, DateTimeOffset? LastSignInAt, DateTimeOffset? LinkExpiresAt, uint Version);
    public sealed record NewPerson(string? Name, string? Email, Role? Role);
    public sealed record PersonPatch(string? Name, Role? Role, bool? Active, uint? Version);
    /// <param name="Url">To be handed to the person; shown only here.</param>
    public sealed record LinkView(string Url, DateTimeOffset ExpiresAt);
    public sealed record AddedPerson(PersonId Id, PersonView Person, LinkView Link);
    public sealed record ApiKeyView(ApiKeyId Id, string Name, string Start, IReadOnlyList<string> Scopes, string CreatedBy, DateTimeOffset CreatedAt, DateTimeOffset? LastUsedAt, DateTimeOffset? RevokedAt);
    public sealed record NewApiKey(string? Name, IReadOnlyList<string>? Scopes);
    /// <param name="Key">The secret; shown only here.</param>
    public sealed record CreatedApiKey(ApiKeyId Id, string Key, ApiKeyView ApiKey);

    public static void MapAccessApi(this IEndpointRouteBuilder api)
    {
        MapPeople(api.MapGroup("/people").RequireAuthorization(nameof(Permission.ManagePeople)).WithTags("People"));
        MapApiKeys(api.MapGroup("/api-keys").RequireAuthorization(nameof(Permission.ManageApiKeys)).WithTags("API keys"));
    }

    static void MapPeople(RouteGroupBuilder people)
    {
        people.MapGet("", async (HttpContext http, PeopleList list, Cursor cursor, CancellationToken ct) =>
            cursor.Page(await list.Load(cursor.AfterId<PersonId>(), cursor.Take, http.User.ToActor(), ct), ViewOf, p => p.Id.ToString()))
            .WithName("ListPeople").WithSummary("Everybody who can or could sign in");
        people.MapPost("", async (HttpContext http, NewPerson body, AddPerson add, PeopleList list, CancellationToken ct) =>
        {
            var actor = http.User.ToActor();
            var link = await add.Execute(new(body.Name, body.Email, body.Role ?? throw new DomainException("The role is required: staff or admin.", "role")), actor, ct);
            return TypedResults.Created($"/api/v1/people/{link.Person}", new AddedPerson(link.Person, ViewOf(await list.LoadOne(link.Person, actor, ct)), ViewOf(link)));
        }).WithName("AddPerson").WithSummary("Adds somebody; the answer has the one-time link, shown only here").WithMetadata(new AnswersSecret());
        people.MapGet("/{id}", async (HttpContext http, string id, PeopleList list, CancellationToken ct) =>
            Tell(http, await list.LoadOne(Id.Parse<PersonId>(id, "person"), http.User.ToActor(), ct)))
            .WithName("GetPerson").WithSummary("One person");
        people.MapPatch("/{id}", async (HttpContext http, string id, PersonPatch body, ChangePerson change, PeopleList list, CancellationToken ct) =>
        {
            var (actor, person) = (http.User.ToActor(), Id.Parse<PersonId>(id, "person"));
            await change.Execute(new(person, body.Name, body.Role, body.Active, RowVersion.Expected(http, body.Version)), actor, ct);
            return Tell(http, await list.LoadOne(person, actor, ct));
        }).WithName("ChangePerson").WithSummary("Changes name or role, deactivates (active: false) or reactivates (active: true)");
        people.MapPost("/{id}/link", async (HttpContext http, string id, IssueLink issue, CancellationToken ct) =>
            ViewOf(await issue.Execute(Id.Parse<PersonId>(id, "person"), http.User.ToActor(), ct)))
            .WithName("IssuePersonLink").WithSummary("A new one-time link; a password that exists stops working, and sessions end").WithMetadata(new AnswersSecret());
    }

    static void MapApiKeys(RouteGroupBuilder keys)
    {
        keys.MapGet("", async (HttpContext http, ApiKeyList list, Cursor cursor, CancellationToken ct) =>
            cursor.Page(await list.Load(cursor.AfterId<ApiKeyId>(), cursor.Take, http.User.ToActor(), ct), ViewOf, k => k.Id.ToString()))
            .WithName("ListApiKeys").WithSummary("All API keys, without their secrets");
        keys.MapPost("", async (HttpContext http, NewApiKey body, CreateApiKey create, ApiKeyList list, CancellationToken ct) =>
        {
            var actor = http.User.ToActor();
            var (id, secret) = await create.Execute(new(body.Name, body.Scopes), actor, ct);
            return TypedResults.Created($"/api/v1/api-keys/{id}", new CreatedApiKey(id, secret, ViewOf(await list.LoadOne(id, actor, ct))));
        }).WithName("CreateApiKey").WithSummary("Creates a key; the answer has its secret, shown only here").WithMetadata(new AnswersSecret());
        keys.MapGet("/{id}", async (HttpContext http, string id, ApiKeyList list, CancellationToken ct) =>
            ViewOf(await list.LoadOne(Id.Parse<ApiKeyId>(id, "API key"), http.User.ToActor(), ct)))
            .WithName("GetApiKey").WithSummary("One API key, without its secret");
        keys.MapDelete("/{id}", async (HttpContext http, string id, RevokeApiKey revoke, CancellationToken ct) =>
        {
            await revoke.Execute(Id.Parse<ApiKeyId>(id, "API key"), http.User.ToActor(), ct);
            return TypedResults.NoContent();
        }).WithName("RevokeApiKey").WithSummary("Revokes a key at once and for good");
    }

    static PersonView Tell(HttpContext http, PeopleList.Row person)
    {
        RowVersion.Tell(http, person.Version);
        return ViewOf(person);
    }

    static PersonView ViewOf(PeopleList.Row p) => new(p.Id, p.Name, p.Email, p.Role, p.Standing, p.CreatedAt, p.LastSignInAt, p.LinkEndsAt, p.Version);

    static LinkView ViewOf(PersonalLink link) => new(link.Url, link.ExpiresAt);

    static ApiKeyView ViewOf(ApiKeyList.Row k) => new(k.Id, k.Name, k.Start, k.Scopes, k.CreatedBy, k.CreatedAt, k.LastUsedAt, k.RevokedAt);
}
