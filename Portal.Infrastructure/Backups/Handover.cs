using System.IO.Pipelines;

namespace Portal.Infrastructure.Backups;

/// <summary>Hands what is written to another task, which writes it on: packing and encrypting then use two cores, as the programs of a shell's pipe do.</summary>
/// <remarks>A few megabytes wait in between. What fails behind it is thrown by the next write, or by <see cref="Complete"/>.</remarks>
sealed class Handover : WritingStream
{
    const int Waiting = 4 << 20;

    readonly Pipe pipe = new(new PipeOptions(pauseWriterThreshold: Waiting, resumeWriterThreshold: Waiting / 2, minimumSegmentSize: 1 << 16, useSynchronizationContext: false));
    readonly Task writing;
    volatile bool givenUp;

    public Handover(Stream to, CancellationToken ct) => writing = Task.Run(() => WriteOn(to, ct), CancellationToken.None);

    /// <summary>From now on nothing is taken; what went wrong is known.</summary>
    public void GiveUp() => givenUp = true;

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (givenUp) return;
        var taken = await pipe.Writer.WriteAsync(buffer, cancellationToken);
        if (taken.IsCompleted) await writing;
    }

    /// <summary>Everything has been written on when this returns.</summary>
    public async Task Complete()
    {
        await pipe.Writer.CompleteAsync();
        await writing;
    }

    public override async ValueTask DisposeAsync()
    {
        await pipe.Writer.CompleteAsync();
        await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await base.DisposeAsync();
    }

    async Task WriteOn(Stream to, CancellationToken ct)
    {
        try
        {
            await pipe.Reader.CopyToAsync(to, ct);
        }
        finally
        {
            await pipe.Reader.CompleteAsync();
        }
    }
}
