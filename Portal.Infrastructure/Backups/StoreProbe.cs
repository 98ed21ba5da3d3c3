using System.Security.Cryptography;
using Portal.Domain.Backups;

namespace Portal.Infrastructure.Backups;

/// <summary>What a store can do, tried before it is accepted and by the daily check.</summary>
public sealed record StoreProbe(StoreProbe.Step Write, StoreProbe.Step ReadBack, StoreProbe.Step Delete)
{
    /// <param name="Words">What went wrong, or that it works.</param>
    public sealed record Step(bool IsGood, string Words);

    public bool IsGood => Write.IsGood && ReadBack.IsGood && Delete.IsGood;

    /// <summary>Writes a small object of a name of its own, reads it back and deletes it. Each answer stands for itself: who may write but not delete learns just that.</summary>
    public static async Task<StoreProbe> Of(IBackupStore store, CancellationToken ct)
    {
        var content = RandomNumberGenerator.GetBytes(4096);
        var name = $"probe/{Convert.ToHexStringLower(content.AsSpan(0, 16))}";
        var write = await Try("Writing works.", () => store.Put(name, content, ct));
        if (!write.IsGood) return new(write, new(false, "Not tried, since nothing could be written."), new(false, "Not tried, since nothing could be written."));
        var readBack = await Try("What was written was read back, byte by byte.", async () =>
        {
            if (!(await store.Read(name, content.Length, ct)).AsSpan().SequenceEqual(content))
                throw new BackupFailedException(BackupFailure.Damaged, "Other bytes came back than were written.");
        });
        var delete = await Try("Deleting works.", async () =>
        {
            await store.Delete(name, ct);
            await foreach (var left in store.List(name, ct))
                throw new BackupFailedException(BackupFailure.Refused, $"{left.Name} is still there after it was deleted: retention could not make room.");
        });
        return new(write, readBack, delete);
    }

    static async Task<Step> Try(string good, Func<Task> step)
    {
        try
        {
            await step();
            return new Step(true, good);
        }
        catch (BackupFailedException e)
        {
            return new Step(false, e.Message);
        }
    }
}
