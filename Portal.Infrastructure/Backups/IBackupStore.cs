using Portal.Domain.Backups;

namespace Portal.Infrastructure.Backups;

/// <summary>An object of a store.</summary>
public sealed record StoredObject(string Name, long Bytes, DateTimeOffset ChangedAt);

/// <summary>Room in a store, in bytes.</summary>
public sealed record StoreSpace(long Free, long Total);

/// <summary>A place that keeps backups. Names are relative, of lower-case letters, digits, hyphens and dots, parted by slashes.</summary>
/// <remarks>Every failure of the place itself is a <see cref="BackupFailedException"/> in words.</remarks>
public interface IBackupStore
{
    /// <summary>What it is, in words: the folder /srv/backups.</summary>
    string Words { get; }

    /// <summary>Puts what <paramref name="write"/> writes under a name. The object is seen whole when this ends, and not at all when <paramref name="write"/> or the store fails.</summary>
    Task Put(string name, Func<Stream, CancellationToken, Task> write, CancellationToken ct);

    /// <summary>For reading from its beginning, once.</summary>
    /// <exception cref="BackupFailedException">Missing, where there is none.</exception>
    Task<Stream> Open(string name, CancellationToken ct);

    /// <summary>Every whole object whose name begins so, in order of their names.</summary>
    IAsyncEnumerable<StoredObject> List(string prefix, CancellationToken ct);

    /// <summary>Deleting what is not there is no failure.</summary>
    Task Delete(string name, CancellationToken ct);

    /// <summary>Takes away what a put that was killed left behind; nobody may be putting that name now.</summary>
    Task RemoveUnfinished(string name, CancellationToken ct);

    /// <summary>Null where the store does not say.</summary>
    Task<StoreSpace?> Space(CancellationToken ct);
}

/// <summary>Small things in a store.</summary>
public static class StoreContents
{
    public static Task Put(this IBackupStore store, string name, ReadOnlyMemory<byte> content, CancellationToken ct) =>
        store.Put(name, async (to, token) => await to.WriteAsync(content, token), ct);

    /// <exception cref="BackupFailedException">Missing, or longer than that.</exception>
    public static async Task<byte[]> Read(this IBackupStore store, string name, int atMost, CancellationToken ct)
    {
        await using var from = await store.Open(name, ct);
        using var content = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (await from.ReadAsync(buffer, ct) is var read and > 0)
        {
            if (content.Length + read > atMost) throw new BackupFailedException(BackupFailure.Damaged, $"{name} in {store.Words} is longer than {atMost:N0} bytes.");
            content.Write(buffer, 0, read);
        }
        return content.ToArray();
    }

    /// <exception cref="ArgumentException">It could leave the store, or does not mean the same in every store.</exception>
    public static string Checked(string name) =>
        name.Length is > 0 and <= 500 && name.Split('/').All(part => part.Length > 0 && part[0] != '.' && part.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.'))
            ? name : throw new ArgumentException($"\"{name}\" is no name in a store.", nameof(name));
}
