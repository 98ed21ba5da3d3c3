using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.OnCall;
using Portal.Tests.Support;

namespace Portal.Tests.OnCall;

/// <summary>On-call as a script uses it, in a whole portal that pages by itself.</summary>
public sealed class OnCallApiTests(OnCallApiTests.Unattended host) : IClassFixture<OnCallApiTests.Unattended>
{
    const string Key = "on-call-api-0123456789abcdef0123456789abcdef";

    public sealed class Unattended : IAsyncLifetime
    {
        public PortalHost Portal { get; } = new()
        {
            Configuration = { ["Bootstrap:AdminEmail"] = "alice@example.com", ["Bootstrap:AdminPassword"] = "correct horse battery", ["Bootstrap:ApiKey"] = Key },
        };

        public Task InitializeAsync() => Portal.InitializeAsync();

        public Task DisposeAsync() => Portal.DisposeAsync();
    }

    readonly HttpClient api = host.Portal.Client(Key);

    async Task<JsonElement> Made(HttpMethod method, string path, object? body, HttpStatusCode expected)
    {
        var answer = await api.SendAsync(new(method, path) { Content = body is null ? null : JsonContent.Create(body) });
        Assert.True(answer.StatusCode == expected, $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        return answer.StatusCode == HttpStatusCode.NoContent ? default : await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    Task<JsonElement> Post(string path, object body, HttpStatusCode expected = HttpStatusCode.Created) => Made(HttpMethod.Post, path, body, expected);

    async Task<string> Alice()
    {
        await using var db = host.Portal.Database.Open();
        return (await db.People.SingleAsync(p => p.Email == "alice@example.com")).Id.ToString();
    }

    static string Id(JsonElement made) => made.GetProperty("id").GetString()!;

    [Fact]
    public async Task Rotations_schedules_overrides_and_policies_are_made_read_changed_and_deleted()
    {
        var alice = await Alice();
        var rotation = await Post("/api/v1/rotations", new { name = "Nights", zone = "Europe/Berlin", start = "2026-01-05T09:00", rhythm = "week_times", times = new[] { new { day = "monday", at = "09:00" }, new { day = "friday", at = "17:00" } }, participants = new[] { alice } });
        Assert.Equal("hands over on Monday 09:00, Friday 17:00 (Europe/Berlin)", rotation.GetProperty("words").GetString());
        var schedule = await Post("/api/v1/schedules", new { name = "Night shift", zone = "Europe/Berlin", layers = new object[] { new { name = "Rotation", rotation = Id(rotation), only = new[] { new { from = new { day = "friday", at = "17:00" }, to = new { day = "monday", at = "09:00" } } } }, new { name = "Else", person = alice } } });
        var onCall = (await api.GetFromJsonAsync<JsonElement>("/api/v1/on-call")).GetProperty("items").EnumerateArray().Single(s => s.GetProperty("schedule").GetString() == Id(schedule));
        Assert.Equal(alice, onCall.GetProperty("onCall")[0].GetProperty("id").GetString());
        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync("/api/v1/on-call?at=2030-01-01T03:00:00Z")).StatusCode);

        var tomorrow = TimeProvider.System.GetUtcNow().AddDays(1);
        var gone = await Post("/api/v1/overrides", new { schedule = Id(schedule), from = tomorrow, to = tomorrow.AddHours(2), remove = alice });
        var shifts = (await api.GetFromJsonAsync<JsonElement>($"/api/v1/schedules/{Id(schedule)}/shifts")).GetProperty("items");
        Assert.Equal(2, shifts.GetArrayLength());
        Assert.Equal(1, (await api.GetFromJsonAsync<JsonElement>($"/api/v1/overrides?schedule={Id(schedule)}")).GetProperty("items").GetArrayLength());
        await Made(HttpMethod.Delete, $"/api/v1/overrides/{Id(gone)}", null, HttpStatusCode.NoContent);

        var policy = await Post("/api/v1/policies", new { name = "Nightly", steps = new[] { new { targets = new[] { new { kind = "schedule", id = Id(schedule) } }, delayMinutes = 5 }, new { targets = new[] { new { kind = "person", id = alice } }, delayMinutes = 0 } } });
        Assert.Contains(policy.GetProperty("warnings").EnumerateArray(), w => w.GetString()!.Contains("no verified contact", StringComparison.Ordinal));
        var plan = (await api.GetFromJsonAsync<JsonElement>($"/api/v1/policies/{Id(policy)}/plan?at=2030-01-01T03:00:00Z")).GetProperty("items");
        Assert.Equal(["2030-01-01T03:00:00.000Z", "2030-01-01T03:05:00.000Z"], plan.EnumerateArray().Select(p => p.GetProperty("at").GetString()!));
        var changed = await Made(HttpMethod.Patch, $"/api/v1/policies/{Id(policy)}", new { repeat = 0, name = "By night", version = policy.GetProperty("version").GetUInt32() }, HttpStatusCode.OK);
        Assert.Equal(("By night", 1), (changed.GetProperty("name").GetString(), changed.GetProperty("number").GetInt32()));
        await Made(HttpMethod.Patch, $"/api/v1/policies/{Id(policy)}", new { name = "Late", version = policy.GetProperty("version").GetUInt32() }, HttpStatusCode.Conflict);

        await Made(HttpMethod.Delete, $"/api/v1/schedules/{Id(schedule)}", null, HttpStatusCode.UnprocessableEntity);
        await Made(HttpMethod.Delete, $"/api/v1/policies/{Id(policy)}", null, HttpStatusCode.NoContent);
        await Made(HttpMethod.Patch, $"/api/v1/schedules/{Id(schedule)}", new { layers = new[] { new { name = "Else", person = alice } } }, HttpStatusCode.OK);
        await Made(HttpMethod.Delete, $"/api/v1/rotations/{Id(rotation)}", null, HttpStatusCode.NoContent);
        await Made(HttpMethod.Delete, $"/api/v1/schedules/{Id(schedule)}", null, HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task What_is_asked_for_wrongly_is_refused_by_its_field_and_never_as_a_fault()
    {
        async Task<string> Refused(string path, object body) => (await Post(path, body, HttpStatusCode.UnprocessableEntity)).GetProperty("errors").EnumerateObject().Single().Name;
        Assert.Equal("name", await Refused("/api/v1/rotations", new { start = "2026-01-05T09:00" }));
        Assert.Equal("start", await Refused("/api/v1/rotations", new { name = "A" }));
        Assert.Equal("zone", await Refused("/api/v1/schedules", new { name = "A", zone = "Mars/Olympus" }));
        Assert.Equal("layers", await Refused("/api/v1/schedules", new { name = "A", layers = new[] { new { name = "L" } } }));
        Assert.Equal("steps", await Refused("/api/v1/policies", new { name = "A" }));
        Assert.Equal("steps", await Refused("/api/v1/policies", new { name = "A", steps = new[] { new { targets = new[] { new { kind = "person", id = "x" } }, delayMinutes = 0 } } }));
        Assert.Equal("schedule", await Refused("/api/v1/overrides", new { }));
        foreach (var path in (string[])["schedules/x", "rotations/x", "policies/x"]) Assert.Equal(HttpStatusCode.NotFound, (await api.GetAsync($"/api/v1/{path}")).StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await api.GetAsync("/api/v1/on-call?at=1900-01-01T00:00:00Z")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await host.Portal.Client().GetAsync($"/on-call/{new string('a', 43)}.ics")).StatusCode);
        Assert.Equal("/on-call/[redacted]", Portal.Hosting.SafePath.Of("/on-call/abc.ics"));
    }

    [Fact]
    public async Task A_running_portal_pages_in_less_than_a_second_and_its_pager_is_a_part_of_its_health()
    {
        var alice = Domain.Access.PersonId.From(Guid.Parse(await Alice()));
        await using var db = host.Portal.Database.Database.CreateDbContext();
        var service = new Service(new("Shop", "shop-of-on-call", null, new(null, null, null, null), null, null, 0, null, []), [.. Guid.NewGuid().ToByteArray()], [1], TimeProvider.System.GetUtcNow());
        var policy = new EscalationPolicy("Now", [PagerRig.Step(5, EscalationTarget.Of(alice))], 0, "x", TimeProvider.System.GetUtcNow());
        db.AddRange(service, policy);
        await db.SaveChangesAsync();
        var alert = new Alert(service.Id, PagerRig.Signal("k"), TimeProvider.System.GetUtcNow());
        // Without news of it: only the escalator's own knowledge of the next time.
        db.AddRange(alert, new Escalation(alert.Id, policy.Current, TimeProvider.System.GetUtcNow().AddSeconds(3), TimeProvider.System.GetUtcNow()));
        await db.SaveChangesAsync();
        var page = await Soon.Reads(async () => await db.Deliveries.AsNoTracking().SingleOrDefaultAsync(d => d.AlertId == alert.Id), d => d is not null, "the page");
        var escalation = await db.Escalations.AsNoTracking().SingleAsync(e => e.AlertId == alert.Id);
        Assert.InRange((escalation.FiredAt!.Value - escalation.FirstAt).TotalSeconds, 0, 1);
        Assert.Equal("alice@example.com", page!.Address);
        await Soon.Comes(async () => (await host.Portal.Client().GetAsync("/health/parts/pager")).StatusCode == HttpStatusCode.OK, "the pager was looked at");
    }
}
