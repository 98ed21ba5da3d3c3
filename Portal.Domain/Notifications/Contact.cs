using Portal.Domain.Access;
using Portal.Domain.Shared;

namespace Portal.Domain.Notifications;

public readonly record struct ContactId(Guid Value) : IId<ContactId>
{
    public static ContactId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

public readonly record struct ContactGroupId(Guid Value) : IId<ContactGroupId>
{
    public static ContactGroupId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>One of a person's own ways to be paged, in an order of their own: push, after 2 min SMS, after 5 a call.</summary>
/// <remarks>Used for pages only once a code that was sent there came back. Who has none is paged by the address that they sign in with, and everybody is warned of it.</remarks>
public sealed class Contact
{
    public const int LongestWait = 120, AddressLength = 500, MostOfAPerson = 20, MostTries = 5;
    public static readonly TimeSpan CodeLifetime = TimeSpan.FromMinutes(15);

    Contact() { }

    /// <param name="channel">The account that it is reached by; null for mail and web push, which need none.</param>
    /// <param name="address">What people call it: a mail address, a number, a chat, "Firefox on Linux".</param>
    /// <param name="sealedAddress">What is secret about it (the keys of a push subscription); null where nothing is.</param>
    /// <param name="afterMinutes">How long after the page, unless it is acknowledged; 0 to <see cref="LongestWait"/>.</param>
    public Contact(PersonId person, ChannelKind kind, ChannelId? channel, string address, byte[]? sealedAddress, int afterMinutes, DateTimeOffset now, ContactId? id = null)
    {
        Id = id ?? Shared.Id.New<ContactId>(now);
        (PersonId, Kind, ChannelId, SealedAddress, CreatedAt) = (person, kind, channel, sealedAddress, now);
        Address = Text.Required(address, "address", "The address", AddressLength);
        Wait(afterMinutes);
    }

    public ContactId Id { get; private set; }
    public PersonId PersonId { get; private set; }
    public ChannelKind Kind { get; private set; }
    public ChannelId? ChannelId { get; private set; }
    public string Address { get; private set; } = "";
    public byte[]? SealedAddress { get; private set; }
    public int AfterMinutes { get; private set; }
    /// <summary>When its code came back; null while it has not.</summary>
    public DateTimeOffset? VerifiedAt { get; private set; }
    /// <summary>SHA-256 of the contact's id and the code that was sent last.</summary>
    public byte[]? CodeHash { get; private set; }
    public DateTimeOffset? CodeSentAt { get; private set; }
    /// <summary>Wrong answers to the code that was sent last.</summary>
    public int Tries { get; private set; }
    public DateTimeOffset CreatedAt { get; private set; }
    public uint Version { get; private set; }

    public bool IsVerified => VerifiedAt is not null;

    public void Wait(int minutes) =>
        AfterMinutes = minutes is >= 0 and <= LongestWait ? minutes : throw new DomainException($"It is used 0 to {LongestWait} minutes after the page.", "afterMinutes");

    /// <summary>A code is on its way there.</summary>
    public void SendCode(byte[] hash, DateTimeOffset now)
    {
        if (CodeSentAt is { } last && now - last is { Ticks: >= 0 } ago && ago < TimeSpan.FromSeconds(30))
            throw new TooOftenException("A code was just sent there. Wait half a minute before you ask for another one.", TimeSpan.FromSeconds(30) - ago);
        (CodeHash, CodeSentAt, Tries) = (hash, now, 0);
    }

    /// <returns>Whether it was the code; a wrong one counts as a try and must be saved too.</returns>
    /// <exception cref="DomainException">No code waits, it is too old, or too many were wrong.</exception>
    public bool Verify(byte[] hash, DateTimeOffset now)
    {
        if (CodeHash is null || CodeSentAt is null || now - CodeSentAt > CodeLifetime || Tries >= MostTries) throw new DomainException("That code is no longer valid. Ask for a new one.", "code");
        if (!System.Security.Cryptography.CryptographicOperations.FixedTimeEquals(CodeHash, hash))
        {
            Tries++;
            return false;
        }
        (VerifiedAt, CodeHash) = (now, null);
        return true;
    }
}

/// <summary>Addresses that are told together: development, operations, on-call engineer, PagerDuty. Source: seeds 11.</summary>
public sealed class ContactGroup
{
    public const int MostMembers = 50;

    ContactGroup() { }

    /// <exception cref="DomainException">Names the field.</exception>
    public ContactGroup(string name, IReadOnlyList<GroupMember> members, DateTimeOffset now, ContactGroupId? id = null)
    {
        Id = id ?? Shared.Id.New<ContactGroupId>(now);
        CreatedAt = now;
        Change(name, members);
    }

    public ContactGroupId Id { get; private set; }
    public string Name { get; private set; } = "";
    public IReadOnlyList<GroupMember> Members { get; private set; } = [];
    public DateTimeOffset CreatedAt { get; private set; }
    public uint Version { get; private set; }

    /// <exception cref="DomainException">Names the field.</exception>
    public void Change(string name, IReadOnlyList<GroupMember> members)
    {
        if (members.Count > MostMembers) throw new DomainException($"A group has at most {MostMembers} members.", "members");
        if (members.Any(m => m.Channel is null == m.Email is null)) throw new DomainException("A member is a channel or a mail address: choose one of them.", "members");
        Name = Text.Required(name, "name", "The name", Text.NameLength);
        IReadOnlyList<GroupMember> cleaned = [.. members.Select(m => m.Email is { } email ? m with { Email = Person.ValidEmail(email) } : m).Distinct()];
        if (!Members.SequenceEqual(cleaned)) Members = cleaned;
    }
}

/// <summary>One of a contact group: a channel or a mail address.</summary>
public sealed record GroupMember(ChannelId? Channel, string? Email);
