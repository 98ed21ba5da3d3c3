using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;

namespace Portal.Api;

/// <summary>Carries out a write that names an <c>Idempotency-Key</c> once, and gives whoever repeats it the first answer again.</summary>
/// <remarks>
/// Stands behind authorisation and before the endpoint, since the body must be hashed before it is read as JSON. Only successful answers are kept
/// (for <see cref="AnswerStore.Kept"/>): a refused request changed nothing, so repeating it is harmless. A request that is still at work makes the second wait.
/// </remarks>
sealed class IdempotentWrites(RequestDelegate next, AnswerStore answers, TimeProvider clock)
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
        while (!await answers.Claim(key, request, clock.GetUtcNow(), http.RequestAborted))
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
        var (outside, inside) = (http.Response.Body, new MemoryStream());
        http.Response.Body = inside;
        var done = false;
        try
        {
            await next(http);
            if (http.Response.StatusCode is >= 200 and < 300)
            {
                // An answer that holds a secret is not kept: the secret is shown once and stored nowhere in clear.
                var body = http.GetEndpoint()?.Metadata.GetMetadata<AnswersSecret>() is null ? Encoding.UTF8.GetString(inside.GetBuffer(), 0, (int)inside.Length) : null;
                done = await answers.Keep(key, http.Response.StatusCode, body, http.Response.Headers.Location);
            }
        }
        finally
        {
            http.Response.Body = outside;
            if (!done) await answers.Release(key);
        }
        inside.Position = 0;
        await inside.CopyToAsync(outside, http.RequestAborted);
    }

    static async Task Repeat(HttpContext http, StoredAnswer first, int status)
    {
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
public sealed class AnswersSecret;
