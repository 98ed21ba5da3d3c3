using Portal.Domain.Access;

namespace Portal.Domain.OnCall;

/// <summary>How a person hears of their own shifts. Who has none is told of each by mail, and has no calendar.</summary>
public sealed class ShiftSettings
{
    ShiftSettings() { }

    public ShiftSettings(PersonId person) => PersonId = person;

    public PersonId PersonId { get; private set; }
    /// <summary>Whether a mail tells them when a shift begins.</summary>
    public bool TellsOfShifts { get; private set; } = true;
    /// <summary>SHA-256 of the secret in the address of their calendar; null where there is none.</summary>
    public byte[]? CalendarHash { get; private set; }
    public DateTimeOffset? CalendarMadeAt { get; private set; }
    public uint Version { get; private set; }

    public void Tell(bool ofShifts) => TellsOfShifts = ofShifts;

    /// <summary>The address that was there before ends.</summary>
    public void Renew(byte[] hash, DateTimeOffset now) => (CalendarHash, CalendarMadeAt) = (hash, now);
}
