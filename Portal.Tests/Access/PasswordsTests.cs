using System.Net;
using Portal.Domain.Access;
using Portal.Features.Access;
using Portal.Tests.Support;

namespace Portal.Tests.Access;

public class PasswordsTests
{
    static Visitor From(int network, int host = 1) => new(new IPAddress([198, 18, (byte)network, (byte)host]), null);

    [Fact]
    public async Task A_flood_is_refused_quickly_and_one_network_cannot_take_all_the_places()
    {
        using var hold = new ManualResetEventSlim();
        var hasher = new CountingHasher { Hold = hold };
        using var passwords = new Passwords(hasher, new FakeClock());
        Task<Passwords.Answer> Try(Visitor from) => Task.Run(() => passwords.Verify(Settlers.CheapHash("x"), "y", from, default));

        var greedy = Enumerable.Range(0, 20).Select(_ => Try(From(1))).ToList();
        await Soon.Comes(() => greedy.Count(t => t.IsFaulted) >= 16, "sixteen being refused");
        var before = passwords.InLine;
        var other = Try(From(2));
        await Soon.Comes(() => passwords.InLine > before, "somebody in the line");
        var crowd = Enumerable.Range(3, 60).Select(n => Try(From(n))).ToList();
        await Soon.Comes(() => crowd.Any(t => t.IsFaulted), "one of the crowd being refused");
        Assert.True(hasher.Compared <= Math.Max(1, Environment.ProcessorCount / 2));
        hold.Set();
        Assert.Equal(Passwords.Answer.Wrong, await other);
        foreach (var task in greedy.Concat(crowd))
            if (await Record.ExceptionAsync(() => task) is { } refusal) Assert.IsType<TooBusyException>(refusal);
        Assert.Equal(Passwords.Answer.Wrong, await Try(From(1)));
    }

    [Fact]
    public async Task Whoever_waits_too_long_for_a_lane_is_told_so()
    {
        using var hold = new ManualResetEventSlim();
        var (hasher, clock) = (new CountingHasher { Hold = hold }, new FakeClock());
        using var passwords = new Passwords(hasher, clock);
        var lanes = Math.Max(1, Environment.ProcessorCount / 2);
        var working = Enumerable.Range(0, lanes).Select(n => Task.Run(() => passwords.Verify(null, "y", From(n), default))).ToList();
        await Soon.Comes(() => hasher.Compared == lanes, "both lanes at work");
        var waiting = passwords.Verify(null, "y", From(100), default);
        Assert.False(waiting.IsCompleted);
        clock.FastForward(TimeSpan.FromSeconds(5));
        await Assert.ThrowsAsync<TooBusyException>(() => waiting);
        hold.Set();
        await Task.WhenAll(working);
    }

    [Fact]
    public void Passwords_are_hashed_at_the_recommended_cost()
    {
        var hash = Convert.FromBase64String(new CountingHasher(Passwords.Iterations).HashPassword(null!, "correct horse battery"));
        // Format 1 of the framework: PBKDF2, then the function (2 is HMAC-SHA512), then the count.
        Assert.Equal(1, hash[0]);
        Assert.Equal(2u, System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(hash.AsSpan(1)));
        Assert.Equal(210_000u, System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(hash.AsSpan(5)));
    }
}
