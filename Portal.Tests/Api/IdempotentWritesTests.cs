using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Portal.Api;
using Portal.Domain.Shared;
using Portal.Features.StatusPages;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Monitoring;
using Portal.Tests.Support;

namespace Portal.Tests.Api;

public class IdempotentWritesTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    sealed record Order(string? Title, int Count);

    int carriedOut;
    readonly TaskCompletionSource entered = new(), mayFinish = new();

    Task<ApiHost> Start() => ApiHost.Start(database, v1 =>
    {
        v1.MapPost("/orders", (Order order) => order.Title is null ? throw new DomainException("The title is required.", "title")
            : Results.Created($"/api/v1/orders/{Interlocked.Increment(ref carriedOut)}", new Order(order.Title, carriedOut)));
        v1.MapPost("/slow", async (Order order) =>
        {
            entered.TrySetResult();
            await mayFinish.Task;
            return Results.Created("/api/v1/orders/1", new Order(order.Title, Interlocked.Increment(ref carriedOut)));
        });
        v1.MapPost("/unattended", async (CancellationToken ct) =>
        {
            var number = Interlocked.Increment(ref carriedOut);
            entered.TrySetResult();
            await mayFinish.Task.WaitAsync(ct);
            return Results.Created($"/api/v1/orders/{number}", new Order("A", number));
        });
        v1.MapPost("/keys", () => Results.Created($"/api/v1/keys/{Interlocked.Increment(ref carriedOut)}", new { secret = "hush-hush" })).WithMetadata(new AnswersSecret());
        v1.MapPost("/faulty", string () => Interlocked.Increment(ref carriedOut) == 1 ? throw new InvalidOperationException("first time") : "done");
    });

    static async Task<(HttpStatusCode Status, string Body, string? Location, bool Repeated)> Send(HttpClient client, string path, string key, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("Idempotency-Key", key);
        using var answer = await client.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(), answer.Headers.Location?.ToString(), answer.Headers.Contains("Idempotent-Replayed"));
    }

    [Fact]
    public async Task The_same_request_under_the_same_key_is_carried_out_once()
    {
        await using var host = await Start();
        using var client = host.Client();
        var first = await Send(client, "/api/v1/orders", "one", """{"title":"A"}""");
        var second = await Send(client, "/api/v1/orders", "one", """{"title":"A"}""");
        Assert.Equal((HttpStatusCode.Created, """{"title":"A","count":1}""", "/api/v1/orders/1", false), first);
        Assert.Equal(first with { Repeated = true }, second);
        // Without the key, or with another, it would have been carried out again.
        Assert.Equal(2, int.Parse((await Send(client, "/api/v1/orders", "two", """{"title":"A"}""")).Location!.Split('/')[^1], System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task Another_request_under_a_used_key_is_refused()
    {
        await using var host = await Start();
        using var client = host.Client();
        Assert.Equal(HttpStatusCode.Created, (await Send(client, "/api/v1/orders", "used", """{"title":"A"}""")).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await Send(client, "/api/v1/orders", "used", """{"title":"B"}""")).Status);
        Assert.Equal(1, carriedOut);
    }

    [Fact]
    public async Task Two_that_arrive_at_once_are_one()
    {
        await using var host = await Start();
        using var client = host.Client();
        var first = Send(client, "/api/v1/slow", "both", """{"title":"A"}""");
        await entered.Task;
        var second = Send(client, "/api/v1/slow", "both", """{"title":"A"}""");
        mayFinish.SetResult();
        var (one, two) = (await first, await second);
        Assert.Equal(1, carriedOut);
        Assert.Equal(one.Body, two.Body);
        Assert.Equal(HttpStatusCode.Created, two.Status);
        Assert.True(two.Repeated);
    }

    [Fact]
    public async Task A_caller_who_hangs_up_after_the_write_and_repeats_it_gets_its_answer()
    {
        await using var host = await Start();
        using var client = host.Client();
        using var hangUp = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/unattended") { Content = new StringContent("{}", Encoding.UTF8, "application/json") };
        request.Headers.Add("Idempotency-Key", "hung-up");
        var first = client.SendAsync(request, hangUp.Token);
        await entered.Task;
        await hangUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        var again = Send(client, "/api/v1/unattended", "hung-up", "{}");
        mayFinish.SetResult();
        var answer = await again;
        Assert.Equal((HttpStatusCode.Created, "/api/v1/orders/1", true), (answer.Status, answer.Location, answer.Repeated));
        Assert.Equal(1, carriedOut);
    }

    [Fact]
    public async Task A_write_that_failed_midway_is_not_carried_out_twice()
    {
        await using var host = await Start();
        using var client = host.Client();
        Assert.Equal(HttpStatusCode.InternalServerError, (await Send(client, "/api/v1/faulty", "again", "{}")).Status);
        var again = await Send(client, "/api/v1/faulty", "again", "{}");
        Assert.Equal(HttpStatusCode.Conflict, again.Status);
        Assert.Contains("perhaps after it was saved", again.Body, StringComparison.Ordinal);
        Assert.Equal(1, carriedOut);
    }

    [Fact]
    public async Task A_write_that_was_committed_without_an_answer_is_not_done_twice()
    {
        using var line = new DatabaseLine(database.ConnectionString);
        await using var reached = new Database();
        reached.Open(Database.Connect(line.ConnectionString));
        var add = new AddComponent(reached, TimeProvider.System);
        await using var host = await ApiHost.Start(database, v1 => v1.MapPost("/parts", async (Order order, CancellationToken ct) =>
            Results.Created($"/api/v1/parts/{(await add.Execute(new(order.Title!), Cast.Alice, ct)).Id}", order)), reached: reached);
        using var client = host.Client();
        line.LoseCommitAfter("INSERT INTO components");
        var first = await Send(client, "/api/v1/parts", "unheard", """{"title":"Unheard"}""");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, 1), (first.Status, line.Lost));
        var again = await Send(client, "/api/v1/parts", "unheard", """{"title":"Unheard"}""");
        Assert.Equal(HttpStatusCode.Conflict, again.Status);
        Assert.Contains("perhaps after it was saved", again.Body, StringComparison.Ordinal);
        await using var db = database.Open();
        Assert.Equal(1, await db.Components.CountAsync(c => c.Name == "Unheard"));
    }

    [Fact]
    public async Task An_answer_whose_keeping_was_not_confirmed_is_given_again_all_the_same()
    {
        using var line = new DatabaseLine(database.ConnectionString);
        await using var reached = new Database();
        reached.Open(Database.Connect(line.ConnectionString));
        await using var host = await ApiHost.Start(database, v1 => v1.MapPost("/orders", () => Results.Created($"/api/v1/orders/{Interlocked.Increment(ref carriedOut)}", new Order("A", carriedOut))), reached: reached);
        using var client = host.Client();
        line.LoseAnswerTo("update idempotent_answers set status");
        var first = await Send(client, "/api/v1/orders", "kept", "{}");
        Assert.Equal((HttpStatusCode.Created, 1), (first.Status, line.Lost));
        Assert.Equal(first with { Repeated = true }, await Send(client, "/api/v1/orders", "kept", "{}"));
        Assert.Equal(1, carriedOut);
    }

    [Fact]
    public async Task A_refused_request_does_not_use_up_its_key()
    {
        await using var host = await Start();
        using var client = host.Client();
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await Send(client, "/api/v1/orders", "mended", "{}")).Status);
        Assert.Equal(HttpStatusCode.Created, (await Send(client, "/api/v1/orders", "mended", """{"title":"A"}""")).Status);
    }

    [Fact]
    public async Task A_secret_is_neither_stored_nor_shown_twice_and_its_key_not_made_twice()
    {
        await using var host = await Start();
        using var client = host.Client();
        Assert.Contains("hush-hush", (await Send(client, "/api/v1/keys", "secret", "{}")).Body, StringComparison.Ordinal);
        var again = await Send(client, "/api/v1/keys", "secret", "{}");
        Assert.Equal((HttpStatusCode.Conflict, "/api/v1/keys/1"), (again.Status, again.Location));
        Assert.Equal(1, carriedOut);
        await using var db = database.Open();
        Assert.DoesNotContain(await db.IdempotentAnswers.Select(a => a.Body).ToListAsync(), b => b?.Contains("hush-hush", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task After_a_day_a_key_is_forgotten()
    {
        await using var host = await Start();
        using var client = host.Client();
        var store = host.Get<AnswerStore>();
        await Send(client, "/api/v1/orders", "old", """{"title":"A"}""");
        var now = TimeProvider.System.GetUtcNow();
        Assert.Equal(0, await store.Forget(now + AnswerStore.Kept - TimeSpan.FromMinutes(5), default));
        Assert.NotEqual(0, await store.Forget(now + AnswerStore.Kept + TimeSpan.FromMinutes(5), default));
        Assert.False((await Send(client, "/api/v1/orders", "old", """{"title":"A"}""")).Repeated);
    }
}
