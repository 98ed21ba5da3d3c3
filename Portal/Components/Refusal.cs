using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Components;

/// <summary>The one place where exceptions that are meant for people become their words; everything else is a fault.</summary>
public static class Refusal
{
    /// <summary>Null for a fault, whose text must not be shown.</summary>
    public static string? TextFor(Exception e) => e switch
    {
        DomainException or NotFoundException or ConflictException or ForbiddenException or TooOftenException => e.Message,
        DbUpdateConcurrencyException => "Somebody else changed this at the same moment. Nothing was saved: look at what stands now and try again.",
        _ when IsDatabaseAway(e) => "The database cannot be reached at the moment. Nothing was saved; what you typed is still here. Try again in a moment.",
        _ => null,
    };

    public static bool IsDatabaseAway(Exception e) => e switch
    {
        DatabaseAwayException => true,
        // Shutting down, starting, closed to us, too many connections, read-only after a fail-over; a server without room, memory or a readable disk; and our own silence in a transaction.
        PostgresException p => p.SqlState is "57P01" or "57P02" or "57P03" or "55000" or "53300" or "25006" or "53100" or "53200" or "58030" or "25P03",
        NpgsqlException or TimeoutException => true,
        { InnerException: { } inner } => IsDatabaseAway(inner),
        _ => false,
    };
}
