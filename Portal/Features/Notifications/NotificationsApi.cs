using Portal.Api;
using Portal.Domain.Alerting;
using Portal.Domain.Notifications;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Infrastructure.Notifications;

namespace Portal.Features.Notifications;

/// <summary><c>/api/v1/channels</c>, <c>/contact-groups</c> and <c>/deliveries</c>.</summary>
public static class NotificationsApi
{
    /// <param name="Settings">By the names of the kind: url and secret of a webhook, webhookUrl and signingSecret of Slack, accountSid, authToken and from of SMS and voice.</param>
    /// <param name="MonthlyCapCents">In hundredths of the bill's currency; left out, there is no cap.</param>
    /// <param name="AllowPrivate">Whether its address may be a private one.</param>
    public sealed record NewChannel(string? Name, ChannelKind Kind, IReadOnlyDictionary<string, string?>? Settings = null, int PerMinute = 60, int CostCents = 0, int? MonthlyCapCents = null, bool? AllowPrivate = null);

    /// <summary>What is left out stays as it is.</summary>
    /// <param name="Settings">All options, and those secrets that change.</param>
    public sealed record ChannelPatch(Given<string> Name, Given<int> PerMinute, Given<int> CostCents, Given<int?> MonthlyCapCents, IReadOnlyDictionary<string, string?>? Settings = null, bool? AllowPrivate = null, bool? Enabled = null, uint? Version = null);

    /// <param name="Settings">Without secrets, which are never shown again.</param>
    /// <param name="Secrets">Those that are set.</param>
    /// <param name="UsedBy">Who is reached by it.</param>
    public sealed record ChannelAnswer(ChannelId Id, string Name, ChannelKind Kind, IReadOnlyDictionary<string, string> Settings, IReadOnlyList<string> Secrets, int PerMinute, int CostCents, int? MonthlyCapCents, bool AllowPrivate, bool Enabled,
        DateTimeOffset? LastSentAt, DateTimeOffset? LastFailedAt, string? LastFailure, IReadOnlyList<string> UsedBy, DateTimeOffset CreatedAt, uint Version);

    /// <param name="Address">To whom, where the channel has no place of its own.</param>
    public sealed record ChannelTest(string? Address = null);

    /// <param name="Outcome">taken, transient or permanent.</param>
    /// <param name="Reason">What the other side said; null where it took it.</param>
    public sealed record TestAnswer(string Outcome, string? Reason);

    /// <summary>A channel or a mail address.</summary>
    public sealed record MemberBody(ChannelId? Channel = null, string? Email = null);

    public sealed record NewGroup(string? Name, IReadOnlyList<MemberBody>? Members = null);

    public sealed record GroupPatch(string? Name = null, IReadOnlyList<MemberBody>? Members = null, uint? Version = null);

    public sealed record GroupAnswer(ContactGroupId Id, string Name, IReadOnlyList<MemberBody> Members, DateTimeOffset CreatedAt, uint Version);

    public sealed record EventAnswer(DateTimeOffset At, DeliveryState State, string Detail);

    /// <param name="Address">A person's own is shown by its last digits.</param>
    /// <param name="InsteadOf">The delivery that failed, if this is the second way.</param>
    /// <param name="ConfirmedAt">When a person answered it.</param>
    public sealed record DeliveryAnswer(DeliveryId Id, AlertId? Alert, DeliveryPurpose Purpose, ChannelKind Kind, ChannelId? Channel, string? Person, string Address, string Title, DeliveryState State, bool Test, int? Step, DeliveryId? InsteadOf, int Attempts,
        DateTimeOffset CreatedAt, DateTimeOffset DueAt, DateTimeOffset? SentAt, DateTimeOffset? EndedAt, DateTimeOffset? ConfirmedAt, string? Reason, IReadOnlyList<EventAnswer> Events);

