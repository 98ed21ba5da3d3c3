using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Npgsql;
using Portal.Domain.Shared;

namespace Portal.Api;

/// <summary>Carries out a write that names an <c>Idempotency-Key</c> once, and gives whoever repeats it the first answer again.</summary>
/// <remarks>
/// Stands behind authorisation and before the endpoint, since the body must be hashed before it is read as JSON. Successful answers are kept
/// (for <see cref="AnswerStore.Kept"/>). A refused request changed nothing, so its key is free again; after a fault nobody knows, so the key stays taken.
/// A request that is still at work makes the second wait.
/// </remarks>
sealed class IdempotentWrites(RequestDelegate next, AnswerStore answers, TimeProvider clock, ILogger<IdempotentWrites> log)
{
    const string Header = "Idempotency-Key";
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(15), Pause = TimeSpan.FromMilliseconds(50);

    public Task Invoke(HttpContext http) =>
        http.Request.Headers.TryGetValue(Header, out var key) && http.GetEndpoint()?.Metadata.GetMetadata<KeysOnly>() is not null && IsWrite(http.Request.Method)
            ? Once(http, key.ToString()) : next(http);

    async Task Once(HttpContext http, string given)
    {
        if (given.Length is 0 or > 255)
        {
            await Problem.OfField(Header, "The key must have 1 to 255 characters.").Write(http);
            return;
        }
        var key = SHA256.HashData(Encoding.UTF8.GetBytes($"{http.User.FindFirstValue(ClaimTypes.NameIdentifier)}\n{given}"));
        var request = await Fingerprint(http);
        var since = clock.GetTimestamp();
        while (!await answers.Claim(key, request, clock.GetUtcNow(), CancellationToken.None))
        {
            var first = await answers.Find(key, http.RequestAborted);
            if (first is null) continue;
            if (!first.Request.AsSpan().SequenceEqual(request))
            {
                await Problem.OfField(Header, "This key was used for another request. A new request needs a new key.").Write(http);
                return;
            }
            if (first.Status is { } status)
            {
                await Repeat(http, first, status);
                return;
            }
            if (clock.GetElapsedTime(since) > Patience)
            {
                http.Response.Headers.RetryAfter = "5";
                await Problem.Of(409, "The first request with this key has not finished. Ask again; if it stays so, look whether it was carried out before you use a new key.").Write(http);
                return;
            }
            await Task.Delay(Pause, clock, http.RequestAborted);
        }
        await CarryOut(http, key);
    }

    async Task CarryOut(HttpContext http, byte[] key)
    {
        var (outside, inside, caller) = (http.Response.Body, new MemoryStream(), http.RequestAborted);
        http.Response.Body = inside;
        // Whoever names a key gets the write finished even after hanging up: a write broken off in the middle could not be told from one that was done.
        http.RequestAborted = CancellationToken.None;
        try
        {
            await next(http);
            await Conclude(http, key, inside);
        }
        catch (Exception e)
        {
            if (IsRefusal(e)) await answers.Release(key);
            else await Keep(key, StatusCodes.Status500InternalServerError, null, null);
            throw;
        }
        finally
        {
            (http.Response.Body, http.RequestAborted) = (outside, caller);
        }
        inside.Position = 0;
        await inside.CopyToAsync(outside, caller);
    }

    async Task Conclude(HttpContext http, byte[] key, MemoryStream answer)
    {
        var status = http.Response.StatusCode;
        if (status is >= 300 and < 500)
        {
            await answers.Release(key);
            return;
        }
        // An answer that holds a secret is not kept: the secret is shown once and stored nowhere in clear.
        var isSecret = http.GetEndpoint()?.Metadata.GetMetadata<AnswersSecret>() is not null || AnswersSecret.Holds(http);
        await Keep(key, status, isSecret ? null : Encoding.UTF8.GetString(answer.GetBuffer(), 0, (int)answer.Length), http.Response.Headers.Location);
    }

    async Task Keep(byte[] key, int status, string? body, string? location)
    {
        try
        {
            await answers.Keep(key, status, body, location);
        }
        catch (NpgsqlException e)
        {
            log.LogWarning(e, "The answer under an idempotency key could not be kept; the key stays taken until it expires");
        }
    }

    static bool IsRefusal(Exception e) => e is DomainException or NotFoundException or ConflictException or ForbiddenException or TooOftenException or BadHttpRequestException;

    static async Task Repeat(HttpContext http, StoredAnswer first, int status)
    {
        if (status >= 500)
        {
            await Problem.Of(409, "The first request with this key failed, perhaps after it was saved. Look whether it was carried out; if it was not, send it with a new key.").Write(http);
            return;
        }
        http.Response.Headers["Idempotent-Replayed"] = "true";
        if (first.Location is { } location) http.Response.Headers.Location = location;
        if (first.Body is null)
        {
            await Problem.Of(409, "This was done already under this key. Its answer held a secret that is shown only once; what was made stands at Location.").Write(http);
            return;
        }
        http.Response.StatusCode = status;
        http.Response.Headers.CacheControl = "no-store";
        if (first.Body.Length == 0) return;
        http.Response.ContentType = "application/json; charset=utf-8";
        await http.Response.WriteAsync(first.Body, http.RequestAborted);
    }

    static async Task<byte[]> Fingerprint(HttpContext http)
    {
        http.Request.EnableBuffering();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{http.Request.Method} {http.Request.Path}{http.Request.QueryString}\n"));
        var buffer = new byte[16 * 1024];
        for (int read; (read = await http.Request.Body.ReadAsync(buffer, http.RequestAborted)) > 0;) hash.AppendData(buffer, 0, read);
        http.Request.Body.Position = 0;
        return hash.GetHashAndReset();
    }

    static bool IsWrite(string method) =>
        HttpMethods.IsPost(method) || HttpMethods.IsPatch(method) || HttpMethods.IsPut(method) || HttpMethods.IsDelete(method);
}

/// <summary>Marks an endpoint whose answer shows a secret once: <c>.WithMetadata(new AnswersSecret())</c>.</summary>
public sealed class AnswersSecret
{
    /// <summary>For an endpoint where only some answers do.</summary>
    public static void Mark(HttpContext http) => http.Items[typeof(AnswersSecret)] = true;

    internal static bool Holds(HttpContext http) => http.Items.ContainsKey(typeof(AnswersSecret));
}
