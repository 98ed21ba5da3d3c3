using Microsoft.AspNetCore.Identity;
using Portal.Domain.Access;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Health.Parts;

/// <summary>What a sign-in needs: people, sessions and throttles can be read, and a password can be compared with its hash.</summary>
sealed class SignInPart(Database database, PasswordHasher<Person> hasher, TimeProvider clock) : IHealthPart
{
    /// <summary>Comparing costs a tenth of a second of processor time, so it is not done at every look.</summary>
    static readonly TimeSpan CompareEvery = TimeSpan.FromMinutes(5);

    readonly Person sample = new("Health", "health@example.invalid", Role.Staff, DateTimeOffset.UnixEpoch);
    (long At, Task<bool> Matches)? comparison;

    public string Name => "sign-in";

    public async Task<PartReport> Look(CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand(
            """
            select (select count(*) from people where deactivated_at is null),
                   (select count(*) from (select 1 from sessions where revoked_at is null and expires_at > $1 limit 1000) live),
                   exists (select 1 from sign_in_throttles)
            """);
        command.Parameters.Add(new() { Value = clock.GetUtcNow() });
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        var (people, sessions) = (reader.GetInt64(0), reader.GetInt64(1));
        if (comparison is not { } last || last.Matches.IsCompleted && clock.GetElapsedTime(last.At) > CompareEvery)
            comparison = last = (clock.GetTimestamp(), Task.Run(Compare, CancellationToken.None));
        // On a busy machine it takes longer than a look may: that is slow, not broken, and the next look sees how it ended.
        if (last.Matches.IsCompleted && !await last.Matches) return PartReport.Failing("A password does not match its own hash.");
        return PartReport.Ok(("people", people), ("sessions", sessions), ("passwordCompared", last.Matches.IsCompleted));
    }

    bool Compare() => hasher.VerifyHashedPassword(sample, hasher.HashPassword(sample, Name), Name) != PasswordVerificationResult.Failed;
}