    public static void MapNotificationsApi(this IEndpointRouteBuilder api)
    {
        var (view, manage) = (nameof(Permission.ViewAlerts), nameof(Permission.ManageChannels));
        var channels = api.MapGroup("/channels").WithTags("Channels");
        channels.MapGet("/", List).RequireAuthorization(manage).WithSummary("Channels that messages go out by, with what went out last").Produces<CursorPage<ChannelAnswer>>();
        channels.MapGet("/{id}", Get).RequireAuthorization(manage).WithSummary("One channel").Produces<ChannelAnswer>();
        channels.MapPost("/", Add).RequireAuthorization(manage).WithSummary("Set up a channel").Produces<ChannelAnswer>(StatusCodes.Status201Created);
        channels.MapPatch("/{id}", Change).RequireAuthorization(manage).WithSummary("Change a channel, or switch it off and on").Produces<ChannelAnswer>();
        channels.MapDelete("/{id}", Delete).RequireAuthorization(manage).WithSummary("Delete a channel that nobody is reached by").Produces(StatusCodes.Status204NoContent);
        channels.MapPost("/{id}/test", Test).RequireAuthorization(manage).WithSummary("Send a test message by it now, and say what was answered").Produces<TestAnswer>();
        var groups = api.MapGroup("/contact-groups").WithTags("Channels");
        groups.MapGet("/", Groups).RequireAuthorization(view).WithSummary("Contact groups").Produces<CursorPage<GroupAnswer>>();
        groups.MapPost("/", AddGroup).RequireAuthorization(manage).WithSummary("Make a contact group").Produces<GroupAnswer>(StatusCodes.Status201Created);
        groups.MapPatch("/{id}", ChangeGroup).RequireAuthorization(manage).WithSummary("Change a contact group").Produces<GroupAnswer>();
        groups.MapDelete("/{id}", DeleteGroup).RequireAuthorization(manage).WithSummary("Delete a contact group that no policy tells").Produces(StatusCodes.Status204NoContent);
        api.MapGet("/deliveries", Deliveries).WithTags("Channels").RequireAuthorization(view).WithSummary("What was to be told of an alert (?alert=), the newest first, with everything that became of it").Produces<CursorPage<DeliveryAnswer>>();
    }

    static async Task<CursorPage<ChannelAnswer>> List(Cursor cursor, HttpContext http, ChannelList list, ChannelBook book, CancellationToken ct) =>
        Part(cursor, await list.Load(http.User.ToActor(), ct), r => r.Channel.Id, r => Answer(r, book));

    static async Task<ChannelAnswer> Get(string id, HttpContext http, ChannelList list, ChannelBook book, CancellationToken ct) => Told(http, await Find(id, http, list, ct), book);

    static async Task<IResult> Add(NewChannel body, HttpContext http, AddChannel add, ChannelList list, ChannelBook book, CancellationToken ct)
    {
        var id = await add.Execute(new(body.Name, body.Kind, new(body.PerMinute, body.CostCents, body.MonthlyCapCents), body.Settings ?? new Dictionary<string, string?>(), body.AllowPrivate), http.User.ToActor(), ct);
        return Results.Created($"/api/v1/channels/{id}", Told(http, await Find(id.ToString(), http, list, ct), book));
    }

    static async Task<ChannelAnswer> Change(string id, ChannelPatch body, HttpContext http, ChangeChannel change, ChannelList list, ChannelBook book, CancellationToken ct)
    {
        var now = (await Find(id, http, list, ct)).Channel;
        var limits = new ChannelLimits(body.PerMinute.Or(now.PerMinute), body.CostCents.Or(now.CostCents), body.MonthlyCapCents.Or(now.MonthlyCapCents));
        await change.Execute(new(now.Id, body.Name.Or(null), limits, body.Settings, body.AllowPrivate, body.Enabled, RowVersion.Expected(http, body.Version)), http.User.ToActor(), ct);
        return Told(http, await Find(id, http, list, ct), book);
    }

    static async Task<IResult> Delete(string id, HttpContext http, DeleteChannel delete, CancellationToken ct)
    {
        await delete.Execute(Id.Parse<ChannelId>(id, "channel"), http.User.ToActor(), ct);
        return Results.NoContent();
    }

    static async Task<TestAnswer> Test(string id, ChannelTest body, HttpContext http, TryChannel test, CancellationToken ct) =>
        await test.Execute(new(Id.Parse<ChannelId>(id, "channel"), body.Address), http.User.ToActor(), ct) switch
        {
            SendOutcome.Transient later => new("transient", later.Reason),
            SendOutcome.Permanent refused => new("permanent", refused.Reason),
            _ => new("taken", null),
        };

    static async Task<CursorPage<GroupAnswer>> Groups(Cursor cursor, HttpContext http, ContactGroupList list, CancellationToken ct) =>
        Part(cursor, await list.Load(http.User.ToActor(), ct), g => g.Id, Answer);

