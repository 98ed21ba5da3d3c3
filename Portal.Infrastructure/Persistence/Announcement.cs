using System.Data.Common;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Portal.Infrastructure.Persistence;

/// <summary>What a commit tells all nodes: which topics changed. It comes by several ways (in the process itself, by PostgreSQL, by Redis) and is recognised by its names.</summary>
/// <remarks>
/// As text: topics with commas between, and among them its names, <c>@origin.number</c> or, where the page's version was raised, <c>@origin.number.version</c>.
/// An older node takes a name for a topic that nobody watches. It is a hint, never the truth, and holds nothing secret.
/// </remarks>
public sealed record Announcement(IReadOnlyCollection<string> Topics, IReadOnlyCollection<string> Names)
{
    /// <summary>PostgreSQL's limit for a notice, in bytes, below which ours stay on every way.</summary>
    public const int LongestText = 7_900;
    const int LongestTopic = 100;

    static readonly string Origin = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
    static long count;

    /// <param name="version">The page's version as this commit raised it.</param>
    public static Announcement Of(IReadOnlyCollection<string> topics, long? version = null) =>
        new(topics, [string.Create(CultureInfo.InvariantCulture, $"@{Origin}.{Interlocked.Increment(ref count)}{(version is { } v ? $".{v}" : "")}")]);

    /// <summary>Whatever came from outside: what is too long to be ours is left out.</summary>
    public static Announcement Read(string text)
    {
        if (text.Length > LongestText) return new([], []);
        var parts = text.Split(',', StringSplitOptions.RemoveEmptyEntries).Where(p => p.Length <= LongestTopic).ToLookup(p => p[0] == '@');
        return new([.. parts[false]], [.. parts[true]]);
    }

    /// <summary>The version of the page in a name; null where it has none.</summary>
    public static long? VersionIn(string name) =>
        name.Split('.') is [_, _, var text] && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : null;

    public string Text => string.Join(',', Topics.Concat(Names));
}

/// <summary>Hands on what was announced once its transaction is committed, and forgets what was rolled back.</summary>
sealed class AnnounceAfterCommit(Action<Announcement> tell) : DbTransactionInterceptor
{
    public override Task TransactionCommittedAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        TransactionCommitted(transaction, eventData);
        return Task.CompletedTask;
    }

    public override void TransactionCommitted(DbTransaction transaction, TransactionEndEventData eventData)
    {
        if (eventData.Context is not PortalDbContext { Announced: { Count: > 0 } announced }) return;
        foreach (var announcement in announced) tell(announcement);
        announced.Clear();
    }

    public override Task TransactionRolledBackAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        (eventData.Context as PortalDbContext)?.Announced.Clear();
        return Task.CompletedTask;
    }
}
