using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Portal.Domain.Backups;
using Portal.Infrastructure.Backups;

namespace Portal.Tests.Backups;

/// <summary>A store that answers badly, slowly or not at all.</summary>
public sealed class S3FaultTests : IAsyncLifetime
{
    readonly ConcurrentQueue<string> asked = new();
    WebApplication app = null!;
    Func<HttpContext, Task> answer = _ => Task.CompletedTask;

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(k => k.Limits.MaxRequestBodySize = null);
        app = builder.Build();
        app.Run(async http =>
        {
            asked.Enqueue($"{http.Request.Method} {http.Request.Path}{http.Request.QueryString} {http.Request.Headers["x-amz-server-side-encryption"]}");
            await answer(http);
        });
        await app.StartAsync();
    }

    public async Task DisposeAsync()
    {
        using var impatient = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await app.StopAsync(impatient.Token);
        await app.DisposeAsync();
    }

    [Theory]
    [InlineData(403, "AccessDenied", BackupFailure.Refused, "access denied (403 AccessDenied)")]
    [InlineData(403, "SignatureDoesNotMatch", BackupFailure.Refused, "Check the access key")]
    [InlineData(500, "InternalError", BackupFailure.Passing, "a fault of its own (500 InternalError)")]
    [InlineData(503, "SlowDown", BackupFailure.Passing, "a fault of its own (503 SlowDown)")]
    [InlineData(400, "EntityTooLarge", BackupFailure.Refused, "the store refuses it (400 EntityTooLarge")]
    public async Task What_a_store_answers_is_said_in_words_and_whether_trying_again_may_help(int status, string code, BackupFailure kind, string words)
    {
        answer = http => Refuse(http, status, code);
        using var store = Open();
        foreach (var request in Requests(store))
        {
            var failed = await Assert.ThrowsAsync<BackupFailedException>(request);
            Assert.Equal(kind, failed.Kind);
            Assert.Contains(words, failed.Message, StringComparison.Ordinal);
            Assert.Contains("the bucket kept at 127.0.0.1", failed.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_connection_that_is_cut_is_told_as_such_for_every_request_and_in_the_middle_of_an_object()
    {
        answer = http => { http.Abort(); return Task.CompletedTask; };
        using var store = Open();
        foreach (var request in Requests(store))
        {
            var failed = await Assert.ThrowsAsync<BackupFailedException>(request);
            Assert.Equal(BackupFailure.Passing, failed.Kind);
            Assert.Contains("the connection failed or was cut", failed.Message, StringComparison.Ordinal);
        }
        answer = async http =>
        {
            http.Response.ContentLength = 1_000_000;
            await http.Response.Body.WriteAsync(new byte[300_000]);
            await http.Response.Body.FlushAsync();
            http.Abort();
        };
        Assert.Contains("cut", (await Assert.ThrowsAsync<BackupFailedException>(() => store.Read("a", 1_000_000, default))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Silence_ends_after_the_patience_before_an_answer_and_in_the_middle_of_one()
    {
        answer = http => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted);
        using var store = Open(TimeSpan.FromMilliseconds(200));
        var silent = await Assert.ThrowsAsync<BackupFailedException>(() => store.Put("a", new byte[9], default));
        Assert.Equal(BackupFailure.Passing, silent.Kind);
        Assert.Contains("no answer within 0.2 s", silent.Message, StringComparison.Ordinal);
        answer = async http =>
        {
            http.Response.ContentLength = 1_000_000;
            await http.Response.Body.WriteAsync(new byte[300_000]);
            await http.Response.Body.FlushAsync();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted);
        };
        Assert.Contains("no answer within 0.2 s", (await Assert.ThrowsAsync<BackupFailedException>(() => store.Read("a", 1_000_000, default))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_part_that_fails_aborts_the_upload_and_nothing_is_completed_and_encryption_is_asked_for()
    {
        answer = http => http.Request switch
        {
            { Method: "POST" } => Xml(http, "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>"),
            { Method: "DELETE" } => Xml(http, "", 204),
            var r when r.Query["partNumber"] == "2" => Refuse(http, 500, "InternalError"),
            _ => Xml(http, ""),
        };
        using var store = Open();
        var failed = await Assert.ThrowsAsync<BackupFailedException>(() => store.Put("backups/a", async (to, ct) =>
        {
            for (var i = 0; i < 40; i++) await to.WriteAsync(new byte[1 << 20], ct);
        }, default));
        Assert.Contains("500 InternalError", failed.Message, StringComparison.Ordinal);
        Assert.Equal("POST /kept/backups/a?uploads AES256", asked.First().Replace("?uploads= ", "?uploads ", StringComparison.Ordinal));
        Assert.Contains(asked, a => a.StartsWith("PUT /kept/backups/a?", StringComparison.Ordinal) && a.Contains("partNumber=1", StringComparison.Ordinal));
        Assert.Contains("DELETE /kept/backups/a?uploadId=u1 ", asked);
        Assert.Single(asked, a => a.StartsWith("POST", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Uploads_that_a_killed_run_began_are_aborted_and_those_of_other_names_are_not()
    {
        static string Begun(string name, string id) => $"<Upload><Key>{name}</Key><UploadId>{id}</UploadId></Upload>";
        answer = http => http.Request.Method == "GET"
            ? Xml(http, $"<ListMultipartUploadsResult>{Begun("backups/a", "u1")}{Begun("backups/a", "u2")}{Begun("backups/ab", "u3")}</ListMultipartUploadsResult>") : Xml(http, "", 204);
        using var store = Open();
        await store.RemoveUnfinished("backups/a", default);
        Assert.Equal(["DELETE /kept/backups/a?uploadId=u1 ", "DELETE /kept/backups/a?uploadId=u2 "], asked.Skip(1));
        Assert.Contains("uploads", asked.First(), StringComparison.Ordinal);
        Assert.Contains("prefix=backups%2Fa", asked.First(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("AES256")]
    [InlineData("aws:kms")]
    [InlineData("")]
    public async Task The_stores_own_encryption_is_asked_for_as_set(string encryption)
    {
        answer = http => Xml(http, "");
        using var store = Open(encryption: encryption);
        await store.Put("keys/a.key", new byte[9], default);
        Assert.Equal([$"PUT /kept/keys/a.key {encryption}"], asked);
    }

    [Fact]
    public async Task A_cancellation_is_one_and_no_failure_of_the_store()
    {
        using var cancelled = new CancellationTokenSource();
        answer = async http =>
        {
            await cancelled.CancelAsync();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted);
        };
        using var store = Open();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.Put("a", new byte[9], cancelled.Token));
    }

    static IEnumerable<Func<Task>> Requests(S3Store store) =>
    [
        () => store.Put("a", new byte[9], default),
        () => store.Open("a", default),
        () => store.Delete("a", default),
        async () => { await foreach (var _ in store.List("a", default)) Assert.Fail("Nothing can be there."); },
        () => store.RemoveUnfinished("a", default),
    ];

    S3Store Open(TimeSpan? patience = null, string encryption = "AES256") =>
        new(new S3Settings(new Uri(app.Urls.First()), "kept", "eu-central-1", "access", "secret", Encryption: encryption, Patience: patience ?? TimeSpan.FromSeconds(30), Retries: 0), TimeProvider.System);

    static Task Refuse(HttpContext http, int status, string code) => Xml(http, $"<Error><Code>{code}</Code><Message>No.</Message></Error>", status);

    static async Task Xml(HttpContext http, string body, int status = 200)
    {
        await http.Request.Body.CopyToAsync(Stream.Null);
        http.Response.StatusCode = status;
        http.Response.Headers.ETag = "\"e1\"";
        if (body.Length == 0) return;
        http.Response.ContentType = "application/xml";
        await http.Response.WriteAsync("<?xml version=\"1.0\" encoding=\"UTF-8\"?>" + body);
    }
}
