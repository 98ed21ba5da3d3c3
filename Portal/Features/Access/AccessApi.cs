using Portal.Domain.Access;
using Portal.Domain.Shared;

namespace Portal.Features.Access;

/// <summary>People and API keys through the management API. Secrets and links are in the creating answer and nowhere else.</summary>
public static class AccessApi
{
    const int LargestPage = 200;

    public sealed record PersonView(string Id, string Name, string Email, string Role, string State, DateTimeOffset CreatedAt, DateTimeOffset? LastSignInAt, DateTimeOffset? LinkExpiresAt, string Version);
    public sealed record NewPerson(string? Name, string? Email, string? Role);
    public sealed record PersonPatch(string? Name, string? Role, bool? Active, string? Version);
    public sealed record LinkView(string Id, string Url, DateTimeOffset ExpiresAt);
    public sealed record PersonWithLink(PersonView Person, string Id, LinkView Link);
    public sealed record ApiKeyView(string Id, string Name, string Start, IReadOnlyList<string> Scopes, string CreatedBy, DateTimeOffset CreatedAt, DateTimeOffset? LastUsedAt, DateTimeOffset? RevokedAt);
    public sealed record NewApiKey(string? Name, IReadOnlyList<string>? Scopes);
    public sealed record ApiKeyWithSecret(string Id, string Key, ApiKeyView ApiKey);
    public sealed record Listed<T>(IReadOnlyList<T> Items, string? Next);

    public static void MapAccessApi(this IEndpointRouteBuilder api)
    {
        MapPeople(api.MapGroup("/people").RequireAuthorization(nameof(Permission.ManagePeople)).WithTags("People"));
        MapApiKeys(api.MapGroup("/api-keys").RequireAuthorization(nameof(Permission.ManageApiKeys)).WithTags("API keys"));
    }

    static void MapPeople(RouteGroupBuilder people)
    {
        people.MapGet("", async (HttpContext http, PeopleList list, string? after, int? limit, CancellationToken ct) =>
        {
            var page = await list.Load(Cursor<PersonId>(after), Size(limit), http.User.ToActor(), ct);
            return new Listed<PersonView>([.. page.Items.Select(ViewOf)], page.Next?.ToString());
        }).WithName("ListPeople").WithSummary("Everybody who can or could sign in");
        people.MapPost("", async (HttpContext http, NewPerson body, AddPerson add, PeopleList list, CancellationToken ct) =>
        {
            var actor = http.User.ToActor();
            var link = await add.Execute(new(body.Name, body.Email, RoleOf(body.Role) ?? throw new DomainException("The role is required: staff or admin.", "role")), actor, ct);
            var person = ViewOf(await list.LoadOne(link.Person, actor, ct));
            return TypedResults.Created($"/api/v1/people/{person.Id}", new PersonWithLink(person, person.Id, ViewOf(link)));
        }).WithName("AddPerson").WithSummary("Adds somebody; the answer has the one-time link, shown only here");
        people.MapGet("/{id}", async (HttpContext http, string id, PeopleList list, CancellationToken ct) =>
            ViewOf(await list.LoadOne(Id.Parse<PersonId>(id, "person"), http.User.ToActor(), ct))).WithName("GetPerson").WithSummary("One person");
        people.MapPatch("/{id}", async (HttpContext http, string id, PersonPatch body, ChangePerson change, PeopleList list, CancellationToken ct) =>
        {
            var (actor, person) = (http.User.ToActor(), Id.Parse<PersonId>(id, "person"));
            await change.Execute(new(person, body.Name, RoleOf(body.Role), body.Active, VersionOf(body.Version ?? http.Request.Headers.IfMatch.ToString())), actor, ct);
            return ViewOf(await list.LoadOne(person, actor, ct));
        }).WithName("ChangePerson").WithSummary("Changes name or role, deactivates (active: false) or reactivates");
        people.MapPost("/{id}/link", async (HttpContext http, string id, IssueLink issue, CancellationToken ct) =>
            ViewOf(await issue.Execute(Id.Parse<PersonId>(id, "person"), http.User.ToActor(), ct)))
            .WithName("IssuePersonLink").WithSummary("A new one-time link; an existing password stops working and sessions end");
    }

