using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.Domain.Shared;

namespace Portal.Infrastructure.Persistence;

/// <summary>For operations that do not contradict each other although they touch one row: who comes second does it again on what stands now.</summary>
public static class Contention
{
    const int Tries = 6;

    /// <param name="attempt">Opens its own context each time, so that it sees what stands.</param>
    public static async Task<T> Settle<T>(Func<Task<T>> attempt)
    {
        for (var tried = 1; ; tried++)
            try
            {
                return await attempt();
            }
            catch (Exception e) when (tried < Tries && IsRace(e))
            {
                // Nothing was saved: the next attempt reads again.
            }
    }

    /// <summary>A conflict that names a text is for a person to settle; one between two saves is not.</summary>
    static bool IsRace(Exception e) => e is ConflictException { Current: null } || IsTaken(e)
        || e is DbUpdateException { InnerException: PostgresException { SqlState: PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected } };

    /// <summary>A row with the same unique value exists.</summary>
    public static bool IsTaken(Exception e) => e is DbUpdateException { InnerException: PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } };
}
