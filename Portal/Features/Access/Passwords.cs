using System.Collections.Concurrent;
using Microsoft.AspNetCore.Identity;
using Portal.Domain.Access;

namespace Portal.Features.Access;

/// <summary>More sign-ins at once than this machine may spend its processors on. Nothing was tried; a moment later it works.</summary>
public sealed class TooBusyException() : Exception("Too many people are signing in at this moment. Wait a few seconds and try again.");

/// <summary>Hashes and compares passwords: costly on purpose, therefore few at once, and none address may take all the lanes.</summary>
public sealed class Passwords(PasswordHasher<Person> hasher, TimeProvider clock) : IDisposable
{
    /// <summary>PBKDF2 with HMAC-SHA512, as recommended by OWASP's password storage cheat sheet.</summary>
    public const int Iterations = 210_000;
    const int MostWaiting = 24;
    const int MostOfOneNetwork = 4;
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    // The framework's hasher ignores the person: the salt is random and in the hash.
    static readonly Person Nobody = new("Nobody", "nobody@example.invalid", Role.Staff, DateTimeOffset.UnixEpoch);

    readonly SemaphoreSlim lanes = new(Math.Max(1, Environment.ProcessorCount / 2));
    readonly ConcurrentDictionary<string, int> ofNetwork = new();
    readonly Lazy<string> dummy = new(() => hasher.HashPassword(Nobody, Secret.New()));
    int waiting;

    /// <summary>How many are at work or wait for it at this moment.</summary>
    public int InLine => Volatile.Read(ref waiting);

    public enum Answer { Wrong, Right, RightAndOutdated }

    /// <exception cref="TooBusyException">All lanes are taken and the queue is long.</exception>
    public Task<string> Hash(string password, Visitor visitor, CancellationToken ct) =>
        InLane(visitor, () => hasher.HashPassword(Nobody, password), ct);

    /// <summary>Takes as long for nobody, or somebody without a password, as for a wrong password.</summary>
    /// <exception cref="TooBusyException">All lanes are taken and the queue is long.</exception>
    public Task<Answer> Verify(string? hash, string? password, Visitor visitor, CancellationToken ct)
    {
        var comparable = password is { Length: > 0 and <= Person.LongestPassword };
        return InLane(visitor, () =>
        {
            var result = hasher.VerifyHashedPassword(Nobody, hash ?? dummy.Value, comparable ? password! : "-");
            if (hash is null || !comparable) return Answer.Wrong;
            return result switch
            {
                PasswordVerificationResult.Success => Answer.Right,
                PasswordVerificationResult.SuccessRehashNeeded => Answer.RightAndOutdated,
                _ => Answer.Wrong,
            };
        }, ct);
    }

    async Task<T> InLane<T>(Visitor visitor, Func<T> work, CancellationToken ct)
    {
        var network = visitor.Network;
        var mine = ofNetwork.AddOrUpdate(network, 1, (_, n) => n + 1);
        var inLine = Interlocked.Increment(ref waiting);
        try
        {
            if (mine > MostOfOneNetwork || inLine > MostWaiting || !await Enter(ct)) throw new TooBusyException();
            try { return work(); }
            finally { lanes.Release(); }
        }
        finally
        {
            Interlocked.Decrement(ref waiting);
            if (ofNetwork.AddOrUpdate(network, 0, (_, n) => n - 1) == 0)
                ofNetwork.TryRemove(new KeyValuePair<string, int>(network, 0));
        }
    }

    async Task<bool> Enter(CancellationToken ct)
    {
        using var patience = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, ct);
        try
        {
            await lanes.WaitAsync(either.Token);
            return true;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested) { return false; }
    }

    public void Dispose() => lanes.Dispose();
}
