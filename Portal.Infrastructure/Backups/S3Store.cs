using System.Net;
using System.Runtime.CompilerServices;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Portal.Domain.Backups;

namespace Portal.Infrastructure.Backups;

/// <summary>Where an S3-compatible store is and how it is spoken to.</summary>
/// <param name="Endpoint">http or https, with port.</param>
/// <param name="Encryption">What is asked of the store's own encryption: AES256, aws:kms, or empty for none.</param>
/// <param name="Patience">One request, one part or one silence may last so long.</param>
public sealed record S3Settings(Uri Endpoint, string Bucket, string Region, string AccessKey, string SecretKey, bool ForcePathStyle = true, string Encryption = "AES256", TimeSpan? Patience = null, int Retries = 2)
{
    public TimeSpan LongestSilence => Patience ?? TimeSpan.FromMinutes(2);

    // The secret must not get into a log through the record's own text.
    public override string ToString() => $"{Bucket} at {Endpoint}";
}

/// <summary>Backups in a bucket. An object comes about with the last request of its upload; what was begun is aborted when it fails.</summary>

public sealed class S3Store : IBackupStore, IDisposable
{
    readonly S3Settings settings;
    readonly TimeProvider clock;
    readonly AmazonS3Client client;
    readonly OneClient http;

    /// <param name="handler">Connects; null for a plain one. Belongs to whoever made it.</param>
    public S3Store(S3Settings settings, TimeProvider clock, HttpMessageHandler? handler = null)
    {
        (this.settings, this.clock) = (settings, clock);
        http = new OneClient(handler, settings.LongestSilence);
        client = new AmazonS3Client(new BasicAWSCredentials(settings.AccessKey, settings.SecretKey), new AmazonS3Config
        {
            ServiceURL = settings.Endpoint.AbsoluteUri,
            AuthenticationRegion = settings.Region,
            ForcePathStyle = settings.ForcePathStyle,
            MaxErrorRetry = settings.Retries,
            HttpClientFactory = http,
            // Newer checksums are not understood by every store; each part is signed with its SHA-256 instead.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        });
    }

    public string Words => $"the bucket {settings.Bucket} at {settings.Endpoint.Authority}";

    public async Task Put(string name, Func<Stream, CancellationToken, Task> write, CancellationToken ct)
    {
        StoreContents.Checked(name);
        await using var upload = new S3Upload(this, name);
        try
        {
            await write(upload, ct);
            await upload.Complete(ct);
        }
        catch
        {
            await upload.Abort();
            throw;
        }
    }

    public async Task<Stream> Open(string name, CancellationToken ct)
    {
        var found = await Ask($"{name} cannot be read from", c => c.GetObjectAsync(new GetObjectRequest { BucketName = settings.Bucket, Key = StoreContents.Checked(name) }, ct), ct);
        return new Body(this, name, found);
    }

    public async IAsyncEnumerable<StoredObject> List(string prefix, [EnumeratorCancellation] CancellationToken ct)
    {
        string? next = null;
        do
        {
            var request = new ListObjectsV2Request { BucketName = settings.Bucket, Prefix = prefix, ContinuationToken = next };
            var page = await Ask("Nothing can be listed in", c => c.ListObjectsV2Async(request, ct), ct);
            foreach (var found in page.S3Objects ?? [])
                yield return new StoredObject(found.Key, found.Size ?? 0, new DateTimeOffset((found.LastModified ?? DateTime.UnixEpoch).ToUniversalTime()));
            next = page.IsTruncated == true ? page.NextContinuationToken : null;
        } while (next is not null);
    }

    public Task Delete(string name, CancellationToken ct) =>
        Ask($"{name} cannot be deleted from", c => c.DeleteObjectAsync(new DeleteObjectRequest { BucketName = settings.Bucket, Key = StoreContents.Checked(name) }, ct), ct);

    public async Task RemoveUnfinished(string name, CancellationToken ct)
    {
        var begun = await Ask("Unfinished uploads cannot be listed in", c => c.ListMultipartUploadsAsync(new ListMultipartUploadsRequest { BucketName = settings.Bucket, Prefix = StoreContents.Checked(name) }, ct), ct);
        foreach (var upload in (begun.MultipartUploads ?? []).Where(u => u.Key == name))
            await Ask($"An unfinished upload of {name} cannot be aborted in", c => c.AbortMultipartUploadAsync(new AbortMultipartUploadRequest { BucketName = settings.Bucket, Key = name, UploadId = upload.UploadId }, ct), ct);
    }

    public Task<StoreSpace?> Space(CancellationToken ct) => Task.FromResult<StoreSpace?>(null);

    public void Dispose()
    {
        client.Dispose();
        http.Dispose();
    }

    internal string Bucket => settings.Bucket;

    internal TimeProvider Clock => clock;

    internal ServerSideEncryptionMethod Encryption => settings.Encryption.Length == 0 ? ServerSideEncryptionMethod.None : ServerSideEncryptionMethod.FindValue(settings.Encryption);

    /// <summary>Asks the store once (with the client's own retries) and puts into words what it says against it.</summary>
    internal async Task<T> Ask<T>(string what, Func<IAmazonS3, Task<T>> request, CancellationToken ct)
    {
        try
        {
            return await request(client);
        }
        catch (Exception e) when (ct.IsCancellationRequested && e is not OperationCanceledException)
        {
            throw new OperationCanceledException($"{what} {Words}: cancelled.", e, ct);
        }
        catch (Exception e) when (!ct.IsCancellationRequested && e is AmazonServiceException or AmazonClientException or HttpRequestException or IOException or TimeoutException or OperationCanceledException)
        {
            throw Failed(what, e);
        }
    }

    BackupFailedException Failed(string what, Exception e) => e switch
    {
        AmazonS3Exception { ErrorCode: "NoSuchKey" } => new(BackupFailure.Missing, $"{what} {Words}: it is not there.", e),
        AmazonS3Exception { ErrorCode: "NoSuchBucket" } => new(BackupFailure.Refused, $"{what} {Words}: there is no such bucket.", e),
        AmazonS3Exception { StatusCode: HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized } s => new(BackupFailure.Refused, $"{what} {Words}: access denied ({(int)s.StatusCode} {s.ErrorCode}). Check the access key and what its policy allows.", e),
        AmazonS3Exception { StatusCode: >= HttpStatusCode.InternalServerError or HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout } s => new(BackupFailure.Passing, $"{what} {Words}: the store has a fault of its own ({(int)s.StatusCode} {s.ErrorCode}). Trying later may help.", e),
        AmazonS3Exception { StatusCode: >= HttpStatusCode.MultipleChoices } s => new(BackupFailure.Refused, $"{what} {Words}: the store refuses it ({(int)s.StatusCode} {s.ErrorCode}: {s.Message})", e),
        _ when Within(e).Any(inner => inner is OperationCanceledException or TimeoutException) => new(BackupFailure.Passing, $"{what} {Words}: no answer within {settings.LongestSilence.TotalSeconds:0.#} s.", e),
        _ => new(BackupFailure.Passing, $"{what} {Words}: the connection failed or was cut ({Within(e).Last().Message.TrimEnd('.')}).", e),
    };

    static IEnumerable<Exception> Within(Exception? e)
    {
        for (; e is not null; e = e.InnerException) yield return e;
    }

    /// <summary>The client of one store, so that its time-out is ours.</summary>
    sealed class OneClient(HttpMessageHandler? handler, TimeSpan patience) : HttpClientFactory, IDisposable
    {
        readonly HttpClient client = handler is null
            ? new HttpClient(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(10), AllowAutoRedirect = false, UseProxy = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) }) { Timeout = patience }
            : new HttpClient(handler, disposeHandler: false) { Timeout = patience };

        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => client;

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

        public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;

        public void Dispose() => client.Dispose();
    }

    /// <summary>An object while it arrives: no silence lasts longer than the patience, and an end before the announced length is a failure.</summary>
    sealed class Body(S3Store store, string name, GetObjectResponse response) : ReadingStream
    {
        long missing = response.ContentLength;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            using var patience = new CancellationTokenSource(store.settings.LongestSilence, store.clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
            var read = await store.Ask($"{name} cannot be read from", async _ => await response.ResponseStream.ReadAsync(buffer, either.Token), cancellationToken);
            missing -= read;
            if (read == 0 && buffer.Length > 0 && missing > 0)
                throw new BackupFailedException(BackupFailure.Passing, $"{name} cannot be read from {store.Words}: the connection was cut {missing:N0} bytes before its end.");
            return read;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing) response.Dispose();
            base.Dispose(disposing);
        }
    }
}
