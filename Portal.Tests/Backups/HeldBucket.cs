using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security;
using System.Text;
using System.Text.RegularExpressions;

namespace Portal.Tests.Backups;

/// <summary>An S3 server with one bucket in memory, which keeps requests waiting for as long as somebody wants it to. It checks no signatures.</summary>
sealed partial class HeldBucket : IAsyncDisposable
{
    public const string Name = "held";

    readonly ConcurrentDictionary<string, byte[]> objects = new();
    readonly ConcurrentDictionary<string, (string Key, ConcurrentDictionary<int, byte[]> Parts)> uploads = new();
    readonly ConcurrentDictionary<Held, bool> holds = new();
    readonly HttpListener listener = new();
    readonly Task serving;

    public HeldBucket(int port)
    {
        Endpoint = $"http://127.0.0.1:{port}";
        listener.Prefixes.Add($"{Endpoint}/");
        listener.Start();
        serving = Serve();
    }

    public string Endpoint { get; }

    /// <summary>Names of what is whole.</summary>
    public IReadOnlyList<string> Objects => [.. objects.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Names of what was begun in parts and is neither complete nor aborted.</summary>
    public IReadOnlyList<string> Begun => [.. uploads.Values.Select(u => u.Key)];

    /// <summary>From now on requests of this method for names that end so wait until it is disposed.</summary>
    public Held Hold(string method, string ending)
    {
        var hold = new Held(method, ending, h => holds.TryRemove(h, out _));
        holds[hold] = true;
        return hold;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var hold in holds.Keys) hold.Dispose();
        listener.Stop();
        await serving;
        listener.Close();
    }

    async Task Serve()
    {
        while (listener.IsListening)
            try
            {
                _ = Answer(await listener.GetContextAsync());
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
    }

    async Task Answer(HttpListenerContext http)
    {
        try
        {
            using var body = new MemoryStream();
            await http.Request.InputStream.CopyToAsync(body);
            var (method, name) = (http.Request.HttpMethod, Uri.UnescapeDataString(http.Request.Url!.AbsolutePath).TrimStart('/')[Name.Length..].TrimStart('/'));
            foreach (var hold in holds.Keys.Where(h => h.Holds(method, name))) await hold.Wait();
            var (status, answer) = Do(method, name, body.ToArray(), http.Request);
            http.Response.StatusCode = status;
            // One that is no MD5, as that of an object of several parts: clients compare the others.
            http.Response.Headers["ETag"] = "\"e1-1\"";
            http.Response.ContentLength64 = answer.Length;
            await http.Response.OutputStream.WriteAsync(answer);
            http.Response.Close();
        }
        catch (Exception e) when (e is IOException or HttpListenerException or ObjectDisposedException or InvalidOperationException)
        {
            // Whoever asked was killed meanwhile.
            http.Response.Abort();
        }
    }

    (int Status, byte[] Answer) Do(string method, string name, byte[] body, HttpListenerRequest request)
    {
        var (upload, prefix) = (request.QueryString["uploadId"], request.QueryString["prefix"] ?? "");
        var asksUploads = UploadsAsked().IsMatch(request.Url!.Query);
        switch (method)
        {
            case "PUT" when upload is not null:
                if (!uploads.TryGetValue(upload, out var filled)) return Refused("NoSuchUpload");
                filled.Parts[int.Parse(request.QueryString["partNumber"]!, CultureInfo.InvariantCulture)] = body;
                return (200, []);
            case "PUT":
                objects[name] = body;
                return (200, []);
            case "POST" when upload is not null:
                if (!uploads.TryRemove(upload, out var complete)) return Refused("NoSuchUpload");
                objects[name] = [.. complete.Parts.OrderBy(p => p.Key).SelectMany(p => p.Value)];
                return Xml($"<CompleteMultipartUploadResult><Key>{SecurityElement.Escape(name)}</Key><ETag>\"e1-1\"</ETag></CompleteMultipartUploadResult>");
            case "POST":
                var id = Guid.NewGuid().ToString("N");
                uploads[id] = (name, new());
                return Xml($"<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>");
            case "DELETE":
                if (upload is not null) uploads.TryRemove(upload, out _);
                else objects.TryRemove(name, out _);
                return (204, []);
            case "GET" when name.Length > 0:
                return objects.TryGetValue(name, out var found) ? (200, found) : Refused("NoSuchKey");
            case "GET" when asksUploads:
                return Xml($"<ListMultipartUploadsResult>{string.Concat(uploads.Where(u => Begins(u.Value.Key, prefix)).Select(u => $"<Upload><Key>{SecurityElement.Escape(u.Value.Key)}</Key><UploadId>{u.Key}</UploadId></Upload>"))}</ListMultipartUploadsResult>");
            default:
                return Xml($"<ListBucketResult><IsTruncated>false</IsTruncated>{string.Concat(Objects.Where(o => Begins(o, prefix)).Select(o => $"<Contents><Key>{SecurityElement.Escape(o)}</Key><Size>{objects.GetValueOrDefault(o, []).Length}</Size><LastModified>2026-03-02T09:00:00Z</LastModified></Contents>"))}</ListBucketResult>");
        }
    }

    static bool Begins(string name, string prefix) => name.StartsWith(prefix, StringComparison.Ordinal);

    static (int, byte[]) Refused(string code) => (404, Xml($"<Error><Code>{code}</Code><Message>No.</Message></Error>").Answer);

    static (int Status, byte[] Answer) Xml(string body) => (200, Encoding.UTF8.GetBytes($"<?xml version=\"1.0\" encoding=\"UTF-8\"?>{body}"));

    [GeneratedRegex(@"[?&]uploads(=|&|$)")]
    private static partial Regex UploadsAsked();
}

/// <summary>Requests that wait.</summary>
sealed class Held(string method, string ending, Action<Held> release) : IDisposable
{
    readonly TaskCompletionSource released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    int waiting;

    /// <summary>How many came so far.</summary>
    public int Waiting => Volatile.Read(ref waiting);

    public bool Holds(string asked, string name) => asked == method && name.EndsWith(ending, StringComparison.Ordinal);

    public Task Wait()
    {
        Interlocked.Increment(ref waiting);
        return released.Task;
    }

    public void Dispose()
    {
        release(this);
        released.TrySetResult();
    }
}
