using System.Security.Cryptography;
using Portal.Domain.Backups;

namespace Portal.Infrastructure.Backups;

/// <summary>A stream that is only read, forwards, without blocking.</summary>
public abstract class ReadingStream : Stream
{
    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    public abstract override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default);
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Read it asynchronously.");
    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

/// <summary>A stream that is only written, forwards, without blocking.</summary>
public abstract class WritingStream : Stream
{
    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    public abstract override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default);
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Write it asynchronously.");
    public override void Flush() { }
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
}

/// <summary>Tells how long its reader waited for it. The inner stream belongs to whoever made it.</summary>
public sealed class AwaitedStream(Stream inner, TimeProvider clock) : ReadingStream
{
    public TimeSpan Waited { get; private set; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var began = clock.GetTimestamp();
        var read = await inner.ReadAsync(buffer, cancellationToken);
        Waited += clock.GetElapsedTime(began);
        return read;
    }
}

/// <summary>Counts and hashes what flows through a stream.</summary>
/// <param name="mac">An HMAC that takes in the same bytes; null for none.</param>
public sealed class Measure(IncrementalHash? mac = null) : IDisposable
{
    readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public long Bytes { get; private set; }

    /// <summary>Called after each piece with the bytes so far.</summary>
    public Action<long> Moved { get; set; } = static _ => { };

    public void Take(ReadOnlySpan<byte> piece)
    {
        hash.AppendData(piece);
        mac?.AppendData(piece);
        Bytes += piece.Length;
        Moved(Bytes);
    }

    public ContentMeasure Content() => new(Bytes, Convert.ToHexStringLower(hash.GetCurrentHash()));

    public Stream Before(Stream to) => new Writing(this, to);

    public Stream After(Stream from) => new Reading(this, from);

    public void Dispose() => hash.Dispose();

    /// <summary>The inner stream belongs to whoever made it.</summary>
    sealed class Writing(Measure measure, Stream inner) : WritingStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            measure.Take(buffer.Span);
            return inner.WriteAsync(buffer, cancellationToken);
        }
    }

    sealed class Reading(Measure measure, Stream inner) : ReadingStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await inner.ReadAsync(buffer, cancellationToken);
            measure.Take(buffer.Span[..read]);
            return read;
        }
    }
}