    static async Task<IResult> AddGroup(NewGroup body, HttpContext http, ChangeContactGroup change, ContactGroupList list, CancellationToken ct)
    {
        var id = await change.Execute(new(null, body.Name, Members(body.Members)), http.User.ToActor(), ct);
        return Results.Created((string?)null, Answer((await list.Load(http.User.ToActor(), ct)).Single(g => g.Id == id)));
    }

    static async Task<GroupAnswer> ChangeGroup(string id, GroupPatch body, HttpContext http, ChangeContactGroup change, ContactGroupList list, CancellationToken ct)
    {
        var group = await change.Execute(new(Id.Parse<ContactGroupId>(id, "contact group"), body.Name, Members(body.Members), RowVersion.Expected(http, body.Version)), http.User.ToActor(), ct);
        return Answer((await list.Load(http.User.ToActor(), ct)).Single(g => g.Id == group));
    }

    static async Task<IResult> DeleteGroup(string id, HttpContext http, DeleteContactGroup delete, CancellationToken ct)
    {
        await delete.Execute(Id.Parse<ContactGroupId>(id, "contact group"), http.User.ToActor(), ct);
        return Results.NoContent();
    }

    static async Task<CursorPage<DeliveryAnswer>> Deliveries(Cursor cursor, HttpContext http, DeliveryList list, CancellationToken ct, string? alert = null)
    {
        if (!Id.TryParse<AlertId>(alert, out var of)) throw new DomainException("Name the alert: ?alert= and its id.", "alert");
        return cursor.Page(await list.Load(of, cursor.AfterId<DeliveryId>(), cursor.Take, http.User.ToActor(), ct), Answer, r => r.Delivery.Id.ToString());
    }

    /// <summary>Of a list that is short and read whole: the cursor is a place in its order.</summary>
    static CursorPage<TItem> Part<TRow, TItem, TId>(Cursor cursor, IReadOnlyList<TRow> all, Func<TRow, TId> id, Func<TRow, TItem> answer) where TId : struct, IId<TId>
    {
        var start = cursor.AfterId<TId>() is { } after ? all.ToList().FindIndex(r => id(r).Equals(after)) + 1 : 0;
        if (cursor.After is not null && start == 0) throw new DomainException("The value of after must be the next of an earlier answer, unchanged.", "after");
        return cursor.Page([.. all.Skip(start).Take(cursor.Take)], answer, r => id(r).Value.ToString("N"));
    }

    static async Task<ChannelList.Row> Find(string text, HttpContext http, ChannelList list, CancellationToken ct)
    {
        var id = Id.Parse<ChannelId>(text, "channel");
        return (await list.Load(http.User.ToActor(), ct)).FirstOrDefault(r => r.Channel.Id == id) ?? throw new NotFoundException("channel");
    }

    static List<GroupMember>? Members(IReadOnlyList<MemberBody>? members) => members?.Select(m => new GroupMember(m.Channel, m.Email)).ToList();

    static ChannelAnswer Told(HttpContext http, ChannelList.Row row, ChannelBook book)
    {
        RowVersion.Tell(http, row.Channel.Version);
        return Answer(row, book);
    }

    static ChannelAnswer Answer(ChannelList.Row row, ChannelBook book)
    {
        var (c, options) = (row.Channel, row.Channel.Options.Where(o => o.Key != ChannelSettings.AllowPrivateOption).ToDictionary());
        return new(c.Id, c.Name, c.Kind, options, [.. book.Secrets(c).Keys.Order()], c.PerMinute, c.CostCents, c.MonthlyCapCents, c.Options.ContainsKey(ChannelSettings.AllowPrivateOption), c.DisabledAt is null, row.LastSentAt, row.FailedAt, row.Failure, row.UsedBy, c.CreatedAt, c.Version);
    }

    static GroupAnswer Answer(ContactGroup g) => new(g.Id, g.Name, [.. g.Members.Select(m => new MemberBody(m.Channel, m.Email))], g.CreatedAt, g.Version);

    static DeliveryAnswer Answer(DeliveryList.Row row)
    {
        var d = row.Delivery;
        return new(d.Id, d.AlertId, d.Purpose, d.Kind, d.ChannelId, d.PersonId?.ToString(), row.Address, d.Title, d.State, d.IsTest, d.Step, d.InsteadOf, d.Attempts, d.CreatedAt, d.DueAt, d.SentAt, d.EndedAt, d.ConfirmedAt, d.LastError,
            [.. row.Events.Select(e => new EventAnswer(e.At, e.State, e.Detail))]);
    }
}
