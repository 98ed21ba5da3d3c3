using Amazon.S3.Model;
using Portal.Domain.Backups;

namespace Portal.Infrastructure.Backups;

/// <summary>An object on its way into a bucket, in parts: one is sent while the next is filled, so that memory stays the same whatever the size.</summary>
/// <remarks>What fits into one part goes in one request. 10,000 parts are the most that the protocol allows.</remarks>
sealed class S3Upload(S3Store store, string name) : WritingStream
{
    const int MiB = 1 << 20, MostParts = 10_000;
    static readonly TimeSpan AbortsWithin = TimeSpan.FromSeconds(15);

    readonly List<PartETag> parts = [];
    readonly MemoryStream[] buffers = [new(), new()];
    Task sending = Task.CompletedTask;
    string? uploadId;
    int number = 1;

    /// <summary>Some 600 GB in all; the first parts are small, because most backups are.</summary>
    static int SizeOf(int part) => part switch { <= 1_000 => 8 * MiB, <= 2_000 => 16 * MiB, _ => 64 * MiB };

    MemoryStream Filling => buffers[number % 2];

    string What => $"{name} cannot be written to";

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (buffer.Length > 0)
        {
            var room = (int)(SizeOf(number) - Filling.Length);
            if (room == 0)
            {
                await SendPart(cancellationToken);
                continue;
            }
            var piece = buffer[..Math.Min(room, buffer.Length)];
            Filling.Write(piece.Span);
            buffer = buffer[piece.Length..];
        }
    }

    public async Task Complete(CancellationToken ct)
    {
        if (uploadId is null)
        {
            Filling.Position = 0;
            await store.Ask(What, c => c.PutObjectAsync(new PutObjectRequest { BucketName = store.Bucket, Key = name, InputStream = Filling, AutoCloseStream = false, UseChunkEncoding = false, ServerSideEncryptionMethod = store.Encryption }, ct), ct);
            return;
        }
        if (Filling.Length > 0) await SendPart(ct);
        await sending;
        await store.Ask(What, c => c.CompleteMultipartUploadAsync(new CompleteMultipartUploadRequest { BucketName = store.Bucket, Key = name, UploadId = uploadId, PartETags = parts }, ct), ct);
        uploadId = null;
    }

    /// <summary>Also after a cancellation, within bounds; what cannot be aborted now is found by <see cref="IBackupStore.RemoveUnfinished"/>.</summary>
    public async Task Abort()
    {
        await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (uploadId is null) return;
        try
        {
            using var within = new CancellationTokenSource(AbortsWithin, store.Clock);
            await store.Ask(What, c => c.AbortMultipartUploadAsync(new AbortMultipartUploadRequest { BucketName = store.Bucket, Key = name, UploadId = uploadId }, within.Token), CancellationToken.None);
        }
        catch (BackupFailedException)
        {
            // The reason that is told is why it had to be aborted.
            return;
        }
    }

    async Task SendPart(CancellationToken ct)
    {
        await sending;
        if (number > MostParts)
            throw new BackupFailedException(BackupFailure.Refused, $"{What} {store.Words}: it is larger than {MostParts:N0} parts, the most that S3 takes. Keep it in a folder instead.");
        uploadId ??= (await store.Ask(What, c => c.InitiateMultipartUploadAsync(new InitiateMultipartUploadRequest { BucketName = store.Bucket, Key = name, ServerSideEncryptionMethod = store.Encryption }, ct), ct)).UploadId;
        sending = Send(Filling, number++, ct);
        Filling.SetLength(0);
    }

    async Task Send(MemoryStream content, int part, CancellationToken ct)
    {
        content.Position = 0;
        var request = new UploadPartRequest { BucketName = store.Bucket, Key = name, UploadId = uploadId, PartNumber = part, PartSize = content.Length, InputStream = content, UseChunkEncoding = false };
        var sent = await store.Ask(What, c => c.UploadPartAsync(request, ct), ct);
        parts.Add(new PartETag(part, sent.ETag));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) Array.ForEach(buffers, b => b.Dispose());
        base.Dispose(disposing);
    }
}