    static void MapApiKeys(RouteGroupBuilder keys)
    {
        keys.MapGet("", async (HttpContext http, ApiKeyList list, string? after, int? limit, CancellationToken ct) =>
        {
            var page = await list.Load(Cursor<ApiKeyId>(after), Size(limit), http.User.ToActor(), ct);
            return new Listed<ApiKeyView>([.. page.Items.Select(ViewOf)], page.Next?.ToString());
        }).WithName("ListApiKeys").WithSummary("All API keys, without their secrets");
        keys.MapPost("", async (HttpContext http, NewApiKey body, CreateApiKey create, ApiKeyList list, CancellationToken ct) =>
        {
            var actor = http.User.ToActor();
            var created = await create.Execute(new(body.Name, body.Scopes), actor, ct);
            var view = ViewOf(await list.LoadOne(created.Id, actor, ct));
            return TypedResults.Created($"/api/v1/api-keys/{view.Id}", new ApiKeyWithSecret(view.Id, created.Secret, view));
        }).WithName("CreateApiKey").WithSummary("Creates a key; the answer has its secret, shown only here");
        keys.MapGet("/{id}", async (HttpContext http, string id, ApiKeyList list, CancellationToken ct) =>
            ViewOf(await list.LoadOne(Id.Parse<ApiKeyId>(id, "API key"), http.User.ToActor(), ct))).WithName("GetApiKey").WithSummary("One API key, without its secret");
        keys.MapDelete("/{id}", async (HttpContext http, string id, RevokeApiKey revoke, CancellationToken ct) =>
        {
            await revoke.Execute(Id.Parse<ApiKeyId>(id, "API key"), http.User.ToActor(), ct);
            return TypedResults.NoContent();
        }).WithName("RevokeApiKey").WithSummary("Revokes a key at once and for good");
    }

    static PersonView ViewOf(PeopleList.Row p) => new(p.Id.ToString(), p.Name, p.Email, p.Role == Role.Admin ? "admin" : "staff", p.Standing switch
    {
        PeopleList.Standing.Active => "active",
        PeopleList.Standing.Invited => "invited",
        PeopleList.Standing.LinkExpired => "link_expired",
        _ => "deactivated",
    }, p.CreatedAt, p.LastSignInAt, p.LinkEndsAt, p.Version.ToString(System.Globalization.CultureInfo.InvariantCulture));

    static LinkView ViewOf(PersonalLink link) => new(link.Person.ToString(), link.Url, link.ExpiresAt);

    static ApiKeyView ViewOf(ApiKeyList.Row k) => new(k.Id.ToString(), k.Name, k.Start, k.Scopes, k.CreatedBy, k.CreatedAt, k.LastUsedAt, k.RevokedAt);

    static Role? RoleOf(string? role) => role switch
    {
        null => null,
        "staff" => Role.Staff,
        "admin" => Role.Admin,
        _ => throw new DomainException("The role must be staff or admin.", "role"),
    };

    static uint? VersionOf(string version) => version.Trim('"') switch
    {
        "" => null,
        var text when uint.TryParse(text, out var seen) => seen,
        _ => throw new DomainException("The version is the text that was read with the person.", "version"),
    };

    static T? Cursor<T>(string? after) where T : struct, IId<T> => after is null ? null
        : Id.TryParse<T>(after, out var id) ? id : throw new DomainException("The cursor is the \"next\" of the page before.", "after");

    static int Size(int? limit) => limit switch
    {
        null => 50,
        >= 1 and <= LargestPage => limit.Value,
        _ => throw new DomainException($"The limit must be between 1 and {LargestPage}.", "limit"),
    };
}
